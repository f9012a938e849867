package vip

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDiffRoutes(t *testing.T) {
	route := func(to string, change func(*Route)) Route {
		r := Route{Kind: Unicast, To: netip.MustParsePrefix(to), Table: TableMain}
		change(&r)
		return r
	}
	via := func(ip, dev string) func(*Route) {
		return func(r *Route) { r.Hop = Hop{Via: netip.MustParseAddr(ip), Interface: dev} }
	}
	want := []Route{
		route("10.1.0.0/16", via("10.0.0.1", "")),                       // the kernel has found the interface
		route("10.2.0.0/16", via("10.0.0.1", "eth0")),                   // there over another gateway
		route("2001:db8::/32", func(r *Route) { r.Interface = "eth0" }), // the kernel has made up the metric
		route("::/0", func(r *Route) { r.Kind = Blackhole }),
		route("0.0.0.0/0", func(r *Route) {
			r.Hops = []Hop{{Via: netip.MustParseAddr("10.0.0.1")}, {Interface: "eth1", Weight: 3}}
		}),
	}
	have := []Route{
		route("0.0.0.0/0", func(r *Route) {
			r.Hops = []Hop{{Interface: "eth1", Weight: 3}, {Via: netip.MustParseAddr("10.0.0.1"), Interface: "eth0", Weight: 1}}
		}),
		route("10.1.0.0/16", via("10.0.0.1", "eth0")),
		route("10.2.0.0/16", via("10.0.0.2", "eth0")),
		route("2001:db8::/32", func(r *Route) { r.Interface, r.Metric = "eth0", 1024 }),
		route("::/0", func(r *Route) { r.Kind, r.Metric, r.Interface = Blackhole, 1024, "lo" }),
		route("10.9.0.0/16", via("10.0.0.1", "eth0")),
	}
	remove, add := DiffRoutes(have, want)
	text := func(list []Route) (out []string) {
		for _, r := range list {
			out = append(out, r.String())
		}
		return out
	}
	if d := cmp.Diff([]string{"10.2.0.0/16 via 10.0.0.2 dev eth0", "10.9.0.0/16 via 10.0.0.1 dev eth0"}, text(remove)); d != "" {
		t.Error("remove:", d)
	}
	if d := cmp.Diff([]string{"10.2.0.0/16 via 10.0.0.1 dev eth0"}, text(add)); d != "" {
		t.Error("add:", d)
	}
	if remove, add = DiffRoutes(want, want); len(remove)+len(add) > 0 {
		t.Errorf("a set differs from itself: %v, %v", remove, add)
	}
}

// Two instances may want the same route: it stands until the last lets go.
func TestWantRoutesOnce(t *testing.T) {
	r := Route{Kind: Blackhole, To: netip.MustParsePrefix("10.1.0.0/16"), Table: TableMain}
	rule := Rule{Kind: Unicast, Table: 7, Priority: 9}
	k := NewKeeper([]Config{
		{Instance: "A", Routes: []Route{r}, Rules: []Rule{rule}},
		{Instance: "B", Routes: []Route{r}, Rules: []Rule{rule}},
	})
	for i, s := range []struct {
		ev   Event
		want int
	}{
		{Event{Kind: Timer}, 0},
		{Event{Kind: Up, Instance: "A"}, 1},
		{Event{Kind: Up, Instance: "B"}, 1},
		{Event{Kind: Down, Instance: "A"}, 1},
		{Event{Kind: Down, Instance: "B"}, 0},
	} {
		k.Step(0, s.ev, nil)
		if n, m := len(k.WantRoutes(nil)), len(k.WantRules(nil)); n != s.want || m != s.want {
			t.Errorf("step %d: %d routes, %d rules, want %d", i, n, m, s.want)
		}
	}
}
