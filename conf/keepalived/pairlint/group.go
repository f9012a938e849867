package pairlint

import (
	"slices"

	"baton/conf/keepalived"
)

// groups compares the sync groups: the members of one go the same way, so both
// nodes must have the same ones, and one node must rank higher in all of them.
func (l *linter) groups(pairs []pairing) {
	flipped := make([]pairing, len(pairs))
	for i, p := range pairs {
		flipped[i] = pairing{p.b, p.a}
	}
	for i := range l.a.Config.Groups {
		g := &l.a.Config.Groups[i]
		l.sameMembers(l.b, g, membersOf(g, pairs))
		l.sameLeader(g, membersOf(g, pairs))
	}
	for i := range l.b.Config.Groups {
		g := &l.b.Config.Groups[i]
		l.sameMembers(l.a, g, membersOf(g, flipped))
	}
}

// membersOf returns the pairs whose a is in a group.
func membersOf(g *keepalived.Group, pairs []pairing) []pairing {
	var list []pairing
	for _, p := range pairs {
		if slices.Contains(g.Members, p.a.VRRP.Name) {
			list = append(list, p)
		}
	}
	return list
}

// sameMembers finds members whose counterparts may fail by themselves: the group
// takes over as a whole or not at all.
func (l *linter) sameMembers(there Node, g *keepalived.Group, members []pairing) {
	const hint = "put the same instances into the same vrrp_sync_group on both nodes"
	var first *keepalived.Group // that a counterpart is in
	for i, p := range members {
		counterpart := groupOf(there.Config, p.b)
		switch {
		case len(g.Members) < 2:
		case counterpart == nil:
			l.errs.Errorf(g.Pos, hint,
				"vrrp_instance %s is in vrrp_sync_group %s here and in none on %s: when it alone fails there, this node may not take it without the others, and nobody holds %s",
				p.a.VRRP.Name, g.Name, there.at(p.b.Pos), what(p.a))
			return
		case i == 0:
			first = counterpart
		case counterpart != first:
			l.errs.Errorf(g.Pos, hint,
				"vrrp_instances %s and %s are in one vrrp_sync_group here and in two on %s: when one of them fails there, this node may not take it without the other, and nobody holds it",
				members[0].a.VRRP.Name, p.a.VRRP.Name, there.at(counterpart.Pos))
			return
		}
	}
}

// sameLeader finds a group whose members rank differently on the two nodes.
func (l *linter) sameLeader(g *keepalived.Group, members []pairing) {
	higher, lower := "", ""
	for _, p := range members {
		if groupOf(l.b.Config, p.b) == nil {
			continue
		}
		x, y := reachOf(l.a.Config, p.a).normal(), reachOf(l.b.Config, p.b).normal()
		switch {
		case x > y:
			higher = p.a.VRRP.Name
		case x < y:
			lower = p.a.VRRP.Name
		}
	}
	if higher != "" && lower != "" {
		l.errs.Errorf(g.Pos, "let one node have the higher priority in all members, or take the group apart",
			"in vrrp_sync_group %s this node has the higher priority in vrrp_instance %s and %s in %s: each gives way to the other, and after a split the group may have no master",
			g.Name, higher, l.b.Name, lower)
	}
}

func groupOf(c *keepalived.Config, in *keepalived.Instance) *keepalived.Group {
	i := slices.IndexFunc(c.Groups, func(g keepalived.Group) bool { return slices.Contains(g.Members, in.VRRP.Name) })
	if i < 0 {
		return nil
	}
	return &c.Groups[i]
}
