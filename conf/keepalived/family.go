package keepalived

import (
	"net/netip"

	"baton/conf"
	"baton/vrrp"
	"baton/vrrp/packet"
)

// parseSource reads the source address of adverts.
func parseSource(l *lowerer, b *conf.Block, d *instanceDraft) {
	if a, ok := l.host(b.Words[0].Text, b.Words[1]); ok {
		d.vrrp.Source, d.source = a, b.Words[1]
	}
}

// parsePeers reads a unicast_peer block.
func parsePeers(l *lowerer, b *conf.Block, d *instanceDraft) {
	ranged := l.peerLines(b, &d.vrrp.Peers, &d.peers)
	// keepalived.conf(5): min_ttl and max_ttl turn check_unicast_src on.
	d.vrrp.CheckPeers = d.vrrp.CheckPeers || ranged
}

// peerLines reads the lines of a unicast_peer block. words are where the peers stand;
// ranged says that one has min_ttl or max_ttl.
func (l *lowerer) peerLines(b *conf.Block, peers *[]vrrp.Peer, words *[]conf.Word) (ranged bool) {
	if len(b.Body) == 0 {
		l.errs.Errorf(b.Words[0].Pos, "name the other nodes' addresses, or take it out to send multicast", "`unicast_peer` has no peers")
	}
	for _, line := range b.Body {
		word := line.Words[0]
		if line.HasBody {
			l.errs.Errorf(word.Pos, "", "`%s` opens no block in unicast_peer", word.Text)
			continue
		}
		p := vrrp.Peer{MaxTTL: 255}
		lowerStream(l, "unicast_peer", l.peer, line.Words[1:], &p)
		if p.MinTTL > p.MaxTTL {
			l.errs.Errorf(word.Pos, "", "`min_ttl` of %s is more than `max_ttl`", word.Text)
		}
		a, ok := l.host("unicast_peer", word)
		if !ok {
			continue
		}
		p.Addr = a
		ranged = ranged || len(line.Words) > 1
		for i, other := range *peers {
			if other.Addr == a {
				l.errs.Errorf(word.Pos, "", "`unicast_peer` %s stands twice: it is also at %s", a, (*words)[i].Pos)
				ok = false
			}
		}
		if ok {
			*peers, *words = append(*peers, p), append(*words, word)
		}
	}
	return ranged
}

// peerKeywords is what may follow the address of a peer.
func peerKeywords() []entry[vrrp.Peer] {
	ttl := func(set func(*vrrp.Peer, uint8)) func(*lowerer, *conf.Block, *vrrp.Peer) {
		return func(l *lowerer, b *conf.Block, p *vrrp.Peer) {
			if n, ok := l.integer(b.Words[0].Text, b.Words[1], 0, 255); ok {
				set(p, uint8(n))
			}
		}
	}
	return []entry[vrrp.Peer]{
		{name: "min_ttl", doc: "least TTL that an advert of the peer must have when it comes in", min: 1, max: 1, parse: ttl(func(p *vrrp.Peer, n uint8) { p.MinTTL = n })},
		{name: "max_ttl", doc: "most TTL that it may have", min: 1, max: 1, parse: ttl(func(p *vrrp.Peer, n uint8) { p.MaxTTL = n })},
	}
}

// family decides between IPv4 and IPv6, and with it the version. An advert carries
// addresses of one family, over that family.
func (l *lowerer) family(d *instanceDraft) {
	v := &d.vrrp
	switch {
	case len(d.addresses) > 0:
		v.IPv6 = d.addresses[0].address.Prefix.Addr().Is6()
	case d.nativeIPv6.Pos.Line != 0:
		v.IPv6 = true
	case v.Source.IsValid():
		v.IPv6 = v.Source.Is6()
	case v.Unicast():
		v.IPv6 = v.Peers[0].Addr.Is6()
	}
	ours, other := "IPv4", "IPv6"
	if v.IPv6 {
		ours, other = other, ours
	}
	for _, a := range d.addresses {
		if a.address.Prefix.Addr().Is6() != v.IPv6 {
			l.errs.Errorf(a.word.Pos, "put it into virtual_ipaddress_excluded, or into a vrrp_instance of its own", "%s among the %s addresses of vrrp_instance %s: adverts carry one family", a.word.Text, ours, d.name.Text)
			break
		}
	}
	if w := d.nativeIPv6; w.Pos.Line != 0 && !v.IPv6 {
		l.errs.Errorf(w.Pos, "", "`native_ipv6` with IPv4 addresses in virtual_ipaddress")
	}
	if v.Source.IsValid() && v.Source.Is6() != v.IPv6 {
		l.errs.Errorf(d.source.Pos, "", "the source address %s is %s, vrrp_instance %s is %s", v.Source, other, d.name.Text, ours)
	}
	for i, p := range v.Peers {
		if p.Addr.Is6() != v.IPv6 {
			l.errs.Errorf(d.peers[i].Pos, "", "the peer %s is %s, vrrp_instance %s is %s", p.Addr, other, d.name.Text, ours)
		}
	}

	v.Version = max(d.version, 2)
	if v.IPv6 {
		if d.versionAt.Text == "2" {
			l.errs.Errorf(d.versionAt.Pos, "use `version 3`, on every node", "VRRP version 2 carries IPv4 addresses only")
		}
		v.Version = 3
	}
}

// transport checks what depends on version, family and destination of adverts.
func (l *lowerer) transport(d *instanceDraft) {
	v := &d.vrrp
	if v.Version == 3 && v.Auth.Type != packet.AuthNone {
		v.Auth = packet.Auth{}
		l.errs.Warnf(d.authType.Pos, "take the block out; where others can send on the link, filter by address or use IPsec", "`authentication` changes nothing: VRRP version 3 has none")
	}
	v.PlainSum = v.PlainSum && v.Version == 3 && !v.IPv6
	if v.IPv6 && !v.Unicast() && v.Source.IsValid() && !v.Source.IsLinkLocalUnicast() {
		l.errs.Errorf(d.source.Pos, "an address of fe80::/10", "multicast adverts over IPv6 come from a link-local address, not from %s", v.Source)
	}
	if v.IPv6 && len(d.addresses) > 0 && !d.addresses[0].address.Prefix.Addr().IsLinkLocalUnicast() {
		l.errs.Warnf(d.addresses[0].word.Pos, "put one of fe80::/10 first, the same on every node", "the first IPv6 address of a virtual router should be link-local (RFC 9568)")
	}
	if !v.Unicast() {
		if d.seen["unicast_ttl"] {
			l.errs.Warnf(d.name.Pos, "", "vrrp_instance %s has `unicast_ttl` without `unicast_peer`: multicast adverts leave with 255", d.name.Text)
		}
		if d.seen["unicast_src_ip"] && !d.seen["unicast_peer"] {
			l.errs.Errorf(d.source.Pos, "add unicast_peer, or write mcast_src_ip", "`unicast_src_ip` without `unicast_peer`")
		}
		v.CheckPeers, v.TTL = false, 0
	}
}

// host reads the address of a host.
func (l *lowerer) host(keyword string, w conf.Word) (netip.Addr, bool) {
	a, err := netip.ParseAddr(w.Text)
	switch {
	case err != nil:
		l.errs.Errorf(w.Pos, "", "`%s` must be an IP address, not `%s`", keyword, w.Text)
	case a.Zone() != "":
		l.errs.Errorf(w.Pos, "`interface` says where it is", "`%s`: write %s without the interface", keyword, w.Text)
	case a.IsUnspecified() || a.IsMulticast() || a.Is4In6() || a == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		l.errs.Errorf(w.Pos, "", "`%s`: %s is not the address of a host", keyword, w.Text)
	default:
		return a, true
	}
	return netip.Addr{}, false
}
