package kernel

import (
	"slices"
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

// TestOneQuestionForMany: the addresses of all instances are asked for at the same
// instants, and each answer counts for its own address.
func TestOneQuestionForMany(t *testing.T) {
	sw := nettest.NewSwitch(t)
	host, other := sw.Host("a"), sw.Host("b", "10.0.0.8/24", "10.0.0.6/24")
	h := newHarness(t, host.NS, instance("VI_1", "10.0.0.9/24", "10.0.0.8/24"), instance("VI_2", "10.0.0.7/24", "10.0.0.6/24"))
	now := mono.Now()
	for i, s := range h.Status() {
		var err error
		h.ns.Do(func() { err = h.Set(s.Instance, true, now.Add(time.Duration(i)*time.Millisecond), nil) })
		if err != nil {
			t.Fatal(err)
		}
	}
	hw := hardwareAddr(t, other.NS).String()
	want := []string{"", hw, "", hw}
	var got []string
	for end := time.Now().Add(patienceInTests); time.Now().Before(end) && !slices.Equal(got, want); {
		now = now.Add(vip.AskEvery)
		h.tick(now)
		if len(h.outbox) > 0 {
			t.Fatalf("%d questions wait", len(h.outbox))
		}
		h.asker.wait.Wait()
		got = nil
		for _, c := range h.cfgs {
			for _, a := range c.Addresses {
				got = append(got, h.asker.stranger(a))
			}
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("strangers %q, want %q", got, want)
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
