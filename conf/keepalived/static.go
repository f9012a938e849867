package keepalived

import (
	"baton/conf"
	"baton/vip"
)

// staticKeywords are the blocks of what stands from start to end whatever VRRP says.
func staticKeywords() []entry[lowerer] {
	return []entry[lowerer]{
		{name: "static_ipaddress", doc: "addresses that stand as long as baton runs, one per line", body: true, many: true, parse: func(l *lowerer, b *conf.Block, _ *lowerer) {
			l.staticAt = b.Words[0]
			l.static = append(l.static, l.addressLines(b)...)
		}},
		{name: "static_routes", doc: "routes that stand as long as baton runs, one per line", body: true, many: true, parse: func(l *lowerer, b *conf.Block, _ *lowerer) {
			l.staticAt = b.Words[0]
			l.config.Static.Routes = append(l.config.Static.Routes, l.routeLines(b)...)
		}},
		{name: "static_rules", doc: "rules of the routing policy that stand as long as baton runs, one per line", body: true, many: true, parse: func(l *lowerer, b *conf.Block, _ *lowerer) {
			l.staticAt = b.Words[0]
			l.config.Static.Rules = append(l.config.Static.Rules, l.ruleLines(b)...)
		}},
	}
}

// finishStatic checks the static addresses against the virtual ones.
func (l *lowerer) finishStatic() {
	s := &l.config.Static
	if at := l.staticAt; at.Pos.Line != 0 && len(l.instanceBlocks) == 0 {
		l.errs.Errorf(at.Pos, "add a vrrp_instance, or make it with the system's own tools", "`%s` without a vrrp_instance", at.Text)
	}
	for i := range l.static {
		d := &l.static[i]
		if d.vmac {
			l.errs.Errorf(d.word.Pos, "take `use_vmac` out: no virtual router has the address", "static address %s cannot have a virtual hardware address", d.word.Text)
		}
		if d.address.Interface == "" {
			d.address.Interface = l.globals.defaultInterface
		}
		if d.address.Interface == "" {
			l.errs.Errorf(d.word.Pos, "add dev INTERFACE", "static address %s: on which interface?", d.word.Text)
			continue
		}
		l.label(d)
		l.broadcast(d)
		l.peerOf(d)
		ip := d.address.Prefix.Addr()
		if first, twice := l.addresses[ip]; twice {
			l.errs.Errorf(d.word.Pos, "", "%s stands twice: %s has it at %s", ip, first.owner, first.pos)
			continue
		}
		l.addresses[ip] = ownedAddress{d.word.Pos, "static_ipaddress"}
		s.Addresses = append(s.Addresses, d.address)
	}
	if len(s.Addresses)+len(s.Routes)+len(s.Rules) == 0 {
		return
	}
	*s = vip.Config{Instance: "static", Static: true, Addresses: s.Addresses, Routes: s.Routes, Rules: s.Rules}
}
