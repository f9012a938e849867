package vrrp

import (
	"baton/internal/mono"
)

// Group is a set of instances that one shell drives with one timer. Today it has
// one member; the members of a vrrp_sync_group will share one, and Step is where
// what happens to one of them will reach the others.
type Group struct {
	members []Instance
}

// NewGroup returns a group with one member per configuration, all in INIT.
func NewGroup(members ...Config) *Group {
	g := &Group{members: make([]Instance, len(members))}
	for i, c := range members {
		g.members[i].init(c)
	}
	return g
}

// Member returns the i-th instance, to look at.
func (g *Group) Member(i int) *Instance { return &g.members[i] }

// Step applies an event at now and appends what to do to out, in order.
func (g *Group) Step(now mono.Time, ev Event, out []Action) []Action {
	for i := range g.members {
		if ev.Member != i && !ev.Kind.forAll() {
			continue
		}
		from := len(out)
		out = g.members[i].Step(now, ev, out)
		for j := range out[from:] {
			out[from+j].Member = i
		}
	}
	return out
}

// Deadline is when a Timer event is due; mono.Never if none is.
func (g *Group) Deadline() mono.Time {
	d := mono.Never
	for i := range g.members {
		d = mono.Min(d, g.members[i].deadline)
	}
	return d
}

// Stalled reports whether a member was due so long ago that it must step (Timer)
// before anything that waits in the sockets is read or sent.
func (g *Group) Stalled(now mono.Time) bool {
	for i := range g.members {
		if g.members[i].stalled(now) {
			return true
		}
	}
	return false
}

func (k EventKind) forAll() bool { return k == Start || k == Timer || k == Shutdown }
