package kernel

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"

	"baton/internal/sys"
	"baton/vip"

	"github.com/vishvananda/netlink"
)

// listRoutes reads our routes: those of our protocol number. The kernel picks them
// out itself where it knows strict checking (Linux 4.20).
func (m *Manager) listRoutes() ([]vip.Route, error) {
	raw, err := routesOfOurs(m.nl)
	if err != nil {
		return nil, err
	}
	names := map[int]string{}
	var out []vip.Route
	for i := range raw {
		r := translateRoute(&raw[i])
		name := func(index int) string {
			if index == 0 {
				return ""
			}
			if _, known := names[index]; !known {
				if link, err := m.nl.LinkByIndex(index); err == nil {
					names[index] = link.Attrs().Name
				}
			}
			return names[index]
		}
		r.Interface = name(raw[i].LinkIndex)
		for j, h := range raw[i].MultiPath {
			r.Hops[j].Interface = name(h.LinkIndex)
		}
		out = append(out, r)
	}
	return out, nil
}

func routesOfOurs(h *netlink.Handle) (out []netlink.Route, err error) {
	for _, family := range []int{netlink.FAMILY_V4, netlink.FAMILY_V6} {
		filter := &netlink.Route{Protocol: Protocol}
		list, err := h.RouteListFiltered(family, filter, netlink.RT_FILTER_PROTOCOL|netlink.RT_FILTER_TABLE)
		if err != nil {
			return nil, fmt.Errorf("list routes: %w", err)
		}
		out = append(out, list...)
	}
	return out, nil
}

// translateRoute leaves the names of interfaces out.
func translateRoute(k *netlink.Route) vip.Route {
	r := vip.Route{
		Kind: vip.RouteKind(k.Type), Table: uint32(k.Table), Metric: uint32(k.Priority),
		Scope: uint8(k.Scope), TOS: uint8(k.Tos), Realms: uint32(k.Realm),
		Metrics: vip.Metrics{
			MTU: uint32(k.MTU), AdvMSS: uint32(k.AdvMSS), HopLimit: uint32(k.Hoplimit), Window: uint32(k.Window), Reordering: uint32(k.Reordering),
			InitCwnd: uint32(k.InitCwnd), InitRwnd: uint32(k.InitRwnd), QuickAck: uint32(k.QuickACK),
			RTT: uint32(k.Rtt), RTTVar: uint32(k.RttVar), Cwnd: uint32(k.Cwnd), SSThresh: uint32(k.Ssthresh), RTOMin: uint32(k.RtoMin),
			Features: uint32(k.Features), NoCookie: uint32(k.FastOpenNoCookie), Congestion: k.Congctl,
			MTULock: k.MTULock, RTOMinLock: k.RtoMinLock,
		},
		Source: addrOf(k.Src), Hop: vip.Hop{Via: addrOf(k.Gw), OnLink: k.Flags&int(netlink.FLAG_ONLINK) != 0},
	}
	r.To = netip.PrefixFrom(netip.IPv4Unspecified(), 0)
	if k.Family == netlink.FAMILY_V6 {
		r.To = netip.PrefixFrom(netip.IPv6Unspecified(), 0)
	}
	if k.Dst != nil {
		ones, _ := k.Dst.Mask.Size()
		r.To = netip.PrefixFrom(addrOf(k.Dst.IP), ones)
	}
	for _, h := range k.MultiPath {
		r.Hops = append(r.Hops, vip.Hop{Via: addrOf(h.Gw), Weight: h.Hops + 1, OnLink: h.Flags&int(netlink.FLAG_ONLINK) != 0})
	}
	return r
}

func addrOf(ip net.IP) netip.Addr {
	a, _ := netip.AddrFromSlice(ip)
	return a.Unmap()
}

// requestRoute translates a route for the kernel.
func (m *Manager) requestRoute(r vip.Route) (*netlink.Route, error) {
	k := &netlink.Route{
		Protocol: Protocol, Type: int(r.Kind), Table: int(r.Table), Priority: int(r.Metric),
		MTU: int(r.MTU), AdvMSS: int(r.AdvMSS), Hoplimit: int(r.HopLimit), Window: int(r.Window), Reordering: int(r.Reordering),
		InitCwnd: int(r.InitCwnd), InitRwnd: int(r.InitRwnd), QuickACK: int(r.QuickAck), Scope: netlink.SCOPE_UNIVERSE,
		Rtt: int(r.RTT), RttVar: int(r.RTTVar), Cwnd: int(r.Cwnd), Ssthresh: int(r.SSThresh), RtoMin: int(r.RTOMin), Features: int(r.Features),
		FastOpenNoCookie: int(r.NoCookie), Congctl: r.Congestion, MTULock: r.MTULock, RtoMinLock: r.RTOMinLock,
		Tos: int(r.TOS), Realm: int(r.Realms),
		Dst: &net.IPNet{IP: r.To.Addr().AsSlice(), Mask: net.CIDRMask(r.To.Bits(), r.To.Addr().BitLen())},
	}
	if r.Source.IsValid() {
		k.Src = r.Source.AsSlice()
	}
	if r.Via.IsValid() {
		k.Gw = r.Via.AsSlice()
	}
	if r.OnLink {
		k.Flags = int(netlink.FLAG_ONLINK)
	}
	direct := r.Kind == vip.Unicast && !r.Via.IsValid() && len(r.Hops) == 0
	switch {
	case r.To.Addr().Is6():
	case r.ScopeSet:
		k.Scope = netlink.Scope(r.Scope)
	case direct:
		k.Scope = netlink.SCOPE_LINK
	}
	var err error
	if r.Interface != "" {
		if k.LinkIndex, err = m.index(r.Interface); err != nil {
			return nil, err
		}
	}
	for _, h := range r.Hops {
		n := &netlink.NexthopInfo{Hops: max(h.Weight, 1) - 1}
		if h.Via.IsValid() {
			n.Gw = h.Via.AsSlice()
		}
		if h.OnLink {
			n.Flags = int(netlink.FLAG_ONLINK)
		}
		if h.Interface != "" {
			if n.LinkIndex, err = m.index(h.Interface); err != nil {
				return nil, err
			}
		}
		k.MultiPath = append(k.MultiPath, n)
	}
	return k, nil
}

// addRoute puts a route in front of others to the same destination, as keepalived
// does, unless its Place is another: whoever else's route it covers comes back when ours goes. The IPv6 tables
// have no such order; there it must be the only one of its metric.
func (m *Manager) addRoute(r vip.Route) error {
	if m.stale.Load() {
		clear(m.links)
	}
	k, err := m.requestRoute(r)
	if err == nil {
		switch {
		case r.To.Addr().Is6(), r.Place == vip.Alone:
			err = m.nl.RouteAdd(k)
		case r.Place == vip.Last:
			err = m.nl.RouteAppend(k)
		default:
			err = m.nl.RouteAddEcmp(k) // its flags are those of "prepend"
		}
		if errors.Is(err, syscall.ENODEV) { // an index from before the interface was made anew
			clear(m.links)
		}
	}
	if err != nil {
		return fmt.Errorf("add route %s: %w", r, explainRoute(err))
	}
	return nil
}

func (m *Manager) deleteRoute(r vip.Route) error {
	k, err := m.requestRoute(r)
	if err == nil {
		err = m.nl.RouteDel(k)
	}
	if err != nil && !errors.Is(err, syscall.ESRCH) && !errors.Is(err, errNoInterface) {
		return fmt.Errorf("remove route %s: %w", r, explainRoute(err))
	}
	return nil
}

// explainRoute adds what an error number does not say about a route.
func explainRoute(err error) error {
	switch {
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH):
		return fmt.Errorf("%w (no address of this host is in the gateway's network; `onlink` says that the gateway is on the link all the same)", err)
	case errors.Is(err, syscall.ENETDOWN):
		return fmt.Errorf("%w (the interface is down)", err)
	case errors.Is(err, syscall.EINVAL):
		return fmt.Errorf("%w (is its source an address of this host, and the gateway no address of its own?)", err)
	case errors.Is(err, syscall.EEXIST):
		return err
	}
	return explain(err)
}

// isRoutingLoss says of a message whether it tells the end of a route or rule of ours.
func isRoutingLoss(msg *syscall.NetlinkMessage) bool {
	const protocolAt = 5 // rtm_protocol in struct rtmsg
	switch msg.Header.Type {
	case sys.MsgDelRoute:
		return len(msg.Data) > protocolAt && msg.Data[protocolAt] == Protocol
	case sys.MsgDelRule:
		return ruleProtocol(msg.Data) == Protocol
	}
	return false
}
