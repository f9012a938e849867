package keepalived

import (
	"net/netip"
	"strconv"

	"baton/conf"
	"baton/vip"
)

// routeDraft is one line of virtual_routes or static_routes.
type routeDraft struct {
	route vip.Route
	to    conf.Word
	six   bool        // `inet6`
	only4 []conf.Word // options that IPv6 routes do not have
}

const refuseRouteOption = "take it out, or make the route with the system's own tools"

// routeKeywords is what a line of routes may hold, after its kind.
func routeKeywords() [][]entry[routeDraft] {
	host := func(set func(*routeDraft, netip.Addr)) func(*lowerer, *conf.Block, *routeDraft) {
		return func(l *lowerer, b *conf.Block, d *routeDraft) {
			if a, ok := l.host(b.Words[0].Text, b.Words[1]); ok {
				set(d, a)
			}
		}
	}
	number := func(set func(*routeDraft, uint32)) func(*lowerer, *conf.Block, *routeDraft) {
		return func(l *lowerer, b *conf.Block, d *routeDraft) {
			if n, ok := l.uint32(b.Words[0].Text, b.Words[1]); ok {
				set(d, n)
			}
		}
	}
	within := func(low, high int, set func(*routeDraft, uint32)) func(*lowerer, *conf.Block, *routeDraft) {
		return func(l *lowerer, b *conf.Block, d *routeDraft) {
			if n, ok := l.integer(b.Words[0].Text, b.Words[1], low, high); ok {
				set(d, uint32(n))
			}
		}
	}
	via := host(func(d *routeDraft, a netip.Addr) { d.route.Via = a })
	metric := number(func(d *routeDraft, n uint32) { d.route.Metric = n })
	return [][]entry[routeDraft]{
		{
			{name: "to", doc: "the destination, a network or `default`; the word may be left out", min: 1, max: 1, parse: func(l *lowerer, b *conf.Block, d *routeDraft) {
				d.to = b.Words[1]
			}},
			{name: "via", doc: "the gateway", min: 1, max: 1, parse: via},
			{name: "gw", doc: "the same as via", min: 1, max: 1, parse: via},
			{name: "dev", doc: "the interface", min: 1, max: 1, parse: func(l *lowerer, b *conf.Block, d *routeDraft) {
				if l.interfaceName("dev", b.Words[1]) {
					d.route.Interface = b.Words[1].Text
				}
			}},
			{name: "oif", doc: "the same as dev", min: 1, max: 1, parse: func(l *lowerer, b *conf.Block, d *routeDraft) {
				if l.interfaceName("oif", b.Words[1]) {
					d.route.Interface = b.Words[1].Text
				}
			}},
			{name: "src", doc: "the address that this host sends from", min: 1, max: 1, parse: host(func(d *routeDraft, a netip.Addr) { d.route.Source = a })},
			{name: "table", doc: "main (the default), default, local or a number", min: 1, max: 1, parse: func(l *lowerer, b *conf.Block, d *routeDraft) {
				if n, ok := l.table(b.Words[1]); ok {
					d.route.Table = n
				}
			}},
			{name: "metric", doc: "the lowest wins among routes to the same destination", min: 1, max: 1, parse: metric},
			{name: "priority", doc: "the same as metric", min: 1, max: 1, parse: metric},
			{name: "preference", doc: "the same as metric", min: 1, max: 1, parse: metric},
			{name: "scope", doc: "global, site, link, host, nowhere or 0..255", min: 1, max: 1, parse: func(l *lowerer, b *conf.Block, d *routeDraft) {
				if s, ok := l.scope(b.Words[1]); ok {
					d.route.Scope, d.route.ScopeSet = s, true
				}
			}},
			{name: "onlink", doc: "the gateway is on the link, whatever its address", parse: func(_ *lowerer, _ *conf.Block, d *routeDraft) {
				d.route.OnLink = true
			}},
			{name: "mtu", doc: "largest packet", min: 1, max: 1, parse: number(func(d *routeDraft, n uint32) { d.route.MTU = n })},
			{name: "advmss", doc: "largest segment that TCP offers", min: 1, max: 1, parse: number(func(d *routeDraft, n uint32) { d.route.AdvMSS = n })},
			{name: "hoplimit", doc: "hop limit, 1..255", min: 1, max: 1, parse: within(1, 255, func(d *routeDraft, n uint32) { d.route.HopLimit = n })},
			{name: "window", doc: "largest window that TCP offers", min: 1, max: 1, parse: number(func(d *routeDraft, n uint32) { d.route.Window = n })},
			{name: "reordering", doc: "how many segments late TCP takes for reordered and not for lost", min: 1, max: 1, parse: number(func(d *routeDraft, n uint32) { d.route.Reordering = n })},
			{name: "initcwnd", doc: "TCP's first congestion window, in segments", min: 1, max: 1, parse: number(func(d *routeDraft, n uint32) { d.route.InitCwnd = n })},
			{name: "initrwnd", doc: "TCP's first receive window, in segments", min: 1, max: 1, parse: number(func(d *routeDraft, n uint32) { d.route.InitRwnd = n })},
			{name: "quickack", doc: "1: no delayed acknowledgements; 0: as usual", min: 1, max: 1, parse: within(0, 1, func(d *routeDraft, n uint32) { d.route.QuickAck = n })},
			{name: "inet6", doc: "an IPv6 route, where the addresses do not say so", parse: func(_ *lowerer, _ *conf.Block, d *routeDraft) {
				d.six = true
			}},
			{name: "proto", status: Warned, doc: "baton's routes carry a protocol number of its own, 66, by which it knows them", min: 1, max: 1},
			{name: "protocol", status: Warned, doc: "baton's routes carry a protocol number of its own, 66, by which it knows them", min: 1, max: 1},
			{name: "no_track", status: Warned, doc: "a route that someone removes is put back"},
			{name: "or", status: Refused, doc: "write `nexthop via A nexthop via B`", min: 1, max: 1},
			{name: "track_group", status: Refused, doc: refuseRouteOption, min: 1, max: 1},
		},
		routeOptionKeywords(),
		refuseWords[routeDraft](1, "vrf", "pref", "ttl-propagate", "encap", "as", "expires"),
		refuseWords[routeDraft](0, "noprefixroute"),
	}
}

// refuseWords makes rows of rare keywords with so many words behind each.
func refuseWords[T any](n int, names ...string) []entry[T] {
	list := refuse[T](refuseRouteOption, names...)
	for i := range list {
		list[i].min, list[i].max = n, n
	}
	return list
}

// hopKeywords is what may follow `nexthop`.
func hopKeywords() []entry[vip.Hop] {
	via := func(l *lowerer, b *conf.Block, h *vip.Hop) {
		if a, ok := l.host(b.Words[0].Text, b.Words[1]); ok {
			h.Via = a
		}
	}
	return []entry[vip.Hop]{
		{name: "via", doc: "the gateway", min: 1, max: 1, parse: via},
		{name: "gw", doc: "the same as via", min: 1, max: 1, parse: via},
		{name: "dev", doc: "the interface", min: 1, max: 1, parse: func(l *lowerer, b *conf.Block, h *vip.Hop) {
			if l.interfaceName("dev", b.Words[1]) {
				h.Interface = b.Words[1].Text
			}
		}},
		{name: "weight", doc: "its share, 1..256", min: 1, max: 1, parse: func(l *lowerer, b *conf.Block, h *vip.Hop) {
			if n, ok := l.integer("weight", b.Words[1], 1, 256); ok {
				h.Weight = n
			}
		}},
		{name: "onlink", doc: "the gateway is on the link, whatever its address", parse: func(_ *lowerer, _ *conf.Block, h *vip.Hop) { h.OnLink = true }},
	}
}

// routeLines reads the lines of a block of routes.
func (l *lowerer) routeLines(b *conf.Block) (out []vip.Route) {
	block := b.Words[0].Text
	for _, line := range b.Body {
		if line.HasBody {
			l.errs.Errorf(line.Words[0].Pos, "", "`%s` opens no block in %s", line.Words[0].Text, block)
			continue
		}
		before := l.errs.Errors()
		d := routeDraft{route: vip.Route{Kind: vip.Unicast, Table: vip.TableMain}}
		words := line.Words
		if kind, ok := routeKind(words[0].Text); ok {
			d.route.Kind, words = kind, words[1:]
		}
		words, hops := splitAt(words, "nexthop")
		words, locks := withoutLocks(words)
		lowerStream(l, block, l.route, withTo(l.route, words), &d)
		for _, hop := range hops {
			var h vip.Hop
			lowerStream(l, "nexthop", l.hop, hop, &h)
			d.route.Hops = append(d.route.Hops, h)
		}
		l.locks(locks, &d.route)
		if l.errs.Errors() == before && l.finishRoute(line.Words[0], &d) {
			out = append(out, d.route)
		}
	}
	return out
}

func routeKind(word string) (vip.RouteKind, bool) {
	for _, k := range []vip.RouteKind{vip.Unicast, vip.Blackhole, vip.Unreachable, vip.Prohibit} {
		if k.String() == word {
			return k, true
		}
	}
	return 0, false
}

// splitAt cuts words at each occurrence of a word, which is left out.
func splitAt(words []conf.Word, at string) (first []conf.Word, rest [][]conf.Word) {
	for _, w := range words {
		switch {
		case w.Text == at:
			rest = append(rest, nil)
		case len(rest) == 0:
			first = append(first, w)
		default:
			rest[len(rest)-1] = append(rest[len(rest)-1], w)
		}
	}
	return first, rest
}

// withTo writes out the `to` that may be left out before a destination.
func withTo[T any](t table[T], words []conf.Word) (out []conf.Word) {
	for len(words) > 0 {
		w, n := words[0], 1
		if e, known := t[w.Text]; known {
			n = min(1+e.max, len(words))
		} else if _, ok := parseNetwork(w.Text); ok {
			out = append(out, conf.Word{Text: "to", Pos: w.Pos})
		}
		out = append(out, words[:n]...)
		words = words[n:]
	}
	return out
}

// parseNetwork reads a destination: ADDRESS[/LENGTH], `default`, `any` or `all`. The
// family of the last three is IPv4 as long as nothing else says more.
func parseNetwork(s string) (netip.Prefix, bool) {
	switch s {
	case "default", "any", "all", "0/0":
		return netip.PrefixFrom(netip.IPv4Unspecified(), 0), true
	}
	if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" {
		return netip.PrefixFrom(a, a.BitLen()), true
	}
	p, err := netip.ParsePrefix(s)
	return p, err == nil
}

// network reads a network whose host bits must be clear.
func (l *lowerer) network(keyword string, w conf.Word) (netip.Prefix, bool) {
	p, ok := parseNetwork(w.Text)
	if !ok || p.Addr().Is4In6() {
		l.errs.Errorf(w.Pos, "such as 192.0.2.0/24", "`%s`: `%s` is not a network", keyword, w.Text)
		return p, false
	}
	if p != p.Masked() {
		l.errs.Errorf(w.Pos, "write "+p.Masked().String(), "`%s`: %s has bits behind its prefix length", keyword, w.Text)
		return p, false
	}
	return p, true
}

// finishRoute finds the family of a route and checks it as a whole.
func (l *lowerer) finishRoute(first conf.Word, d *routeDraft) bool {
	r := &d.route
	if d.to.Pos.Line == 0 {
		l.errs.Errorf(first.Pos, "such as 192.0.2.0/24 via 10.0.0.1", "the route has no destination")
		return false
	}
	to, ok := l.network("to", d.to)
	if !ok {
		return false
	}
	addrs := []netip.Addr{r.Via, r.Source}
	for _, h := range r.Hops {
		addrs = append(addrs, h.Via)
	}
	six := d.six || to.Addr().Is6()
	for _, a := range addrs {
		six = six || a.Is6()
	}
	if six && to.Addr().Is4() && to.Bits() == 0 {
		to = netip.PrefixFrom(netip.IPv6Unspecified(), 0)
	}
	for _, a := range append(addrs, to.Addr()) {
		if a.IsValid() && a.Is6() != six {
			l.errs.Errorf(first.Pos, "", "the route mixes IPv4 and IPv6")
			return false
		}
	}
	for _, w := range d.only4 {
		if six {
			l.errs.Errorf(w.Pos, "take it out", "`%s`: IPv6 routes have none", w.Text)
			return false
		}
	}
	r.To = to
	for _, h := range r.Hops {
		if !h.Via.IsValid() && h.Interface == "" {
			l.errs.Errorf(first.Pos, "add via ADDRESS or dev INTERFACE", "a `nexthop` leads nowhere")
			return false
		}
	}
	somewhere := r.Via.IsValid() || r.Interface != ""
	switch {
	case r.Kind != vip.Unicast && (somewhere || len(r.Hops) > 0):
		l.errs.Errorf(first.Pos, "take the gateway and the interface out", "a %s route leads nowhere", r.Kind)
	case r.Kind == vip.Unicast && !somewhere && len(r.Hops) == 0:
		l.errs.Errorf(first.Pos, "add via ADDRESS, dev INTERFACE or nexthop", "the route leads nowhere")
	case somewhere && len(r.Hops) > 0:
		l.errs.Errorf(first.Pos, "write the first way as a nexthop too", "the route has `via` or `dev` and `nexthop`")
	case r.OnLink && r.Interface == "":
		l.errs.Errorf(first.Pos, "add dev INTERFACE", "`onlink` without `dev`: on which link?")
	default:
		return true
	}
	return false
}

// table reads the number of a routing table.
func (l *lowerer) table(w conf.Word) (uint32, bool) {
	switch w.Text {
	case "main":
		return vip.TableMain, true
	case "default":
		return vip.TableDefault, true
	case "local":
		return vip.TableLocal, true
	}
	n, err := strconv.ParseUint(w.Text, 0, 32)
	if err != nil || n == 0 || n > 1<<31-1 {
		l.errs.Errorf(w.Pos, "names other than main, default and local: write the number that /etc/iproute2/rt_tables gives", "`table` must be main, default, local or a number, not `%s`", w.Text)
		return 0, false
	}
	return uint32(n), true
}

// uint32 reads a number of 32 bits, also in hexadecimal.
func (l *lowerer) uint32(keyword string, w conf.Word) (uint32, bool) {
	n, err := strconv.ParseUint(w.Text, 0, 32)
	if err != nil || n > 1<<31-1 {
		l.errs.Errorf(w.Pos, "", "`%s` must be a whole number, not `%s`", keyword, w.Text)
		return 0, false
	}
	return uint32(n), true
}
