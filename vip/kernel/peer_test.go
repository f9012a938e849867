package kernel

import (
	"net/netip"
	"strings"
	"testing"

	"baton/internal/mono"
	"baton/internal/nettest"
	"baton/vip"
)

// An address with a far end: the kernel shows it, routes to it, and what it shows is
// what was wanted.
func TestPeerAddress(t *testing.T) {
	host := nettest.NewSwitch(t).Host("a", "10.0.0.1/24")
	c := instance("VI_1", "192.0.2.9/32", "2001:db8::9/64")
	c.Addresses[0].Peer = netip.MustParseAddr("192.0.2.8")
	c.Addresses[1].Peer = netip.MustParseAddr("2001:db8::8")
	h := newHarness(t, host.NS, c)
	for range 2 {
		h.mustSet("VI_1", true)
		show := host.IP("addr", "show", "dev", "eth0")
		for _, want := range []string{"192.0.2.9 peer 192.0.2.8/32", "2001:db8::9 peer 2001:db8::8/64"} {
			if !strings.Contains(show, want) {
				t.Errorf("%q is not in\n%s", want, show)
			}
		}
	}
	now := mono.Now()
	h.tick(now.Add(vip.LeaseRenew))
	if s := h.Status()[0]; !s.Held || s.Error != "" || s.Renewed < now {
		t.Errorf("after a renewal: %+v", s)
	}
	if r := host.IP("route"); !strings.Contains(r, "192.0.2.8 dev eth0") {
		t.Errorf("no route to the far end:\n%s", r)
	}
	h.mustSet("VI_1", false)
	if show := host.IP("addr", "show", "dev", "eth0"); strings.Contains(show, "peer") {
		t.Errorf("left behind:\n%s", show)
	}
}

// promote_secondaries: also where nothing of ours comes first.
func TestPromoteSecondariesKeyword(t *testing.T) {
	host := nettest.NewSwitch(t).Host("a", "10.0.0.1/24")
	c := instance("VI_1", "10.0.0.9/24")
	c.Promote = true
	h := newHarness(t, host.NS, c)
	h.mustSet("VI_1", true)
	if v := host.Output("cat", "/proc/sys/net/ipv4/conf/eth0/promote_secondaries"); v != "1\n" {
		t.Errorf("promote_secondaries is %q", v)
	}
	h.mustSet("VI_1", false)
}
