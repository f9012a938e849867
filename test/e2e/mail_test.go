package e2e

import (
	"net"
	"strings"
	"testing"
	"time"

	"baton/internal/nettest"
)

// TestMail: becoming master and leaving are mailed, in order.
func TestMail(t *testing.T) {
	nettest.Require(t)
	t.Parallel()
	lb := newNode(t, nettest.NewSwitch(t), "lb1", "10.77.0.11/24")
	var listener net.Listener
	lb.Do(func() {
		var err error
		if listener, err = net.Listen("tcp", "127.0.0.1:25"); err != nil {
			t.Fatal(err)
		}
	})
	mails := nettest.ServeMail(t, listener, nil)
	conf := wire{version: 3, interval: "0.1"}.conf(150, "11", "12")
	conf = strings.Replace(conf, "script_user root", `script_user root
    router_id one
    notification_email {
        admin@example.org
    }
    notification_email_from baton@example.org
    smtp_server 127.0.0.1
    smtp_alert`, 1)
	lb.write("baton.conf", conf)
	lb.run("-f", "baton.conf")
	for _, want := range []string{"BACKUP", "MASTER", "FAULT"} {
		select {
		case mail := <-mails:
			mustContain(t, mail, "RCPT TO:<admin@example.org>", "From: baton@example.org", "Subject: [one] VRRP Instance VI_1 - Entering "+want+" state")
		case <-time.After(patience):
			t.Fatalf("no mail about %s", want)
		}
		if want == "MASTER" {
			lb.Unplug()
		}
	}
}
