package e2e

import (
	"fmt"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"baton/internal/nettest"
)

// vmacConf is a vrrp_instance with use_vmac that both daemons read.
func vmacConf(six bool, priority int, more string) string {
	ip := "10.77.0.100/24"
	if six {
		ip = "fe80::77:100/64\n        2001:db8:77::100/64"
	}
	return fmt.Sprintf(`
global_defs {
    script_user root
}
vrrp_instance VI_1 {
    interface eth0
    virtual_router_id 51
    priority %d
    version 3
    advert_int 0.1
    use_vmac
    %s
    virtual_ipaddress {
        %s
    }
}
`, priority, more, ip)
}

// TestVMAC: the client's neighbour entry keeps the virtual hardware address whoever
// is master, a baton or a keepalived, and the client reaches it at once, since its
// frames follow the address that the switch has learned anew.
func TestVMAC(t *testing.T) {
	nettest.Require(t)
	for _, six := range []bool{false, true} {
		for _, other := range []string{"baton", "keepalived"} {
			for _, more := range []string{"", "vmac_xmit_base"} {
				t.Run(fmt.Sprintf("%s ipv6=%t %s", other, six, more), func(t *testing.T) {
					t.Parallel()
					playVMAC(t, six, other == "keepalived", more)
				})
			}
		}
	}
}

func playVMAC(t *testing.T, six, withKeepalived bool, more string) {
	sw := nettest.NewSwitch(t)
	lb1, lb2 := newNode(t, sw, "lb1", "10.77.0.11/24"), newNode(t, sw, "lb2", "10.77.0.12/24")
	client := sw.Host("client", "10.77.0.50/24")
	lb1.IP("addr", "add", "2001:db8:77::11/64", "dev", "eth0", "nodad")
	lb2.IP("addr", "add", "2001:db8:77::12/64", "dev", "eth0", "nodad")
	client.IP("addr", "add", "2001:db8:77::50/64", "dev", "eth0", "nodad")
	ip, hw := vip, "00:00:5e:00:01:33"
	if six {
		ip, hw = "2001:db8:77::100", "00:00:5e:00:02:33"
	}
	lb1.write("baton.conf", vmacConf(six, 150, more))
	lb2.write("baton.conf", vmacConf(six, 100, more))
	lb1.run("-f", "baton.conf")
	onlyOn(t, ip, lb1)
	reaches(t, client, ip)
	reaches(t, client, ip) // it has been asked for its own by now
	if e := client.IP("neigh", "show", "to", ip, "dev", "eth0"); !strings.Contains(e, hw) {
		t.Errorf("the client's entry is %q, want %s", e, hw)
	}
	if withKeepalived {
		lb2.keepalived(vmacConf(six, 100, more))
		await(t, "keepalived is backup", func() bool { return strings.Contains(lb2.proc.log.String(), "Entering BACKUP STATE") })
	} else {
		lb2.run("-f", "baton.conf")
	}
	// Any other hardware address for it is an error. A keepalived 2.2.7 that is master
	// asks for its clients with that of its base interface, so only baton is looked at.
	learned := func() []string { return nil }
	if !withKeepalived {
		learned = watchNeighbour(t, client, ip)
	}
	onlyOn(t, ip, lb1, lb2)
	reaches(t, client, ip)

	if err := lb1.proc.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	lb1.wait()
	onlyOn(t, ip, lb2, lb1)
	reaches(t, client, ip)
	if out := lb1.IP("link"); strings.Contains(out, "macvlan") || strings.Contains(out, "vrrp") {
		t.Errorf("left behind on lb1:\n%s", out)
	}

	lb1.run("-f", "baton.conf")
	onlyOn(t, ip, lb1, lb2)
	reaches(t, client, ip)

	lb1.kill()
	onlyOn(t, ip, lb2, lb1) // the lease
	reaches(t, client, ip)
	if out := lb1.IP("link"); !strings.Contains(out, "vrrp.51") {
		t.Errorf("the interface of the dead is gone by itself:\n%s", out)
	}
	if out, err := lb1.command("release").CombinedOutput(); err != nil || !strings.Contains(string(out), "removed interface vrrp.51") {
		t.Errorf("release: %v\n%s", err, out)
	}
	for _, e := range learned() {
		if e != hw {
			t.Errorf("the client learned %s for %s", e, ip)
		}
	}
}

// reaches makes the client open connections until one is refused by the address's
// owner: nothing listens there.
func reaches(t *testing.T, client *nettest.Host, ip string) {
	t.Helper()
	await(t, "the client reaches "+ip, func() bool {
		refused := false
		client.Do(func() {
			_, err := net.DialTimeout("tcp", net.JoinHostPort(ip, "9"), time.Second)
			refused = err != nil && strings.Contains(err.Error(), "refused")
		})
		return refused
	})
}

// A start that fails leaves nothing of what it has made already.
func TestFailedStartLeavesNothing(t *testing.T) {
	nettest.Require(t)
	lb := newNode(t, nettest.NewSwitch(t), "lb1", "10.77.0.11/24")
	before := lb.IP("link") + lb.IP("route") + lb.Output("cat", "/proc/sys/net/ipv4/conf/eth0/arp_ignore")
	lb.write("baton.conf", vmacConf(false, 150, "no_accept"))
	said := lb.fails("run", "--socket", "/proc/baton.sock", "-f", "baton.conf")
	mustContain(t, said, "/proc/baton.sock")
	if after := lb.IP("link") + lb.IP("route") + lb.Output("cat", "/proc/sys/net/ipv4/conf/eth0/arp_ignore"); after != before {
		t.Errorf("before\n%safter\n%s", before, after)
	}
	if out, err := lb.command("release").CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("left for release: %v\n%s", err, out)
	}
}
