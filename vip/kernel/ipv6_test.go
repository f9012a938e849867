package kernel

import (
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"testing"

	"baton/internal/mono"
	"baton/internal/nettest"
	"baton/internal/sys"
	"baton/vip"

	"github.com/google/go-cmp/cmp"
	"github.com/vishvananda/netlink"
)

// find6 returns an IPv6 address of eth0 as the kernel has it; nil: it has not.
func find6(t *testing.T, ns *nettest.NS, prefix string) *netlink.Addr {
	t.Helper()
	var found *netlink.Addr
	ns.Do(func() {
		link, err := netlink.LinkByName("eth0")
		if err != nil {
			t.Fatal(err)
		}
		list, err := netlink.AddrList(link, netlink.FAMILY_V6)
		if err != nil {
			t.Fatal(err)
		}
		for i := range list {
			if prefixOf(&list[i]).String() == prefix {
				found = &list[i]
			}
		}
	})
	return found
}

// TestIPv6: leased, ours, usable at once, announced; the subnet's route is the
// host's own and stays that.
func TestIPv6(t *testing.T) {
	sw := nettest.NewSwitch(t)
	host, peer := sw.Host("a"), sw.Host("b")
	host.IP("addr", "add", "2001:db8::1/64", "dev", "eth0", "nodad")
	peer.IP("addr", "add", "2001:db8::2/64", "dev", "eth0", "nodad")
	h := newHarness(t, host.NS, instance("VI_6", "fe80::51/64", "2001:db8::9/64", "2001:db8::10/128", "2001:db8:1::9/64"))
	links := h.watch()
	awaitLink(t, links, func(l Link) bool { return l.Local.IsValid() }) // DAD is over, nothing else changes
	h.mustSet("VI_6", true)

	routes := func() string { return host.Output("ip", "-6", "route", "show", "2001:db8::/64") }
	before := routes()
	now := mono.Now()
	for range 3 { // renewals go another way through the kernel
		now = now.Add(vip.LeaseRenew)
		h.tick(now)
	}
	for prefix, preferred := range map[string]int{
		"fe80::51/64": 3, "2001:db8::9/64": 3, "2001:db8::10/128": 0, "2001:db8:1::9/64": 3,
	} {
		a := find6(t, host.NS, prefix)
		if a == nil {
			t.Fatalf("the kernel does not have %s", prefix)
		}
		if !ours(a) || a.Flags&sys.AddrTentative != 0 || a.ValidLft < 1 || a.ValidLft > 3 || a.PreferedLft > preferred {
			t.Errorf("%s: %+v", prefix, a)
		}
	}
	if strings.Contains(routes(), "expires") || routes() != before {
		t.Errorf("the route that the host needs changed:\n%s%s", before, routes())
	}
	if s := h.Status()[0]; !s.Held || s.Error != "" {
		t.Errorf("status: %+v", s)
	}
	// Nobody had to be asked: the peer reaches the address at once.
	peer.Do(func() {
		_, err := net.DialTimeout("tcp6", "[2001:db8::9]:9", patienceInTests)
		if !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("no answer from the address: %v", err)
		}
	})

	seen := peer.Capture("eth0", 0x86dd)
	h.announce("VI_6", now)
	hw := [6]byte(hardwareAddr(t, host.NS))
	for range 5 { // they take turns
		for _, a := range []string{"fe80::51", "2001:db8::9", "2001:db8::10", "2001:db8:1::9"} {
			want := vip.AppendNA(nil, hw, netip.MustParseAddr(a), false)
			got := seen.Next(func(f []byte) bool { return f[20] == 58 && f[54] == 136 && string(f[:6]) == string(want[:6]) })
			if d := cmp.Diff(want, got); d != "" {
				t.Fatalf("advertisement on the wire (-want +got):\n%s", d)
			}
		}
	}
	host.Sysctl("net.ipv6.conf.eth0.forwarding", "1")
	h.tick(now.Add(vip.DefaultSchedule().Again))
	f := seen.Next(func(f []byte) bool { return f[20] == 58 && f[54] == 136 && f[53] == 1 })
	if f[58] != 0xa0 {
		t.Errorf("flags of a router's advertisement: %x", f[58])
	}

	// What somebody deletes comes back.
	host.IP("-6", "addr", "del", "2001:db8::10/128", "dev", "eth0")
	awaitLink(t, links, func(Link) bool { return h.lost.Load() })
	h.tick(now)
	if find6(t, host.NS, "2001:db8::10/128") == nil {
		t.Error("a deleted address is not back")
	}
	h.mustSet("VI_6", false)
	for _, prefix := range []string{"fe80::51/64", "2001:db8::9/64", "2001:db8::10/128", "2001:db8:1::9/64"} {
		if a := find6(t, host.NS, prefix); a != nil {
			t.Errorf("still there: %+v", a)
		}
	}
	if routes() != before {
		t.Errorf("the route that the host needs changed:\n%s%s", before, routes())
	}
}

// TestIPv6Orphans: what a dead process left is found.
func TestIPv6Orphans(t *testing.T) {
	host := nettest.NewSwitch(t).Host("a")
	h := newHarness(t, host.NS, instance("VI_6", "2001:db8::9/64"))
	h.mustSet("VI_6", true)
	other := newHarness(t, host.NS)
	host.Do(func() {
		removed, err := other.RemoveOrphans()
		if err != nil || len(removed) != 1 || removed[0] != "2001:db8::9/64" {
			t.Errorf("removed %v, %v", removed, err)
		}
	})
	if a := find6(t, host.NS, "2001:db8::9/64"); a != nil {
		t.Errorf("still there: %+v", a)
	}
}

// TestWatchLinkLocal: the address to send IPv6 adverts from is told when it may be
// used, and a virtual one is none.
func TestWatchLinkLocal(t *testing.T) {
	host := nettest.NewSwitch(t).Host("a")
	host.IP("addr", "flush", "dev", "eth0")
	h := newHarness(t, host.NS, instance("VI_6", "fe80::51/64"))
	links := h.watch()
	awaitLink(t, links, func(l Link) bool { return l.Up && !l.Local.IsValid() })
	h.mustSet("VI_6", true)
	host.IP("-6", "addr", "add", "fe80::a/64", "dev", "eth0", "scope", "link") // with DAD
	l := awaitLink(t, links, func(l Link) bool { return l.Local.IsValid() })
	if l.Local.String() != "fe80::a" || find6(t, host.NS, "fe80::a/64").Flags&sys.AddrTentative != 0 {
		t.Errorf("told %+v", l)
	}
}

// What an address is told to be it is, and stays it when its lease is renewed.
func TestAddressOptions(t *testing.T) {
	host := nettest.NewSwitch(t).Host("a", "10.0.0.1/24")
	c := instance("VI_1", "192.0.2.9/24", "2001:db8:1::9/64", "2001:db8:2::9/64", "2001:db8:3::9/64", "2001:db8:4::9/128", "2001:db8:5::9/64", "2001:db8:6::9/128")
	c.Addresses[0].NoPrefixRoute = true
	c.Addresses[1].NoPrefixRoute = true
	c.Addresses[2].Home = true
	c.Addresses[3].TempAddresses = true
	c.Addresses[4].Preference = vip.Preferred
	c.Addresses[5].Preference = vip.Deprecated
	h := newHarness(t, host.NS, c)
	shown := func() string {
		var lines []string
		for line := range strings.Lines(host.IP("-o", "address", "show", "dev", "eth0")) {
			if f := strings.Fields(line); f[3] != "10.0.0.1/24" && !strings.HasPrefix(f[3], "fe80:") {
				at := slices.Index(f, "scope")
				lines = append(lines, f[3]+" "+strings.TrimSuffix(strings.Join(f[at+2:slices.Index(f, "valid_lft")], " "), `\`))
			}
		}
		slices.Sort(lines)
		return strings.Join(lines, "\n")
	}
	want := strings.Join([]string{
		"192.0.2.9/24 dynamic noprefixroute eth0",
		"2001:db8:1::9/64 nodad dynamic noprefixroute ",
		"2001:db8:2::9/64 nodad home dynamic ",
		"2001:db8:3::9/64 nodad dynamic mngtmpaddr ",
		"2001:db8:4::9/128 nodad dynamic ",
		"2001:db8:5::9/64 nodad deprecated dynamic ",
		"2001:db8:6::9/128 nodad deprecated dynamic ",
	}, "\n")
	h.mustSet("VI_1", true)
	if d := cmp.Diff(want, shown()); d != "" {
		t.Error(d)
	}
	h.tick(mono.Now().Add(vip.LeaseRenew))
	if d := cmp.Diff(want, shown()); d != "" {
		t.Errorf("renewed: %s", d)
	}
	h.ns.Do(func() {
		h.list("")
		for _, st := range vip.Diff(h.have.list, h.keeper.Want(nil)) {
			if st.Op != vip.Renew {
				t.Errorf("%v %v", st.Op, st.Prefix)
			}
		}
	})
	if got := host.IP("route"); strings.Contains(got, "192.0.2.0") {
		t.Errorf("a route to the network all the same:\n%s", got)
	}
}
