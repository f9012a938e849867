package pairlint

import (
	"net/netip"
	"slices"

	"baton/conf/keepalived"
	"baton/vrrp"
	"baton/vrrp/packet"
)

// twoMasters is what happens when nodes do not hear each other.
const twoMasters = "so both become master and both answer for %s"

// wire compares what adverts must have in common to be accepted.
func (l *linter) wire(p *pairing) {
	a, b := &p.a.VRRP, &p.b.VRRP
	switch {
	case a.IPv6 != b.IPv6:
		l.errs.Errorf(p.a.Place("virtual_ipaddress", "native_ipv6"), "give both the same first address, or let each family have an instance of its own on both nodes",
			"vrrp_instance %s speaks %s here and %s on %s: neither hears the other, "+twoMasters,
			a.Name, family(p.a), family(p.b), l.b.at(p.b.Place("virtual_ipaddress", "native_ipv6")), what(p.a))
	case a.VRID != b.VRID:
		l.errs.Errorf(p.a.Place("virtual_router_id"), "use the same `virtual_router_id` on both nodes",
			"`virtual_router_id` is %d here and %d on %s: to each the other is a stranger, "+twoMasters,
			a.VRID, b.VRID, l.b.at(p.b.Place("virtual_router_id")), what(p.a))
	case a.Version != b.Version:
		l.errs.Errorf(p.a.Place("version"), "use the same `version`, or `vrrp_version` in global_defs, on both nodes",
			"VRRP version %d here and %d on %s: each refuses the other's adverts, "+twoMasters,
			a.Version, b.Version, l.b.at(p.b.Place("version")), what(p.a))
	}
	if a.Version != b.Version {
		return // what follows means different things in the two versions
	}
	switch {
	case a.AdvertInterval == b.AdvertInterval:
	case a.Version == 2:
		l.errs.Errorf(p.a.Place("advert_int"), "use the same `advert_int` on both nodes",
			"`advert_int` is %v here and %v on %s: version 2 refuses adverts of another interval, "+twoMasters,
			a.AdvertInterval, b.AdvertInterval, l.b.at(p.b.Place("advert_int")), what(p.a))
	default:
		l.errs.Warnf(p.a.Place("advert_int"), "use the same `advert_int` on both nodes",
			"`advert_int` is %v here and %v on %s: a backup takes the master's over, so how soon a dead master is noticed depends on which one died",
			a.AdvertInterval, b.AdvertInterval, l.b.at(p.b.Place("advert_int")))
	}
	l.authentication(p)
	if a.PlainSum != b.PlainSum {
		l.errs.Warnf(p.a.Place("v3_checksum_as_v2"), "set `v3_checksum_as_v2` on both nodes or on none",
			"`v3_checksum_as_v2` is %s here and %s on %s: baton takes both forms of the checksum, keepalived may refuse the other one and become a second master",
			onOff(a.PlainSum), onOff(b.PlainSum), l.b.at(p.b.Place("v3_checksum_as_v2")))
	}
	if x, y := downAdverts(a), downAdverts(b); x != y {
		l.errs.Warnf(p.a.Place("down_timer_adverts"), "use the same `down_timer_adverts` on both nodes",
			"this node waits for %d silent intervals before it takes over, %s for %d: how long an outage lasts depends on which node dies",
			x, l.b.at(p.b.Place("down_timer_adverts")), y)
	}
}

func (l *linter) authentication(p *pairing) {
	a, b := p.a.VRRP.Auth, p.b.VRRP.Auth
	there := l.b.at(p.b.Place("authentication"))
	switch {
	case a == b:
	case a.Type == b.Type:
		l.errs.Errorf(p.a.Place("authentication"), "use the same first 8 characters on both nodes",
			"`auth_pass` is another on %s: each refuses the other's adverts, "+twoMasters, there, what(p.a))
	case a.Type == packet.AuthNone:
		l.errs.Errorf(p.a.Pos, "copy the `authentication` block, or take it out there",
			"vrrp_instance %s has no `authentication`, %s has: each refuses the other's adverts, "+twoMasters, p.a.VRRP.Name, there, what(p.a))
	default:
		l.errs.Errorf(p.a.Place("authentication"), "copy the `authentication` block, or take it out here",
			"`authentication` is missing on %s: each refuses the other's adverts, "+twoMasters, l.b.at(p.b.Pos), what(p.a))
	}
}

// addresses compares what the two move.
func (l *linter) addresses(p *pairing) {
	if p.a.VRRP.IPv6 != p.b.VRRP.IPv6 {
		return // told already
	}
	a, b := moved(p.a), moved(p.b)
	if len(a) > 0 && len(b) > 0 && sameRouter(p.a, p.b) && p.a.VRRP.Name != p.b.VRRP.Name && len(common(p.a, p.b)) == 0 {
		l.errs.Errorf(p.a.Place("virtual_router_id"), "give each virtual router of a link a `virtual_router_id` of its own",
			"VRID %d is vrrp_instance %s with %s here and %s with %s on %s: on one link they take each other for the master, and one of the addresses is held by nobody",
			p.a.VRRP.VRID, p.a.VRRP.Name, what(p.a), p.b.VRRP.Name, what(p.b), l.b.at(p.b.Place("virtual_router_id")))
		return
	}
	missing := func(have, other []netip.Addr) (list []string) {
		for _, x := range have {
			if !slices.Contains(other, x) {
				list = append(list, x.String())
			}
		}
		return list
	}
	const hint = "use the same list of addresses on both nodes"
	if m := missing(a, b); len(m) > 0 {
		l.errs.Errorf(p.a.Place("virtual_ipaddress", "virtual_ipaddress_excluded"), hint,
			"%s stands here and not on %s: when that node is master, nobody holds it", list(m), l.b.at(p.b.Place("virtual_ipaddress", "virtual_ipaddress_excluded")))
	}
	if m := missing(b, a); len(m) > 0 {
		l.errs.Errorf(p.b.Place("virtual_ipaddress", "virtual_ipaddress_excluded"), hint,
			"%s stands here and not on %s: when that node is master, nobody holds it", list(m), l.a.at(p.a.Place("virtual_ipaddress", "virtual_ipaddress_excluded")))
	}
	for _, x := range p.a.VIP.Addresses {
		for _, y := range p.b.VIP.Addresses {
			if x.Prefix.Addr() == y.Prefix.Addr() && x.Prefix.Bits() != y.Prefix.Bits() {
				l.errs.Warnf(p.a.Place("virtual_ipaddress"), "use the same prefix length on both nodes",
					"%v has another prefix length on %s, %v: what the master takes for its own network changes with the master", x.Prefix, l.b.at(p.b.Place("virtual_ipaddress")), y.Prefix)
			}
		}
	}
	if len(missing(a, b))+len(missing(b, a)) == 0 && len(missing(p.a.VRRP.Advertised, p.b.VRRP.Advertised))+len(missing(p.b.VRRP.Advertised, p.a.VRRP.Advertised)) > 0 {
		l.errs.Warnf(p.a.Place("virtual_ipaddress_excluded", "virtual_ipaddress"), "put the same addresses into virtual_ipaddress_excluded on both nodes",
			"the adverts of this node and of %s carry different addresses: baton accepts them, keepalived may refuse them and become a second master",
			l.b.at(p.b.Place("virtual_ipaddress_excluded", "virtual_ipaddress")))
	}
}

// unicast compares where adverts go to with where they come from.
func (l *linter) unicast(p *pairing) {
	a, b := &p.a.VRRP, &p.b.VRRP
	if a.Unicast() != b.Unicast() {
		x, y := "unicast", "multicast"
		if b.Unicast() {
			x, y = y, x
		}
		l.errs.Errorf(p.a.Place("unicast_peer"), "give both nodes a `unicast_peer` block, or none",
			"adverts are %s here and %s on %s: each refuses the other's, "+twoMasters, x, y, l.b.at(p.b.Place("unicast_peer")), what(p.a))
		return
	}
	if a.Source.IsValid() && a.Source == b.Source {
		l.errs.Errorf(p.a.Place("unicast_src_ip", "mcast_src_ip"), "each node sends from an address of its own",
			"both nodes send adverts from %v (also on %s): a kernel drops what seems to come from itself, "+twoMasters,
			a.Source, l.b.at(p.b.Place("unicast_src_ip", "mcast_src_ip")), what(p.a))
		return
	}
	if !a.Unicast() {
		return
	}
	if !a.Source.IsValid() && !b.Source.IsValid() && len(a.Peers) == 1 && len(b.Peers) == 1 && a.Peers[0].Addr == b.Peers[0].Addr {
		l.errs.Errorf(p.a.Place("unicast_peer"), "`unicast_peer` names the other node",
			"both nodes send their adverts to %v (also on %s): one of them to itself, "+twoMasters,
			a.Peers[0].Addr, l.b.at(p.b.Place("unicast_peer")), what(p.a))
		return
	}
	l.reaches(l.a, l.b, p.a, p.b)
	l.reaches(l.b, l.a, p.b, p.a)
}

// reaches checks that the adverts of one node get to the other and are accepted.
func (l *linter) reaches(from, to Node, x, y *keepalived.Instance) {
	if src := y.VRRP.Source; src.IsValid() && peerOf(&x.VRRP, src) == nil {
		l.errs.Errorf(x.Place("unicast_peer"), "add "+src.String()+" to unicast_peer",
			"`unicast_peer` does not name %v, from where %s sends: it does not hear this node, "+twoMasters,
			src, to.at(y.Place("unicast_src_ip", "mcast_src_ip")), what(x))
		return
	}
	src := x.VRRP.Source
	if !src.IsValid() {
		return
	}
	if listed := peerOf(&y.VRRP, src); listed != nil {
		ttl := x.VRRP.TTL
		if ttl == 0 {
			ttl = packet.HopLimit
		}
		// Routers between the two only make it less.
		if ttl < listed.MinTTL {
			l.errs.Errorf(x.Place("unicast_ttl"), "raise `unicast_ttl`, or lower `min_ttl` there",
				"adverts leave with TTL %d and %s wants at least %d: it refuses them, "+twoMasters, ttl, to.at(y.Place("unicast_peer")), listed.MinTTL, what(x))
		}
	}
}

func peerOf(c *vrrp.Config, a netip.Addr) *vrrp.Peer {
	for i := range c.Peers {
		if c.Peers[i].Addr == a {
			return &c.Peers[i]
		}
	}
	return nil
}

func family(x *keepalived.Instance) string {
	if x.VRRP.IPv6 {
		return "IPv6"
	}
	return "IPv4"
}

func onOff(b bool) string {
	if b {
		return "on"
	}
	return "off"
}

// downAdverts is DownAdverts with the RFCs' default.
func downAdverts(c *vrrp.Config) int {
	if c.DownAdverts == 0 {
		return 3
	}
	return c.DownAdverts
}
