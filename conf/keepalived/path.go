package keepalived

import (
	"baton/conf"
	"baton/vrrp"
)

// pathDraft is a heartbeat_path block on its way.
type pathDraft struct {
	path   vrrp.Path
	at     conf.Word // heartbeat_path, then the name of the interface
	source conf.Word
	ttl    conf.Word
	peers  []conf.Word // the same as path.Peers
}

// pathKeywords is heartbeat_path, which keepalived does not have. The words are those
// of vrrp_instance and mean the same.
func pathKeywords() []entry[pathDraft] {
	source := func(l *lowerer, b *conf.Block, d *pathDraft) {
		if a, ok := l.host(b.Words[0].Text, b.Words[1]); ok {
			d.path.Source, d.source = a, b.Words[1]
		}
	}
	return []entry[pathDraft]{
		{name: "interface", doc: "where adverts are sent and heard too; another than the instance's", min: 1, max: 1, parse: func(l *lowerer, b *conf.Block, d *pathDraft) {
			if l.interfaceName("interface", b.Words[1]) {
				d.path.Interface, d.at = b.Words[1].Text, b.Words[1]
			}
		}},
		{name: "unicast_peer", doc: "adverts go to these addresses and come from them only, instead of the group: ADDRESS [min_ttl N] [max_ttl N]", body: true, many: true, parse: func(l *lowerer, b *conf.Block, d *pathDraft) {
			l.peerLines(b, &d.path.Peers, &d.peers)
		}},
		{name: "mcast_src_ip", doc: "source address of the path's adverts; by default the interface's first, link-local with IPv6", min: 1, max: 1, parse: source},
		{name: "unicast_src_ip", doc: "the same as mcast_src_ip", min: 1, max: 1, parse: source},
		{name: "unicast_ttl", doc: "TTL or hop limit of unicast adverts, 255 by default", min: 1, max: 1, parse: func(l *lowerer, b *conf.Block, d *pathDraft) {
			if n, ok := l.integer("unicast_ttl", b.Words[1], 1, 255); ok {
				d.path.TTL, d.ttl = uint8(n), b.Words[0]
			}
		}},
	}
}

func parsePath(l *lowerer, b *conf.Block, d *instanceDraft) {
	p := pathDraft{at: b.Words[0]}
	errors := l.errs.Errors()
	lowerBody(l, "heartbeat_path", l.path, b.Body, &p)
	if p.path.Interface == "" {
		if l.errs.Errors() == errors {
			l.errs.Errorf(p.at.Pos, "add interface NAME, also for unicast adverts", "`heartbeat_path` has no `interface`")
		}
		return
	}
	d.paths = append(d.paths, p)
}

// finishPaths checks the paths of an instance whose family is known by now.
func (l *lowerer) finishPaths(d *instanceDraft) {
	v := &d.vrrp
	family := "IPv4"
	if v.IPv6 {
		family = "IPv6"
	}
	for i := range d.paths {
		p := &d.paths[i]
		if p.path.Interface == v.Interface {
			l.errs.Errorf(p.at.Pos, "a path that fails together with the first is none", "heartbeat_path: %s is the interface of vrrp_instance %s itself", v.Interface, d.name.Text)
			continue
		}
		switch s := p.path.Source; {
		case !s.IsValid():
		case s.Is6() != v.IPv6:
			l.errs.Errorf(p.source.Pos, "", "the source address %s is not %s, as vrrp_instance %s is", s, family, d.name.Text)
		case v.IPv6 && len(p.path.Peers) == 0 && !s.IsLinkLocalUnicast():
			l.errs.Errorf(p.source.Pos, "an address of fe80::/10", "multicast adverts over IPv6 come from a link-local address, not from %s", s)
		}
		for n, peer := range p.path.Peers {
			if peer.Addr.Is6() != v.IPv6 {
				l.errs.Errorf(p.peers[n].Pos, "", "the peer %s is not %s, as vrrp_instance %s is", peer.Addr, family, d.name.Text)
			}
		}
		if p.path.TTL != 0 && len(p.path.Peers) == 0 {
			l.errs.Warnf(p.ttl.Pos, "", "`unicast_ttl` without `unicast_peer`: multicast adverts leave with 255")
			p.path.TTL = 0
		}
		// Its adverts carry the instance's VRID, there too.
		key := vridKey{p.path.Interface, v.IPv6, v.VRID}
		if first, twice := l.vrids[key]; twice {
			l.errs.Errorf(p.at.Pos, "give the instances different virtual_router_ids", "heartbeat_path: virtual_router_id %d on %s is taken at %s", key.vrid, key.iface, first)
			continue
		}
		l.vrids[key] = p.at.Pos
		v.Paths = append(v.Paths, p.path)
	}
}
