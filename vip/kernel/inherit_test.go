package kernel

import (
	"strings"
	"testing"

	"baton/internal/mono"
	"baton/internal/nettest"
	"baton/vip"

	"github.com/vishvananda/netlink"
)

// The Manager of a new configuration keeps what stays, adds what is new and removes
// what is gone, also where an interface is not in the configuration any more.
func TestInherit(t *testing.T) {
	host := nettest.NewSwitch(t).Host("a", "10.0.0.1/24")
	one := instance("VI_1", "10.0.0.9/24", "10.0.0.8/32")
	one.Addresses = append(one.Addresses, vip.Address{Prefix: one.Addresses[1].Prefix, Interface: "lo"})
	old := newHarness(t, host.NS, one, instance("VI_2", "10.0.0.20/32"))
	old.mustSet("VI_1", true)
	host.Do(func() { old.Announce("VI_1", false, mono.Now()) })
	before := old.Status()[0]

	renamed := instance("VI_9", "10.0.0.9/24", "10.0.0.7/32")
	h := newHarness(t, host.NS, instance("VI_2", "10.0.0.20/32"), renamed)
	removed := make(chan string, 16)
	stop := make(chan struct{})
	defer close(stop)
	host.Do(func() {
		updates := make(chan netlink.AddrUpdate, 16)
		if err := netlink.AddrSubscribe(updates, stop); err != nil {
			t.Fatal(err)
		}
		go func() {
			for u := range updates {
				if !u.NewAddr {
					removed <- u.LinkAddress.String()
				}
			}
			close(removed)
		}()
	})
	h.Succeed(old.Manager)
	host.Do(func() { h.Inherit(mono.Now(), old.Manager, map[string]string{"VI_9": "VI_1", "VI_2": "VI_2"}) })
	expectAddrs(t, host.NS, "10.0.0.1/24", "10.0.0.7/32 ours leased", "10.0.0.9/24 ours secondary leased")
	if out := host.IP("address", "show", "dev", "lo"); strings.Contains(out, "10.0.0.8") {
		t.Errorf("left on an interface that is no more in the configuration:\n%s", out)
	}
	for range 2 {
		if a := <-removed; a != "10.0.0.8/32" {
			t.Errorf("%s was removed for a moment", a)
		}
	}
	after := h.Status()
	if after[0].Held || !after[1].Held || after[1].Addresses[0].Since != before.Addresses[0].Since || after[1].Announced < before.Announced {
		t.Errorf("before %+v\nafter %+v", before, after)
	}
	h.mustSet("VI_9", false)
	expectAddrs(t, host.NS, "10.0.0.1/24")
}
