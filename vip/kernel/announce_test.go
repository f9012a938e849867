package kernel

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"

	"baton/internal/mono"
	"baton/internal/nettest"
	"baton/vip"

	"github.com/google/go-cmp/cmp"
)

// gratuitous builds the frame by hand, from RFC 826 and what keepalived sends.
func gratuitous(hw net.HardwareAddr, ip string) []byte {
	var f []byte
	bcast := []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
	addr := netip.MustParseAddr(ip).As4()
	f = append(f, bcast...)
	f = append(f, hw...)
	f = append(f, 0x08, 0x06)             // EtherType ARP
	f = append(f, 0, 1, 8, 0, 6, 4, 0, 1) // Ethernet, IPv4, lengths 6 and 4, request
	f = append(f, hw...)
	f = append(f, addr[:]...)
	f = append(f, bcast...) // not zeros
	f = append(f, addr[:]...)
	return append(f, make([]byte, 60-len(f))...) // the least that Ethernet carries
}

// isGratuitous matches any gratuitous ARP for an address.
func isGratuitous(ip string) func([]byte) bool {
	want := gratuitous(make(net.HardwareAddr, 6), ip)
	return func(f []byte) bool {
		return len(f) >= 42 && string(f[12:22]) == string(want[12:22]) && string(f[28:42]) == string(want[28:42])
	}
}

func hardwareAddr(t *testing.T, ns *nettest.NS) net.HardwareAddr {
	t.Helper()
	var hw net.HardwareAddr
	ns.Do(func() {
		ifi, err := net.InterfaceByName("eth0")
		if err != nil {
			t.Fatal(err)
		}
		hw = ifi.HardwareAddr
	})
	return hw
}

// notProbe leaves out the questions who else has an address.
func notProbe(f []byte) bool { return string(f[28:32]) != "\x00\x00\x00\x00" }

// The host has no address of its own: arp.New alone would fail.
func TestAnnounceFrames(t *testing.T) {
	sw := nettest.NewSwitch(t)
	host, peer := sw.Host("a"), sw.Host("b", "10.0.0.2/24")
	h := newHarness(t, host.NS, instance("VI_1", "10.0.0.9/24"))
	h.mustSet("VI_1", true)

	seen := peer.Capture("eth0", 0x0806)
	now := mono.Now()
	h.announce("VI_1", now)
	expect := func(count int, sent uint64) {
		t.Helper()
		want := gratuitous(hardwareAddr(t, host.NS), "10.0.0.9")
		for range count {
			if d := cmp.Diff(want, seen.Next(notProbe)); d != "" {
				t.Fatalf("frame on the wire (-want +got):\n%s", d)
			}
		}
		if got := h.Status()[0].Announced; got != sent {
			t.Errorf("sent %d frames, want %d", got, sent)
		}
	}
	expect(5, 5)
	h.tick(now.Add(vip.DefaultSchedule().Again))
	expect(5, 10)
	host.IP("link", "set", "eth0", "address", "02:00:00:00:00:99") // as a bond's failover does
	h.tick(now.Add(vip.DefaultSchedule().Refresh))
	expect(1, 11)
	h.announce("VI_1", now.Add(vip.DefaultSchedule().Refresh)) // a conflict
	expect(5, 16)

	h.mustSet("VI_1", false)
	h.announce("VI_1", now)
	expect(0, 16)
}

// What is kept of an interface for the next announcements ends with its hardware
// address: whether the change is still to be heeded, or has been.
func TestHardwareAddressChanges(t *testing.T) {
	sw := nettest.NewSwitch(t)
	host, peer := sw.Host("a"), sw.Host("b", "10.0.0.2/24")
	c := instance("VI_1", "10.0.0.9/24")
	c.Announce = vip.Schedule{Repeat: 1}
	h := newHarness(t, host.NS, c)
	links := h.watch()
	awaitLink(t, links, func(l Link) bool { return l.Up })
	h.mustSet("VI_1", true)
	seen := peer.Capture("eth0", 0x0806)
	now := mono.Now()
	announced := func() {
		t.Helper()
		h.announce("VI_1", now)
		if d := cmp.Diff(gratuitous(hardwareAddr(t, host.NS), "10.0.0.9"), seen.Next(notProbe)); d != "" {
			t.Errorf("frame on the wire (-want +got):\n%s", d)
		}
	}
	for i := range 4 {
		announced()
		h.stale.Store(false)
		host.IP("link", "set", "eth0", "address", fmt.Sprintf("02:00:00:00:00:%02x", i))
		awaitStale(t, h)
		if i%2 == 1 {
			now = now.Add(vip.LeaseRenew)
			h.tick(now)
		}
	}
	announced()
}

// The interface is made anew under a running Manager: the address comes back on
// the new one and is announced there.
func TestInterfaceRecreated(t *testing.T) {
	sw := nettest.NewSwitch(t)
	host, peer := sw.Host("a"), sw.Host("b", "10.0.0.2/24")
	h := newHarness(t, host.NS, instance("VI_1", "10.0.0.9/24"))
	h.mustSet("VI_1", true)
	h.announce("VI_1", mono.Now()) // opens the socket on the old one
	host.IP("link", "del", "eth0")
	host.Rewire()
	seen := peer.Capture("eth0", 0x0806)
	h.tick(h.Deadline())
	expectAddrs(t, host.NS, "10.0.0.9/24 ours leased")
	got := seen.Next(isGratuitous("10.0.0.9"))
	if d := cmp.Diff(gratuitous(hardwareAddr(t, host.NS), "10.0.0.9"), got); d != "" {
		t.Errorf("frame on the wire (-want +got):\n%s", d)
	}
}

// Loopback is not Ethernet; the address is held all the same, and the log
// says once that nobody hears of it.
func TestNoAnnouncementOnLoopback(t *testing.T) {
	ns := nettest.NewNS(t, "lo")
	c := instance("VI_1", "10.0.0.9/32")
	c.Addresses[0].Interface = "lo"
	h := newHarness(t, ns, c)
	h.watch()
	h.mustSet("VI_1", true)
	h.announce("VI_1", mono.Now())
	h.announce("VI_1", mono.Now())
	if s := h.Status()[0]; !s.Held || s.Announced != 0 {
		t.Errorf("status: %+v", s)
	}
	awaitLog(t, h, "is not Ethernet")
	if n := strings.Count(h.log.String(), "is not Ethernet"); n != 1 {
		t.Errorf("logged %d times:\n%s", n, h.log)
	}
}

// garp_form: the other form differs in the operation alone.
func TestARPForms(t *testing.T) {
	sw := nettest.NewSwitch(t)
	host, peer := sw.Host("a"), sw.Host("b", "10.0.0.2/24")
	c := instance("VI_1", "10.0.0.9/24")
	c.Announce = vip.Schedule{Repeat: 2, RefreshRepeat: 1, Form: vip.ARPBoth}
	h := newHarness(t, host.NS, c)
	h.mustSet("VI_1", true)
	seen := peer.Capture("eth0", 0x0806)
	h.announce("VI_1", mono.Now())
	for i := range 4 {
		want := gratuitous(hardwareAddr(t, host.NS), "10.0.0.9")
		want[21] = []byte{1, 2}[i%2]
		if d := cmp.Diff(want, seen.Next(notProbe)); d != "" {
			t.Fatalf("frame %d (-want +got):\n%s", i, d)
		}
	}
}
