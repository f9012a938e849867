package pairlint

import (
	"net/netip"
	"slices"

	"baton/vrrp"
)

// paths compares the heartbeat paths: what one node sends the other must hear.
// Interfaces may have other names on the other node, so paths belong together in the
// order of the files.
func (l *linter) paths(p *pairing) {
	a, b := p.a.VRRP.Paths, p.b.VRRP.Paths
	here, there := p.a.Place("heartbeat_path"), l.b.at(p.b.Place("heartbeat_path"))
	if len(a) != len(b) {
		l.errs.Errorf(here, "give both nodes the same heartbeat_paths",
			"heartbeat_path: %d here and %d on %s: a path that one node alone has keeps nobody from taking over, so in the split that it is meant for both become master",
			len(a), len(b), there)
		return
	}
	for i := range a {
		x, y := &a[i], &b[i]
		switch {
		case (len(x.Peers) > 0) != (len(y.Peers) > 0):
			l.errs.Errorf(here, "give both a `unicast_peer` block, or none",
				"heartbeat_path: that by %s is %s here, that by %s is %s on %s: neither node hears the other by it, so in the split that it is meant for both become master",
				x.Interface, cast(x), y.Interface, cast(y), there)
		case unheard(x, y.Source) || unheard(y, x.Source):
			l.errs.Errorf(here, "`unicast_peer` of a path names the address that the other node sends from there",
				"heartbeat_path: the `unicast_peer` by %s and the source on %s do not fit: what comes by a path counts only from its peers, so in the split that it is meant for both become master",
				x.Interface, there)
		}
	}
}

// unheard reports whether a path does not listen to an address that is known.
func unheard(x *vrrp.Path, source netip.Addr) bool {
	return len(x.Peers) > 0 && source.IsValid() && !slices.ContainsFunc(x.Peers, func(p vrrp.Peer) bool { return p.Addr == source })
}

func cast(x *vrrp.Path) string {
	if len(x.Peers) > 0 {
		return "unicast"
	}
	return "multicast"
}

// belongings compares what else moves with the addresses.
func (l *linter) belongings(p *pairing) {
	a, b := &p.a.VIP, &p.b.VIP
	if (a.VMAC.Name != "") != (b.VMAC.Name != "") {
		l.errs.Warnf(p.a.Place("use_vmac"), "use `use_vmac` on both nodes or on none",
			"`use_vmac` is %s here and %s on %s: the hardware address of %s changes with the master, which is what it should prevent",
			onOff(a.VMAC.Name != ""), onOff(b.VMAC.Name != ""), l.b.at(p.b.Place("use_vmac")), what(p.a))
	}
	if len(a.Routes) != len(b.Routes) || len(a.Rules) != len(b.Rules) {
		l.errs.Warnf(p.a.Place("virtual_routes", "virtual_rules"), "use the same lists on both nodes",
			"%d virtual_routes and %d virtual_rules here, %d and %d on %s: what only one node has is missing after a failover",
			len(a.Routes), len(a.Rules), len(b.Routes), len(b.Rules), l.b.at(p.b.Place("virtual_routes", "virtual_rules")))
	}
}
