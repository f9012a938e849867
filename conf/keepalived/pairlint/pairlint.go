package pairlint

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"baton/conf/keepalived"
	"baton/internal/diag"
)

// Node is one of the two.
type Node struct {
	Name   string // as findings call it: its id, or the name of its file
	Config *keepalived.Config
}

// at shows a place of a node's files to a reader who looks at the other's.
func (n Node) at(p diag.Pos) string {
	p.Col = 0
	if n.Name == p.File {
		return p.String()
	}
	return fmt.Sprintf("%s (%v)", n.Name, p)
}

// Pair compares two nodes. What is wrong between the two is told at its place in a;
// what only b has is told at its place in b. Both configurations must be whole.
func Pair(a, b Node) diag.List {
	l := &linter{a: a, b: b}
	pairs, aloneA, aloneB := match(a.Config.Instances, b.Config.Instances)
	for i := range pairs {
		p := &pairs[i]
		l.wire(p)
		l.addresses(p)
		l.unicast(p)
		l.paths(p)
		l.belongings(p)
		l.priorities(p)
		l.sharedFate(p)
	}
	l.unmatched(a, b, aloneA)
	l.unmatched(b, a, aloneB)
	l.groups(pairs)
	l.link()
	l.errs.Sort()
	return l.errs
}

// linter is the state of one Pair.
type linter struct {
	a, b Node
	errs diag.List
}

// pairing is a virtual router as the two nodes have it.
type pairing struct {
	a, b *keepalived.Instance
}

// match finds for each instance of a the one of b that it shares a virtual router
// with. VRID and family are what counts on the wire; where they differ, a common
// name or a common address says that they should not.
func match(a, b []keepalived.Instance) (pairs []pairing, aloneA, aloneB []*keepalived.Instance) {
	partner := make([]int, len(a))
	taken := make([]bool, len(b))
	for i := range partner {
		partner[i] = -1
	}
	for _, same := range []func(x, y *keepalived.Instance) bool{
		func(x, y *keepalived.Instance) bool { return sameRouter(x, y) && x.VRRP.Name == y.VRRP.Name },
		func(x, y *keepalived.Instance) bool {
			return sameRouter(x, y) && x.VRRP.Interface == y.VRRP.Interface
		},
		sameRouter,
		func(x, y *keepalived.Instance) bool { return x.VRRP.Name == y.VRRP.Name },
		func(x, y *keepalived.Instance) bool { return len(common(x, y)) > 0 },
	} {
		for i := range a {
			if partner[i] >= 0 {
				continue
			}
			for k := range b {
				if !taken[k] && same(&a[i], &b[k]) {
					partner[i], taken[k] = k, true
					break
				}
			}
		}
	}
	for i := range a {
		if partner[i] >= 0 {
			pairs = append(pairs, pairing{&a[i], &b[partner[i]]})
		} else {
			aloneA = append(aloneA, &a[i])
		}
	}
	for k := range b {
		if !taken[k] {
			aloneB = append(aloneB, &b[k])
		}
	}
	return pairs, aloneA, aloneB
}

func sameRouter(x, y *keepalived.Instance) bool {
	return x.VRRP.VRID == y.VRRP.VRID && x.VRRP.IPv6 == y.VRRP.IPv6
}

// common returns the addresses that both instances move.
func common(x, y *keepalived.Instance) []netip.Addr {
	var list []netip.Addr
	for _, a := range moved(x) {
		if slices.Contains(moved(y), a) {
			list = append(list, a)
		}
	}
	return list
}

// moved returns what an instance moves, excluded addresses included.
func moved(x *keepalived.Instance) []netip.Addr {
	var list []netip.Addr
	for _, a := range x.VIP.Addresses {
		list = append(list, a.Prefix.Addr())
	}
	return list
}

// what names what is lost: the first address of an instance, or the instance.
func what(x *keepalived.Instance) string {
	switch list := moved(x); len(list) {
	case 0:
		return "vrrp_instance " + x.VRRP.Name
	case 1:
		return list[0].String()
	default:
		return fmt.Sprintf("%v and %d more", list[0], len(list)-1)
	}
}

// unmatched tells of instances that the other node has nothing for.
func (l *linter) unmatched(here, there Node, alone []*keepalived.Instance) {
	for _, x := range alone {
		family := "IPv4"
		if x.VRRP.IPv6 {
			family = "IPv6"
		}
		l.errs.Errorf(x.Pos, "add the instance there, or take it out here",
			"vrrp_instance %s (VRID %d, %s) has no counterpart on %s: when this node dies, nobody holds %s",
			x.VRRP.Name, x.VRRP.VRID, family, there.Name, what(x))
	}
}

// link compares the pair blocks.
func (l *linter) link() {
	a, b := l.a.Config.Pair, l.b.Config.Pair
	const hint = "`baton pair init` and `baton pair join` make one on both nodes"
	switch {
	case a == nil && b == nil:
	case b == nil:
		l.errs.Warnf(a.Pos, hint, "`pair` stands on this node only: the link never comes up, and a takeover takes as long as plain VRRP does")
	case a == nil:
		l.errs.Warnf(b.Pos, hint, "`pair` stands on this node only: the link never comes up, and a takeover takes as long as plain VRRP does")
	case a.Peer == b.Peer && a.Peer.IsValid():
		l.errs.Errorf(a.Pos, "`peer` is the other node's address; `@ID` in front of a line keeps it to the node of that name",
			"`pair` names %v on both nodes (also at %s): one of them calls itself, and the link never comes up", a.Peer, l.b.at(b.Pos))
	}
}

// list joins names for a sentence: "a, b and c".
func list(names []string) string {
	if n := len(names); n > 1 {
		return strings.Join(names[:n-1], ", ") + " and " + names[n-1]
	}
	return strings.Join(names, "")
}
