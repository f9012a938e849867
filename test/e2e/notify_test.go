package e2e

import (
	"bufio"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/ipv4"

	"baton/internal/nettest"
	"baton/vrrp/packet"
)

// notifyConf tells everything there is to tell.
const notifyConf = `
global_defs {
    router_id lb
    script_user root
    vrrp_notify_fifo DIR/fifo
    vrrp_notify_priority_changes on
}
vrrp_sync_group G {
    group {
        V1
        V2
    }
    notify_master "DIR/tell G master"
    notify_backup "DIR/tell G backup"
    notify_fault "DIR/tell G fault"
    notify_stop "DIR/tell G stop"
    notify "DIR/tell G"
}
vrrp_instance V1 {
    interface eth0
    virtual_router_id 51
    priority 100
    virtual_ipaddress {
        10.77.0.101/24
    }
    notify_master "DIR/tell V1 'in master'"
    notify_backup "DIR/tell V1 backup" root root
    notify_fault "DIR/tell V1 fault"
    notify_stop "DIR/tell V1 stop"
    notify "DIR/tell V1 'a b'"
}
vrrp_instance V2 {
    interface eth0
    virtual_router_id 52
    priority 90
    virtual_ipaddress {
        10.77.0.102/24
    }
    notify DIR/tell
}
vrrp_instance V3 {
    interface eth0
    virtual_router_id 53
    priority 80
    virtual_ipaddress {
        10.77.0.103/24
    }
    notify_master_rx_lower_pri "DIR/tell V3 lower"
    notify DIR/tell root
}
`

// TestNotifyAsKeepalived takes baton and keepalived through the same story with the
// same file: what a FIFO gets is the same to the line, and so are the arguments of
// every script. (Scripts side by side, as keepalived has them, have no order.)
func TestNotifyAsKeepalived(t *testing.T) {
	if testing.Short() {
		t.Skip("plays the story twice")
	}
	t.Parallel()
	sw := nettest.NewSwitch(t)
	sw2 := nettest.NewSwitch(t)
	ours := tellStory(t, newNode(t, sw, "lb1", "10.77.0.11/24"), sw.Host("other", "10.77.0.50/24"), func(n *node, _ string) { n.run("-f", "peer.conf") })
	theirs := tellStory(t, newNode(t, sw2, "lb1", "10.77.0.11/24"), sw2.Host("other", "10.77.0.50/24"), func(n *node, conf string) { n.keepalived(conf) })
	if d := cmp.Diff(theirs.lines, ours.lines); d != "" {
		t.Errorf("lines of the FIFO (-keepalived +baton):\n%s", d)
	}
	if d := cmp.Diff(theirs.scripts, ours.scripts); d != "" {
		t.Errorf("scripts (-keepalived +baton):\n%s", d)
	}
}

// told is what came out.
type told struct {
	lines   []string
	scripts []string // arguments, sorted
}

func tellStory(t *testing.T, n *node, other *nettest.Host, start func(n *node, conf string)) told {
	t.Helper()
	conf := strings.ReplaceAll(notifyConf, "DIR", n.dir)
	n.write("peer.conf", conf)
	out := filepath.Join(n.dir, "out")
	script := n.write("tell", "#!/bin/sh\necho \"$# $*\" >> "+out+"\n")
	if err := os.Chmod(script, 0o755); err != nil {
		t.Fatal(err)
	}
	start(n, conf)
	fifo := filepath.Join(n.dir, "fifo")
	await(t, "the FIFO is there", func() bool { return exists(fifo) })
	pipe, err := os.Open(fifo)
	if err != nil {
		t.Fatal(err)
	}
	defer pipe.Close()
	lines := make(chan string, 64)
	go func() {
		defer close(lines)
		for s := bufio.NewScanner(pipe); s.Scan(); {
			lines <- s.Text()
		}
	}()
	var got told
	until := func(last string) {
		t.Helper()
		for {
			select {
			case l, ok := <-lines:
				if ok {
					got.lines = append(got.lines, l)
				}
				if l == last {
					return
				}
				if !ok {
					t.Fatalf("the FIFO ended before %s:\n%s", last, strings.Join(got.lines, "\n"))
				}
			case <-time.After(patience):
				t.Fatalf("%s never came:\n%s", last, strings.Join(got.lines, "\n"))
			}
		}
	}
	until(`INSTANCE "V3" MASTER 80`)
	sendAdvert(t, other, packet.Advert{VRID: 53, Priority: 50, Interval: time.Second, Addresses: []netip.Addr{netip.MustParseAddr("10.77.0.103")}})
	until(`INSTANCE "V3" MASTER_RX_LOWER_PRI 80`)
	n.Unplug()
	until(`INSTANCE "V3" FAULT 80`)
	n.Plug()
	until(`INSTANCE "V3" MASTER 80`)
	n.stop()
	until(`GROUP "G" STOP 0`)

	text, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	got.scripts = strings.Split(strings.TrimSpace(string(text)), "\n")
	slices.Sort(got.scripts)
	return got
}

// sendAdvert sends one VRRPv2 advert from a host.
func sendAdvert(t *testing.T, h *nettest.Host, ad packet.Advert) {
	t.Helper()
	h.Do(func() {
		c, err := net.ListenPacket("ip4:112", "10.77.0.50")
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		if err := ipv4.NewPacketConn(c).SetMulticastTTL(packet.HopLimit); err != nil {
			t.Error(err)
		}
		if _, err := c.WriteTo(ad.Append(nil, packet.Pseudo{}), &net.IPAddr{IP: packet.Group().AsSlice()}); err != nil {
			t.Error(err)
		}
	})
}
