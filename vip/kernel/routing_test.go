package kernel

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"baton/internal/mono"
	"baton/internal/nettest"
	"baton/vip"
)

// routed is an instance with every shape of route and rule.
func routed() vip.Config {
	c := instance("VI_1", "10.0.0.9/24", "2001:db8::9/64")
	addr, net := netip.MustParseAddr, netip.MustParsePrefix
	c.Routes = []vip.Route{
		{Kind: vip.Unicast, To: net("10.1.0.0/16"), Hop: vip.Hop{Via: addr("10.0.0.2")}, Source: addr("10.0.0.9"), Table: vip.TableMain, Metrics: vip.Metrics{MTU: 1400, AdvMSS: 1000, HopLimit: 9, Window: 65000, Reordering: 5, InitCwnd: 20, InitRwnd: 30, QuickAck: 1}},
		{Kind: vip.Unicast, To: net("0.0.0.0/0"), Hop: vip.Hop{Via: addr("192.0.2.1"), Interface: "eth0", OnLink: true}, Table: 1000, Metric: 5},
		{Kind: vip.Unicast, To: net("10.2.0.0/16"), Hop: vip.Hop{Interface: "eth0"}, Table: vip.TableMain},
		{Kind: vip.Unicast, To: net("10.3.0.0/16"), Hops: []vip.Hop{{Via: addr("10.0.0.2"), Weight: 2}, {Via: addr("10.0.0.3"), Interface: "eth0"}}, Table: vip.TableMain},
		{Kind: vip.Blackhole, To: net("0.0.0.0/0"), Table: 7},
		{Kind: vip.Unicast, To: net("10.4.0.0/16"), Hop: vip.Hop{Via: addr("10.0.0.2")}, TOS: 4, Realms: 16<<16 | 32, Table: vip.TableMain, Metrics: vip.Metrics{
			RTT: 16000, RTTVar: 2000, Cwnd: 106, SSThresh: 107, RTOMin: 1500, RTOMinLock: true, Features: vip.FeatureECN, NoCookie: 1, Congestion: "reno",
		}},
		{Kind: vip.Unicast, To: net("10.5.0.0/16"), Hop: vip.Hop{Via: addr("10.0.0.2")}, Table: vip.TableMain, Metrics: vip.Metrics{MTU: 1400, MTULock: true}},
		{Kind: vip.Unicast, To: net("2001:db8:1::/48"), Hop: vip.Hop{Via: addr("2001:db8::2")}, Table: vip.TableMain, Source: addr("2001:db8::9")},
		{Kind: vip.Unicast, To: net("2001:db8:3::/48"), Hops: []vip.Hop{{Via: addr("2001:db8::2"), Weight: 2}, {Via: addr("2001:db8::3")}}, Table: vip.TableMain},
		{Kind: vip.Unreachable, To: net("::/0"), Table: 7, Metric: 4000},
	}
	c.Rules = []vip.Rule{
		{Kind: vip.Unicast, From: net("10.0.0.9/32"), Table: 1000, Priority: 50},
		{Kind: vip.Unicast, Not: true, To: net("10.9.0.0/16"), In: "eth0", Out: "lo", Mark: 16, Mask: 255, TOS: 16, Table: 7, Priority: 51, Suppress: 1},
		{Kind: vip.Prohibit, IPv6: true, Mark: 3, Mask: 0xffffffff, Priority: 52},
	}
	return c
}

// ofOurs lists the kernel's routes and rules with our mark.
func ofOurs(t *testing.T, ns *nettest.NS) (out []string) {
	t.Helper()
	for _, args := range [][]string{
		{"-4", "route", "show", "table", "all", "proto", "66"},
		{"-6", "route", "show", "table", "all", "proto", "66"},
		{"-4", "rule"},
		{"-6", "rule"},
	} {
		for line := range strings.Lines(ns.IP(args...)) {
			if args[1] == "route" || strings.Contains(line, "proto 66") {
				out = append(out, strings.Join(strings.Fields(line), " "))
			}
		}
	}
	return out
}

// awaitLocalRoute waits until the kernel has made all routes of a new IPv6 address: it
// does so in its own time.
func awaitLocalRoute(t *testing.T, ns *nettest.NS) {
	t.Helper()
	for end := time.Now().Add(patienceInTests); !strings.Contains(ns.IP("-6", "route", "show", "table", "local"), "local 2001:db8::1 "); {
		if time.Now().After(end) {
			t.Fatal("the kernel makes no route to 2001:db8::1")
		}
	}
}

func TestRoutesAndRulesMove(t *testing.T) {
	host := nettest.NewSwitch(t).Host("a", "10.0.0.1/24", "2001:db8::1/64")
	awaitLocalRoute(t, host.NS)
	h := newHarness(t, host.NS, routed())
	routes, rules := host.IP("route", "show", "table", "all"), host.IP("rule")+host.IP("-6", "rule")
	h.mustSet("VI_1", true)
	if s := h.Status()[0]; s.Error != "" {
		t.Fatalf("status: %s", s.Error)
	}
	held := ofOurs(t, host.NS)
	// Eight lines of IPv4 (the ways of 10.3.0.0/16 count), three with two ways of IPv6, three rules.
	for _, want := range []string{
		"10.1.0.0/16 via 10.0.0.2 dev eth0 src 10.0.0.9 mtu 1400 window 65000 advmss 1000 reordering 5 hoplimit 9 initcwnd 20 initrwnd 30 quickack 1",
		"10.4.0.0/16 tos 0x04 via 10.0.0.2 dev eth0 realms 16/32 rtt 2s rttvar 500ms ssthresh 107 cwnd 106 features ecn rto_min lock 1.5s congctl reno fastopen_no_cookie 1",
		"10.5.0.0/16 via 10.0.0.2 dev eth0 mtu lock 1400",
		"default via 192.0.2.1 dev eth0 table 1000 metric 5 onlink",
		"10.2.0.0/16 dev eth0 scope link",
		"blackhole default table 7",
		"2001:db8:1::/48 via 2001:db8::2 dev eth0 src 2001:db8::9 metric 1024 pref medium",
		"50: from 10.0.0.9 lookup 1000 proto 66",
		"51: not from all to 10.9.0.0/16 tos 0x10 fwmark 0x10/0xff iif eth0 oif lo lookup 7 suppress_prefixlength 0 proto 66",
		"52: from all fwmark 0x3 prohibit proto 66",
	} {
		if !slices.Contains(held, want) {
			t.Errorf("%q is not among\n%s", want, strings.Join(held, "\n"))
		}
	}
	h.ns.Do(func() { // what the kernel tells is what we wanted: nothing to do
		have, err := h.listRoutes()
		if err != nil {
			t.Fatal(err)
		}
		remove, add := vip.DiffRoutes(have, h.cfgs[0].Routes)
		if len(remove)+len(add) > 0 {
			t.Errorf("remove %v, add %v", remove, add)
		}
		rules, err := listRules()
		if err != nil {
			t.Fatal(err)
		}
		if remove, add := vip.DiffRules(rules, h.cfgs[0].Rules); len(remove)+len(add) > 0 {
			t.Errorf("remove %v, add %v", remove, add)
		}
	})
	h.mustSet("VI_1", false)
	if now := ofOurs(t, host.NS); len(now) > 0 {
		t.Errorf("left behind: %q", now)
	}
	if got := host.IP("route", "show", "table", "all"); got != routes {
		t.Errorf("routes before\n%sand after\n%s", routes, got)
	}
	if got := host.IP("rule") + host.IP("-6", "rule"); got != rules {
		t.Errorf("rules before\n%sand after\n%s", rules, got)
	}
}

// A route goes where it is told to: in front of somebody else's, behind it, or not at all.
func TestRoutePlaces(t *testing.T) {
	host := nettest.NewSwitch(t).Host("a", "10.0.0.1/24")
	c := instance("VI_1", "10.0.0.9/24")
	for n, place := range []vip.Place{vip.First, vip.Last, vip.Alone} {
		to := fmt.Sprintf("10.%d.0.0/16", n+1)
		host.IP("route", "add", to, "via", "10.0.0.7")
		c.Routes = append(c.Routes, vip.Route{
			Kind: vip.Unicast, To: netip.MustParsePrefix(to), Hop: vip.Hop{Via: netip.MustParseAddr("10.0.0.2")}, Table: vip.TableMain, Place: place,
		})
	}
	h := newHarness(t, host.NS, c)
	h.mustSet("VI_1", true)
	for to, via := range map[string]string{"10.1.0.1": "10.0.0.2", "10.2.0.1": "10.0.0.7", "10.3.0.1": "10.0.0.7"} {
		if got := host.IP("route", "get", to); !strings.Contains(got, "via "+via) {
			t.Errorf("%s: want via %s, got %s", to, via, got)
		}
	}
	if got := ofOurs(t, host.NS); len(got) != 2 {
		t.Errorf("ours: %q", got)
	}
	if s := h.Status()[0]; !strings.HasPrefix(s.Error, "add route 10.3.0.0/16 via 10.0.0.2: file exists") {
		t.Errorf("error %q", s.Error)
	}
}

// Somebody else's route to the same destination stays, covered by ours while we
// are master; with IPv6, where both cannot be, theirs stays and the error says so.
func TestForeignRoutesStay(t *testing.T) {
	host := nettest.NewSwitch(t).Host("a", "10.0.0.1/24", "2001:db8::1/64")
	awaitLocalRoute(t, host.NS)
	host.IP("route", "add", "10.1.0.0/16", "via", "10.0.0.7")
	host.IP("route", "add", "2001:db8:1::/48", "via", "2001:db8::7")
	host.IP("rule", "add", "from", "10.0.0.9", "table", "1000", "priority", "50")
	before := host.IP("route") + host.IP("-6", "route") + host.IP("rule")
	c := routed()
	c.Rules = slices.Delete(c.Rules, 1, 2) // it leads all that there is into a blackhole
	h := newHarness(t, host.NS, c)
	h.mustSet("VI_1", true)
	if got := host.IP("route", "get", "10.1.2.3"); !strings.Contains(got, "via 10.0.0.2") {
		t.Errorf("our route does not count: %s", got)
	}
	if got := host.IP("-6", "route", "get", "2001:db8:1::3"); !strings.Contains(got, "via 2001:db8::7") {
		t.Errorf("their route does not count: %s", got)
	}
	want := "add route 2001:db8:1::/48 via 2001:db8::2 src 2001:db8::9: file exists: there is one already that was not put there by baton"
	if s := h.Status()[0]; !strings.HasPrefix(s.Error, want) || strings.Contains(s.Error, "\n") {
		t.Errorf("status: %s, want only %q", s.Error, want)
	}
	h.mustSet("VI_1", false)
	if got := host.IP("route") + host.IP("-6", "route") + host.IP("rule"); got != before {
		t.Errorf("before\n%sand after\n%s", before, got)
	}
}

// Routes that somebody removes, or that go with their interface, are put back when
// Watch has told.
func TestLostRoutesComeBack(t *testing.T) {
	host := nettest.NewSwitch(t).Host("a", "10.0.0.1/24", "2001:db8::1/64")
	awaitLocalRoute(t, host.NS)
	c := routed()
	c.Addresses = c.Addresses[:1]
	c.Routes = c.Routes[:4] // the kernel keeps these apart from IPv6, whose addresses go with the link
	h := newHarness(t, host.NS, c)
	told := h.watch()
	awaitLink(t, told, func(l Link) bool { return l.Up })
	h.mustSet("VI_1", true)
	held := ofOurs(t, host.NS)
	back := func(what string) {
		t.Helper()
		for now := ofOurs(t, host.NS); !slices.Equal(now, held); now = ofOurs(t, host.NS) {
			awaitLink(t, told, func(Link) bool { return true }) // it wakes the thread
			h.tick(mono.Now())
		}
		if t.Failed() {
			t.Fatal(what)
		}
	}
	host.IP("route", "del", "10.1.0.0/16", "proto", "66")
	back("a deleted route")
	host.IP("rule", "del", "priority", "50")
	back("a deleted rule")
	host.IP("link", "set", "eth0", "down")
	awaitLink(t, told, func(l Link) bool { return !l.Up })
	h.tick(mono.Now())
	host.IP("link", "set", "eth0", "up")
	back("an interface that was down")
	h.mustSet("VI_1", false)
}

// Those that went while nobody listened are looked for as soon as somebody does again.
func TestRoutesLostUnwatched(t *testing.T) {
	host := nettest.NewSwitch(t).Host("a", "10.0.0.1/24")
	c := instance("VI_1", "10.0.0.9/24")
	c.Routes = routed().Routes[:1]
	h := newHarness(t, host.NS, c)
	h.mustSet("VI_1", true)
	host.IP("route", "del", "10.1.0.0/16", "proto", "66")
	if h.tick(mono.Now()); h.routing.lost.Load() {
		t.Fatal("known without Watch")
	}
	stopped, stop := context.WithCancel(t.Context())
	stop() // so it reads nothing
	woken := 0
	w := &watcher{m: h.Manager, nl: h.nl, last: map[string]Link{}, fn: func(Link) { woken++ }}
	host.Do(func() {
		sock, err := h.subscribe()
		if err != nil {
			t.Fatal(err)
		}
		_ = w.follow(stopped, sock)
	})
	if !h.routing.lost.Load() || woken != 2 {
		t.Errorf("routes are not looked for, the thread was woken %d times", woken)
	}
	h.tick(mono.Now())
	if got := ofOurs(t, host.NS); len(got) != 1 {
		t.Errorf("have %q", got)
	}
}

// Static ones stand after the first Tick, and go at the end.
func TestStatic(t *testing.T) {
	host := nettest.NewSwitch(t).Host("a")
	c := routed()
	c.Instance, c.Static, c.Addresses = "static", true, append(c.Addresses, vip.Address{Prefix: netip.MustParsePrefix("10.0.0.1/24")})
	h := newHarness(t, host.NS, instance("VI_1", "10.0.0.5/24"), c)
	told := h.watch()
	if d := h.Deadline(); d != 0 {
		t.Errorf("first deadline %v", d)
	}
	h.tick(mono.Now())
	if s := h.Status()[1]; !s.Held || s.Error != "" {
		t.Errorf("status: %+v", s)
	}
	if n := len(ofOurs(t, host.NS)); n < 10 {
		t.Errorf("%d lines of routes and rules", n)
	}
	// Adverts may be sent from a static address.
	awaitLink(t, told, func(l Link) bool { return l.Primary.IsValid() })
	h.mustSet("VI_1", true)
	h.mustSet("VI_1", false)
	if s := h.Status()[1]; !s.Held {
		t.Errorf("after an instance came and went: %+v", s)
	}
	h.ns.Do(func() {
		if err := h.End(); err != nil {
			t.Error(err)
		}
	})
	if now := ofOurs(t, host.NS); len(now) > 0 {
		t.Errorf("left behind: %q", now)
	}
	expectAddrs(t, host.NS)
}

// A dead process leaves its routes and rules behind: Release takes them.
func TestReleaseTakesRoutes(t *testing.T) {
	host := nettest.NewSwitch(t).Host("a", "10.0.0.1/24", "2001:db8::1/64")
	awaitLocalRoute(t, host.NS)
	h := newHarness(t, host.NS, routed())
	before := host.IP("route", "show", "table", "all") + host.IP("rule") + host.IP("-6", "rule")
	h.mustSet("VI_1", true)
	for _, n := range []int{2 + 10 + 3, 0} {
		host.Do(func() {
			removed, err := Release()
			if err != nil || len(removed) != n {
				t.Errorf("removed %d %q, %v; want %d", len(removed), removed, err, n)
			}
		})
	}
	if got := host.IP("route", "show", "table", "all") + host.IP("rule") + host.IP("-6", "rule"); got != before {
		t.Errorf("before\n%sand after\n%s", before, got)
	}
}
