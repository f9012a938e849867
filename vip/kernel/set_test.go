package kernel

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"baton/internal/mono"
	"baton/internal/nettest"
	"baton/vip"
)

func TestSetReadsBack(t *testing.T) {
	host := nettest.NewSwitch(t).Host("a", "10.0.0.1/24")
	c := instance("VI_1", "10.0.0.9/24", "10.0.0.8/32", "10.0.0.7/24")
	c.Addresses[2].Label = "eth0:vip"
	c.Addresses[2].Broadcast = netip.MustParseAddr("10.0.0.255")
	c.Addresses[1].Scope = 200 // a secondary must have the scope of the first of its subnet
	h := newHarness(t, host.NS, c)
	routes := host.IP("route", "show", "table", "all", "type", "unicast")

	held := []string{
		"10.0.0.8/32 ours scope=200 leased", "10.0.0.1/24", // the kernel lists narrower scopes first
		"10.0.0.9/24 ours secondary leased", "10.0.0.7/24 ours secondary label=eth0:vip brd=10.0.0.255 leased",
	}
	h.mustSet("VI_1", true)
	expectAddrs(t, host.NS, held...)
	h.mustSet("VI_1", true) // idempotent
	now := mono.Now()
	for i := range 4 {
		h.tick(now.Add(time.Duration(i+1) * vip.LeaseRenew))
	}
	expectAddrs(t, host.NS, held...)

	if s := h.Status()[0]; !s.Held || s.Renewed < now || s.Error != "" || s.Remaining(s.Renewed) != vip.LeaseValid {
		t.Errorf("status: %+v", s)
	}
	if got := host.IP("route", "show", "table", "all", "type", "unicast"); got != routes {
		t.Errorf("routes changed from\n%sto\n%s", routes, got)
	}

	h.mustSet("VI_1", false)
	expectAddrs(t, host.NS, "10.0.0.1/24")
	h.mustSet("VI_1", false)
	if s := h.Status()[0]; s.Held || h.Deadline() != mono.Never {
		t.Errorf("after Set(false): deadline %v, status %+v", h.Deadline(), s)
	}
	if got := host.IP("route", "show", "table", "all", "type", "unicast"); got != routes {
		t.Errorf("routes changed from\n%sto\n%s", routes, got)
	}
}

// An address in a subnet of its own brings the subnet's route and takes it along.
func TestSubnetRoute(t *testing.T) {
	host := nettest.NewSwitch(t).Host("a", "10.0.0.1/24")
	h := newHarness(t, host.NS, instance("VI_1", "192.0.2.9/24"))
	before := host.IP("route")
	h.mustSet("VI_1", true)
	if r := host.IP("route"); !strings.Contains(r, "192.0.2.0/24 dev eth0") {
		t.Errorf("no route to the subnet of the virtual address:\n%s", r)
	}
	h.mustSet("VI_1", false)
	if r := host.IP("route"); r != before {
		t.Errorf("routes before\n%sand after\n%s", before, r)
	}
}

func TestForeignAddressIsNeverTouched(t *testing.T) {
	for _, foreign := range []string{"10.0.0.9/24", "10.0.0.9/32"} {
		t.Run(foreign, func(t *testing.T) {
			host := nettest.NewSwitch(t).Host("a", foreign)
			h := newHarness(t, host.NS, instance("VI_1", "10.0.0.9/24"))
			err := h.set("VI_1", true)
			if err == nil || !strings.Contains(err.Error(), "10.0.0.9/24 is on eth0 already and was not put there by baton") {
				t.Fatalf("Set: %v", err)
			}
			h.tick(mono.Now().Add(vip.LeaseRenew))
			expectAddrs(t, host.NS, foreign)
			h.mustSet("VI_1", false)
			var removed []string
			host.Do(func() { removed, err = Release() })
			if len(removed) > 0 || err != nil {
				t.Errorf("Release: %v, %v", removed, err)
			}
			expectAddrs(t, host.NS, foreign)
		})
	}
}

// Somebody takes our address over by hand while we hold it: it is theirs now.
func TestAddressMadePermanentByHand(t *testing.T) {
	host := nettest.NewSwitch(t).Host("a", "10.0.0.1/24")
	h := newHarness(t, host.NS, instance("VI_1", "10.0.0.9/24"))
	h.mustSet("VI_1", true)
	host.IP("addr", "change", "10.0.0.9/24", "dev", "eth0")
	h.tick(h.Deadline())
	if s := h.Status()[0]; !strings.Contains(s.Error, "was not put there by baton") {
		t.Errorf("status: %+v", s)
	}
	h.mustSet("VI_1", false)
	if got := strings.Join(addrs(t, host.NS), ", "); !strings.HasPrefix(got, "10.0.0.1/24, 10.0.0.9/24") || strings.Contains(got, "leased") {
		t.Errorf("eth0 has %s", got)
	}
}

// The kernel removes all addresses of a subnet with the first one, unless told
// otherwise.
func TestNeighboursOutliveTheFirstOfTheirSubnet(t *testing.T) {
	host := nettest.NewSwitch(t).Host("a")
	h := newHarness(t, host.NS, instance("VI_1", "10.0.0.9/24"), instance("VI_2", "10.0.0.10/24"))
	if v := host.Output("cat", "/proc/sys/net/ipv4/conf/eth0/promote_secondaries", "/proc/sys/net/ipv4/conf/all/promote_secondaries"); v != "0\n0\n" {
		t.Fatalf("promote_secondaries is set from the start (%q): the test shows nothing", v)
	}
	h.mustSet("VI_1", true)
	if v := host.Output("cat", "/proc/sys/net/ipv4/conf/eth0/promote_secondaries"); v != "1\n" {
		t.Errorf("promote_secondaries is %q as soon as the address stands, want 1", v)
	}
	h.mustSet("VI_2", true)
	host.IP("addr", "add", "10.0.0.5/24", "dev", "eth0")
	expectAddrs(t, host.NS, "10.0.0.9/24 ours leased", "10.0.0.10/24 ours secondary leased", "10.0.0.5/24 secondary")

	h.mustSet("VI_1", false)
	expectAddrs(t, host.NS, "10.0.0.10/24 ours leased", "10.0.0.5/24 secondary")

	host.Sysctl("net.ipv4.conf.eth0.promote_secondaries", "0") // somebody resets it
	h.mustSet("VI_2", false)
	expectAddrs(t, host.NS, "10.0.0.5/24")
	if r := host.IP("route"); !strings.Contains(r, "10.0.0.0/24 dev eth0") || !strings.Contains(r, "src 10.0.0.5") {
		t.Errorf("the neighbour lost its route:\n%s", r)
	}
}

func TestInterfaceMissing(t *testing.T) {
	sw := nettest.NewSwitch(t)
	host := sw.Host("a", "10.0.0.1/24")
	host.IP("link", "del", "eth0")
	h := newHarness(t, host.NS, instance("VI_1", "10.0.0.9/24"))
	if err := h.set("VI_1", true); err == nil || !strings.Contains(err.Error(), "interface eth0 does not exist") {
		t.Fatalf("Set: %v", err)
	}
	h.mustSet("VI_1", false) // nothing can be there
	host.Rewire()
	h.mustSet("VI_1", true)
	expectAddrs(t, host.NS, "10.0.0.9/24 ours leased")

	// The interface goes with the address on it, while held and while let go.
	host.IP("link", "del", "eth0")
	h.tick(h.Deadline())
	if s := h.Status()[0]; !strings.Contains(s.Error, "interface eth0 does not exist") {
		t.Errorf("status: %+v", s)
	}
	h.mustSet("VI_1", false)
	if s := h.Status()[0]; s.Error != "" || s.Held {
		t.Errorf("status: %+v", s)
	}
}

func TestNewRefuses(t *testing.T) {
	for _, c := range []struct {
		cfgs []vip.Config
		want string
	}{
		{[]vip.Config{instance("VI_6", "::ffff:10.0.0.1/128")}, "cannot be a virtual address"},
		{[]vip.Config{instance("VI_1", "10.0.0.9/24"), instance("VI_2", "10.0.0.9/24")}, "belongs to vrrp_instance VI_1 already"},
	} {
		if _, err := New(c.cfgs, nil); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("New(%v) = %v, want %q", c.cfgs, err, c.want)
		}
	}
}
