package vip

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// RouteKind is what the kernel does with what a route matches, as rtnetlink
// numbers it (RTN_*).
type RouteKind uint8

// The kinds of route.
const (
	Unicast     RouteKind = 1
	Blackhole   RouteKind = 6
	Unreachable RouteKind = 7
	Prohibit    RouteKind = 8
)

func (k RouteKind) String() string {
	switch k {
	case Blackhole:
		return "blackhole"
	case Unreachable:
		return "unreachable"
	case Prohibit:
		return "prohibit"
	}
	return "unicast"
}

// The tables that have a number of their own (RT_TABLE_*).
const (
	TableDefault = 253
	TableMain    = 254
	TableLocal   = 255
)

// defaultMetric6 is what the kernel makes of an IPv6 route without a metric.
const defaultMetric6 = 1024

// Route is one route as the operator configured it, or as the kernel has it.
type Route struct {
	Kind   RouteKind
	To     netip.Prefix // length 0: the default route of its family
	Hop                 // where to, unless there are several or none
	Hops   []Hop        // several ways, in the order of the file
	Source netip.Addr   // optional: the source address that it suggests
	Table  uint32       // TableMain by default
	Metric uint32       // 0: none, which IPv6 knows as 1024
	Scope  uint8        // RT_SCOPE_*; IPv4 only. 0 with ScopeSet false: what follows from the rest
	TOS    uint8        // IPv4 only: of the packets that it is for; 0: any
	Realms uint32       // IPv4 only: those of its source, << 16, and of its destination
	Metrics

	ScopeSet bool
	Place    Place
}

// Place is where a route goes among others to the same destination.
type Place uint8

// The places.
const (
	First Place = iota
	Last
	Alone // it must be the only one
)

// Metrics are what the protocols of this host go by on a route (RTAX_*). 0: their own.
type Metrics struct {
	MTU        uint32
	AdvMSS     uint32
	HopLimit   uint32
	Window     uint32 // largest that TCP offers
	Reordering uint32 // what TCP takes for reordering and not for loss
	InitCwnd   uint32 // in segments, like the next
	InitRwnd   uint32
	QuickAck   uint32 // 1: no delayed acknowledgements
	RTT        uint32 // the first estimate, in 1/8 ms
	RTTVar     uint32 // and of its variance, in 1/4 ms
	Cwnd       uint32 // TCP's largest congestion window, in segments, of a kernel that locks it
	SSThresh   uint32 // TCP's slow start threshold, in segments
	RTOMin     uint32 // TCP's least retransmission timeout, in ms
	Features   uint32 // RTAX_FEATURE_*
	NoCookie   uint32 // 1: TCP fast open without cookies
	Congestion string // TCP's congestion control

	MTULock, RTOMinLock bool // nothing that is learned changes it; one of them at most
}

// FeatureECN is the bit of `features ecn`.
const FeatureECN = 1

// write writes them as ip-route(8) does.
func (m Metrics) write(b *strings.Builder) {
	for _, one := range []struct {
		name  string
		value uint32
	}{
		{"mtu", m.MTU},
		{"advmss", m.AdvMSS},
		{"hoplimit", m.HopLimit},
		{"window", m.Window},
		{"reordering", m.Reordering},
		{"initcwnd", m.InitCwnd},
		{"initrwnd", m.InitRwnd},
		{"quickack", m.QuickAck},
		{"rtt", m.RTT},
		{"rttvar", m.RTTVar},
		{"cwnd", m.Cwnd},
		{"ssthresh", m.SSThresh},
		{"rto_min", m.RTOMin},
		{"features", m.Features},
		{"fastopen_no_cookie", m.NoCookie},
	} {
		if one.value == 0 {
			continue
		}
		b.WriteString(" " + one.name)
		if m.MTULock && one.name == "mtu" || m.RTOMinLock && one.name == "rto_min" {
			b.WriteString(" lock")
		}
		fmt.Fprintf(b, " %d", one.value)
	}
	if m.Congestion != "" {
		b.WriteString(" congctl " + m.Congestion)
	}
}

// Hop is the next hop of a route.
type Hop struct {
	Via       netip.Addr // optional: the gateway
	Interface string     // optional with Via: the kernel finds it
	OnLink    bool       // the gateway is on the link, whatever its address
	Weight    int        // among several, 1..256; 0 stands for 1
}

// String is the route as ip-route(8) writes it.
func (r Route) String() string {
	var b strings.Builder
	if r.Kind != Unicast {
		b.WriteString(r.Kind.String() + " ")
	}
	switch {
	case r.To.Bits() > 0:
		b.WriteString(r.To.String())
	case r.To.Addr().Is6():
		b.WriteString("default inet6")
	default:
		b.WriteString("default")
	}
	if r.TOS != 0 {
		fmt.Fprintf(&b, " tos %#02x", r.TOS)
	}
	r.Hop.write(&b)
	for _, h := range r.Hops {
		b.WriteString(" nexthop")
		h.write(&b)
		fmt.Fprintf(&b, " weight %d", max(h.Weight, 1))
	}
	if r.Source.IsValid() {
		fmt.Fprintf(&b, " src %s", r.Source)
	}
	if r.Table != TableMain {
		fmt.Fprintf(&b, " table %d", r.Table)
	}
	if r.Metric != 0 {
		fmt.Fprintf(&b, " metric %d", r.Metric)
	}
	if r.ScopeSet {
		fmt.Fprintf(&b, " scope %d", r.Scope)
	}
	if r.Realms != 0 {
		fmt.Fprintf(&b, " realms %d/%d", r.Realms>>16, r.Realms&0xffff)
	}
	r.Metrics.write(&b)
	return b.String()
}

func (h Hop) write(b *strings.Builder) {
	if h.Via.IsValid() {
		b.WriteString(" via " + h.Via.String())
	}
	if h.Interface != "" {
		b.WriteString(" dev " + h.Interface)
	}
	if h.OnLink {
		b.WriteString(" onlink")
	}
}

// is reports whether the kernel's route h is the wanted one: what the operator left
// open may be anything.
func (r Route) is(h Route) bool {
	metric := func(x Route) uint32 {
		if x.Metric == 0 && x.To.Addr().Is6() {
			return defaultMetric6
		}
		return x.Metric
	}
	if r.Kind != h.Kind || r.To != h.To || r.Table != h.Table || metric(r) != metric(h) ||
		r.TOS != h.TOS || r.Realms != h.Realms || r.Source != h.Source || r.Metrics != h.Metrics || len(r.Hops) != len(h.Hops) ||
		r.ScopeSet && r.To.Addr().Is4() && r.Scope != h.Scope {
		return false
	}
	if r.Kind != Unicast { // the kernel puts the IPv6 ones on lo
		return true
	}
	if !r.Hop.is(h.Hop) {
		return false
	}
	for i := range r.Hops {
		// The kernel may tell the hops in another order.
		if !slices.ContainsFunc(h.Hops, r.Hops[i].is) {
			return false
		}
	}
	return true
}

func (h Hop) is(k Hop) bool {
	return h.Via == k.Via && (h.Interface == "" || h.Interface == k.Interface) &&
		h.OnLink == k.OnLink && max(h.Weight, 1) == max(k.Weight, 1)
}

// DiffRoutes returns which of ours have to go, and which are missing, in the order of
// want. have must not hold routes of somebody else.
func DiffRoutes(have, want []Route) (remove, add []Route) {
	return difference(have, want, Route.is)
}

// difference is what is in one list and not in the other. is is asked with a wanted
// thing first.
func difference[T any](have, want []T, is func(want, have T) bool) (remove, add []T) {
	for _, w := range want {
		if !slices.ContainsFunc(have, func(h T) bool { return is(w, h) }) {
			add = append(add, w)
		}
	}
	for _, h := range have {
		if !slices.ContainsFunc(want, func(w T) bool { return is(w, h) }) {
			remove = append(remove, h)
		}
	}
	return remove, add
}
