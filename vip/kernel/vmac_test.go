package kernel

import (
	"strings"
	"testing"

	"baton/internal/mono"
	"baton/internal/nettest"
	"baton/vip"
)

// onVMAC is an instance whose address stands on a macvlan.
func onVMAC(addr string) vip.Config {
	c := instance("VI_1", addr)
	c.VMAC = vip.VMAC{Name: "vrrp.51", Base: "eth0", Hardware: [6]byte{0, 0, 0x5e, 0, 1, 51}}
	c.Addresses[0].Interface = "vrrp.51"
	return c
}

// The instance's own, or that of an address.
func TestVMAC(t *testing.T) {
	own := onVMAC("10.0.0.9/24")
	other := own
	other.VMAC, other.Others = vip.VMAC{}, []vip.VMAC{own.VMAC}
	t.Run("use_vmac", func(t *testing.T) { testVMAC(t, own) })
	t.Run("use_vmac_addr", func(t *testing.T) { testVMAC(t, other) })
}

func testVMAC(t *testing.T, c vip.Config) {
	sw := nettest.NewSwitch(t)
	host, peer := sw.Host("a", "10.0.0.1/24"), sw.Host("b", "10.0.0.2/24")
	h := newHarness(t, host.NS, c)
	host.Do(func() {
		if err := h.MakeVMACs(); err != nil {
			t.Fatal(err)
		}
	})
	link := func() string { return host.IP("-d", "link", "show", "vrrp.51") }
	if l := link(); !strings.Contains(l, "00:00:5e:00:01:33") || !strings.Contains(l, "macvlan mode vepa") || strings.Contains(l, "UP") {
		t.Errorf("at first:\n%s", l)
	}
	frames := peer.Capture("eth0", 0x0806)
	h.mustSet("VI_1", true)
	h.announce("VI_1", mono.Now())
	want := gratuitous([]byte{0, 0, 0x5e, 0, 1, 51}, "10.0.0.9")
	if f := frames.Next(isGratuitous("10.0.0.9")); string(f[:42]) != string(want[:42]) {
		t.Errorf("announced by %x", f)
	}
	host.Do(func() { // another hardware address, under the same name
		other := vip.VMAC{Name: "vrrp.51", Base: "eth0", Hardware: [6]byte{2, 0, 0, 0, 0, 1}}
		if _, err := h.vmac(other); err != nil || !strings.Contains(link(), "02:00:00:00:00:01") {
			t.Errorf("%v\n%s", err, link())
		}
	})
	h.mustSet("VI_1", true)
	h.mustSet("VI_1", false)
	if l := link(); strings.Contains(l, "UP") {
		t.Errorf("up without being master:\n%s", l)
	}
	for _, file := range []string{"eth0/arp_ignore", "vrrp.51/arp_ignore", "vrrp.51/accept_local"} {
		if v := host.Output("cat", "/proc/sys/net/ipv4/conf/"+file); v != "1\n" {
			t.Errorf("%s is %q", file, v)
		}
	}
	host.Do(func() {
		if err := h.End(); err != nil {
			t.Error(err)
		}
	})
	if l := host.IP("link"); strings.Contains(l, "vrrp.51") {
		t.Errorf("left behind:\n%s", l)
	}
	if v := host.Output("cat", "/proc/sys/net/ipv4/conf/eth0/arp_ignore", "/proc/sys/net/ipv4/conf/eth0/arp_announce"); v != "0\n0\n" {
		t.Errorf("arp_ignore and arp_announce of eth0 are %q at the end", v)
	}
}

// Somebody removes the interface, or its base, or sets it down: the master puts it
// back as soon as Watch has told.
func TestVMACComesBack(t *testing.T) {
	host := nettest.NewSwitch(t).Host("a", "10.0.0.1/24")
	h := newHarness(t, host.NS, onVMAC("10.0.0.9/24"))
	told := h.watch()
	awaitLink(t, told, func(l Link) bool { return l.Up })
	h.mustSet("VI_1", true) // makes it too
	ready := func(l Link) bool { return l.Name == "vrrp.51" && l.Up }
	gone := func(l Link) bool { return l.Name == "vrrp.51" && !l.Up }
	awaitLink(t, told, ready)
	for _, breakIt := range [][]string{{"link", "set", "vrrp.51", "down"}, {"link", "del", "vrrp.51"}} {
		host.IP(breakIt...)
		awaitLink(t, told, gone)
		h.tick(h.Deadline())
		awaitLink(t, told, ready)
		h.tick(mono.Now().Add(vip.LeaseRetry))
		if s := h.Status()[0]; s.Error != "" || !s.Held {
			t.Errorf("after %v: %+v", breakIt, s)
		}
		if out := host.IP("addr", "show", "vrrp.51"); !strings.Contains(out, "10.0.0.9/24") {
			t.Errorf("after %v:\n%s", breakIt, out)
		}
	}
	host.IP("link", "del", "eth0")
	awaitLink(t, told, gone)
	h.mustSet("VI_1", false)
	host.Rewire()
	h.mustSet("VI_1", true)
	h.mustSet("VI_1", false)
}

// An interface of that name that we have not made is not ours to use or to remove.
func TestForeignVMAC(t *testing.T) {
	host := nettest.NewSwitch(t).Host("a", "10.0.0.1/24")
	host.IP("link", "add", "vrrp.51", "link", "eth0", "type", "macvlan")
	h := newHarness(t, host.NS, onVMAC("10.0.0.9/24"))
	host.Do(func() {
		for _, err := range []error{h.MakeVMACs(), h.Set("VI_1", true, mono.Now(), nil)} {
			if err == nil || !strings.Contains(err.Error(), "interface vrrp.51 is there and was not made by baton") {
				t.Errorf("%v", err)
			}
		}
		if err := h.End(); err != nil {
			t.Error(err)
		}
	})
	host.IP("link", "show", "vrrp.51")
}
