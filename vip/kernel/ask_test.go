package kernel

import (
	"strings"
	"testing"
	"time"

	"baton/internal/mono"
	"baton/internal/nettest"
	"baton/vip"
)

// TestStranger: a host that holds the same address is found, named, and forgotten
// when it lets go. So it was with keepalived after SIGKILL.
func TestStranger(t *testing.T) {
	for _, address := range []string{"10.0.0.9/24", "2001:db8::9/64"} {
		t.Run(strings.SplitN(address, "/", 2)[0], func(t *testing.T) {
			sw := nettest.NewSwitch(t)
			host, other := sw.Host("a"), sw.Host("b")
			h := newHarness(t, host.NS, instance("VI_1", address))
			h.watch()
			now := mono.Now()
			h.mustSet("VI_1", true)
			// The network may be slower than a question waits: then the next one finds it.
			ask := func(want string) {
				t.Helper()
				found := ""
				for end := time.Now().Add(patienceInTests); time.Now().Before(end); {
					now = now.Add(vip.AskEvery)
					h.tick(now)
					h.asker.wait.Wait() // the question has its answer, or has none
					if found = h.asker.stranger(h.cfgs[0].Addresses[0]); found == want {
						return
					}
				}
				t.Fatalf("found %q, want %q", found, want)
			}
			awaitIPv6(t, other.NS)
			other.IP("addr", "add", address, "dev", "eth0", "nodad")
			hw := hardwareAddr(t, other.NS).String()
			ask(hw)
			awaitLog(t, h, "another host answers for a virtual address that we hold")
			h.tick(now.Add(vip.LeaseRenew))
			if s := h.Status()[0].Addresses[0]; s.Stranger != hw {
				t.Errorf("status: %+v", s)
			}
			other.IP("addr", "del", address, "dev", "eth0")
			ask("")
			awaitLog(t, h, "no other host answers")
			h.mustSet("VI_1", false)
		})
	}
}

// awaitIPv6 waits until a new host speaks IPv6: its link-local address has been
// found to be the only one.
func awaitIPv6(t *testing.T, ns *nettest.NS) {
	t.Helper()
	for end := time.Now().Add(patienceInTests); ; {
		out := ns.IP("-6", "addr", "show", "dev", "eth0", "scope", "link", "-tentative")
		if strings.Contains(out, "fe80") {
			return
		}
		if time.Now().After(end) {
			t.Fatal("eth0 gets no link-local address")
		}
	}
}
