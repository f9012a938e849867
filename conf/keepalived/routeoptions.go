package keepalived

import (
	"strconv"
	"strings"
	"time"

	"baton/conf"
	"baton/vip"
)

// leastRTT is what keepalived makes of any shorter time.
const leastRTT = 200 * time.Millisecond

// routeOptionKeywords is what a route may say to TCP and to the choice of routes.
func routeOptionKeywords() []entry[routeDraft] {
	type draft = routeDraft
	tos := func(l *lowerer, b *conf.Block, d *draft) {
		if n, err := strconv.ParseUint(b.Words[1].Text, 0, 8); err != nil || n&3 != 0 {
			l.errs.Errorf(b.Words[1].Pos, "such as 0x10; its last two bits are not of the type of service", "`%s` must be a number up to 0xfc, not `%s`", b.Words[0].Text, b.Words[1].Text)
		} else {
			d.only4, d.route.TOS = append(d.only4, b.Words[0]), uint8(n)
		}
	}
	place := func(p vip.Place) func(*lowerer, *conf.Block, *draft) {
		return func(_ *lowerer, b *conf.Block, d *draft) {
			if p == vip.Last {
				d.only4 = append(d.only4, b.Words[0])
			}
			d.route.Place = p
		}
	}
	return []entry[draft]{
		{name: "tos", doc: "the type of service of the packets that it is for; IPv4 only", min: 1, max: 1, parse: tos},
		{name: "dsfield", doc: "the same as tos", min: 1, max: 1, parse: tos},
		{name: "realms", doc: "[FROM/]TO, numbers up to 255, for rules and traffic control; IPv4 only", min: 1, max: 1, parse: func(l *lowerer, b *conf.Block, d *draft) {
			d.only4 = append(d.only4, b.Words[0])
			d.route.Realms = l.realms(b.Words[1])
		}},
		{name: "rtt", doc: "TCP's first estimate of the round trip: a time with unit, at least 200ms, or eighths of a millisecond", min: 1, max: 1, parse: func(l *lowerer, b *conf.Block, d *draft) {
			d.route.RTT = l.routeTime("rtt", b.Words[1], 8)
		}},
		{name: "rttvar", doc: "and of its variance: a time with unit, at least 200ms, or quarters of a millisecond", min: 1, max: 1, parse: func(l *lowerer, b *conf.Block, d *draft) {
			d.route.RTTVar = l.routeTime("rttvar", b.Words[1], 4)
		}},
		{name: "rto_min", doc: "[lock] TCP's least retransmission timeout: at least 200ms, in milliseconds without unit", min: 1, max: 1, parse: func(l *lowerer, b *conf.Block, d *draft) {
			d.route.RTOMin = l.routeTime("rto_min", b.Words[1], 1)
		}},
		{name: "cwnd", doc: "TCP's largest congestion window, in segments", min: 1, max: 1, parse: func(l *lowerer, b *conf.Block, d *draft) {
			d.route.Cwnd, _ = l.uint32("cwnd", b.Words[1])
		}},
		{name: "ssthresh", doc: "TCP's slow start threshold, in segments", min: 1, max: 1, parse: func(l *lowerer, b *conf.Block, d *draft) {
			d.route.SSThresh, _ = l.uint32("ssthresh", b.Words[1])
		}},
		{name: "features", doc: "ecn: TCP asks for explicit congestion notification", min: 1, max: 1, parse: func(l *lowerer, b *conf.Block, d *draft) {
			if d.route.Features = vip.FeatureECN; b.Words[1].Text != "ecn" {
				l.errs.Errorf(b.Words[1].Pos, "", "`features` must be ecn, not `%s`", b.Words[1].Text)
			}
		}},
		{name: "congctl", doc: "TCP's congestion control, of those that the kernel has", min: 1, max: 1, parse: func(l *lowerer, b *conf.Block, d *draft) {
			if d.route.Congestion = b.Words[1].Text; len(d.route.Congestion) > 15 {
				l.errs.Errorf(b.Words[1].Pos, "", "the name `%s` of `congctl` is longer than 15 characters", b.Words[1].Text)
			}
		}},
		{name: "fastopen_no_cookie", doc: "1: TCP fast open without cookies", min: 1, max: 1, parse: func(l *lowerer, b *conf.Block, d *draft) {
			if n, ok := l.integer("fastopen_no_cookie", b.Words[1], 0, 1); ok {
				d.route.NoCookie = uint32(n)
			}
		}},
		{name: "prepend", doc: "in front of others to the same destination, which is the default", parse: place(vip.First)},
		{name: "append", doc: "behind others to the same destination; IPv4 only", parse: place(vip.Last)},
		{name: "add", doc: "only if there is no other to the same destination", parse: place(vip.Alone)},
	}
}

// realms reads [FROM/]TO.
func (l *lowerer) realms(w conf.Word) uint32 {
	from, to, both := strings.Cut(w.Text, "/")
	if !both {
		from, to = "0", from
	}
	f, err1 := strconv.ParseUint(from, 0, 8)
	t, err2 := strconv.ParseUint(to, 0, 8)
	if err1 != nil || err2 != nil {
		l.errs.Errorf(w.Pos, "write the numbers that /etc/iproute2/rt_realms gives", "`realms` must be [FROM/]TO, numbers up to 255, not `%s`", w.Text)
	}
	return uint32(f<<16 | t)
}

// routeTime reads a time with a unit, or the kernel's own number, of so many in a
// millisecond, as ip-route(8) has it.
func (l *lowerer) routeTime(keyword string, w conf.Word, perMilli uint32) uint32 {
	var d time.Duration
	ok := false
	for _, u := range []struct {
		suffix string
		per    time.Duration // a second in that unit, for parseSeconds
	}{{"msecs", 1000}, {"msec", 1000}, {"ms", 1000}, {"secs", 1}, {"sec", 1}, {"s", 1}} {
		if s, has := strings.CutSuffix(w.Text, u.suffix); has {
			d, ok = parseSeconds(s)
			d /= u.per
			break
		}
	}
	if n, err := strconv.ParseUint(w.Text, 0, 31); err == nil {
		d, ok = time.Duration(n)*time.Millisecond/time.Duration(perMilli), true
	}
	if !ok || d > time.Hour {
		l.errs.Errorf(w.Pos, "such as 300ms or 1.5s", "`%s` must be a time, not `%s`", keyword, w.Text)
		return 0
	}
	if d < leastRTT {
		l.errs.Warnf(w.Pos, "a number without unit is the kernel's: "+strconv.Itoa(int(perMilli))+" to the millisecond", "`%s %s` is less than 200ms, which it becomes, as with keepalived", keyword, w.Text)
		d = leastRTT
	}
	return uint32(d * time.Duration(perMilli) / time.Millisecond)
}

// withoutLocks takes the word `lock` out from between options and their values, and
// returns the options.
func withoutLocks(words []conf.Word) (rest, locks []conf.Word) {
	for i, w := range words {
		if w.Text == "lock" && i > 0 {
			locks = append(locks, words[i-1])
			continue
		}
		rest = append(rest, w)
	}
	return rest, locks
}

// locks notes which options nothing that the kernel learns changes.
func (l *lowerer) locks(options []conf.Word, r *vip.Route) {
	for i, w := range options {
		switch {
		case i > 0:
			l.errs.Errorf(w.Pos, "take one `lock` out", "`%s lock`: one locked option in a route is all that is supported", w.Text)
		case w.Text == "mtu":
			r.MTULock = true
		case w.Text == "rto_min":
			r.RTOMinLock = true
		default:
			l.errs.Errorf(w.Pos, "take `lock` out, or make the route with the system's own tools", "`%s lock` is known, not supported yet: mtu and rto_min can be locked", w.Text)
		}
	}
}
