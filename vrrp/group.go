package vrrp

import (
	"time"

	"baton/internal/mono"
)

// Group is a set of instances that one shell drives with one timer: an instance
// alone, or the members of a vrrp_sync_group, which move together (sync.go).
type Group struct {
	members []Instance
	sync    bool
	state   State // of a sync group, as last told
}

// NewGroup returns a group with one member per configuration, all in INIT, that
// have nothing to do with each other.
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
	start, last := len(out), -1
	if g.sync {
		if out = g.fence(now, ev.Asleep, out); len(out) > start {
			ev.Asleep = 0 // all have begun anew
		}
	}
	for i := range g.members {
		// What has been handed over, or shall not be any longer, is the group.
		all := ev.Kind.forAll() || g.sync && (ev.Kind == Resign || ev.Kind == Keep)
		if ev.Member != i && !all {
			continue
		}
		wanted := g.members[i].wants
		out = g.of(i, len(out), g.members[i].Step(now, ev, out))
		if !wanted && g.members[i].wants {
			last = i
		}
	}
	if !g.sync {
		return out
	}
	if ev.Kind != Shutdown {
		out = g.settle(now, last, start, out)
	}
	return g.report(start, out)
}

// Overdue appends the adverts (SendAdvert) that have become due since the last Step,
// and nothing else. It is for a shell in the middle of carrying out a batch that takes
// long: hundreds of addresses take longer to set than a short advert interval, and who
// is silent meanwhile loses them again. Whatever else is due waits for the next Step.
func (g *Group) Overdue(now mono.Time, out []Action) []Action {
	return g.speak(now, (*Instance).overdue, out)
}

// Lead is by how much an advert may leave early.
func Lead(interval time.Duration) time.Duration { return interval / 8 }

// Ahead appends what belongs to adverts that are due within their Lead. It is for a shell
// that is awake for another group's advert: of hundreds of instances those with like
// intervals fall into step after a while, and leave together from then on. An advert that
// comes early disturbs nobody, and a wake-up costs more than the advert.
func (g *Group) Ahead(now mono.Time, out []Action) []Action {
	return g.speak(now, (*Instance).ahead, out)
}

// speak lets the members say what they have to, outside of a Step.
func (g *Group) speak(now mono.Time, say func(*Instance, mono.Time, []Action) []Action, out []Action) []Action {
	if g.fenced(now) {
		return out
	}
	for i := range g.members {
		out = g.of(i, len(out), say(&g.members[i], now, out))
	}
	return out
}

// fenced reports whether a sync group leaves MASTER in its next Step (fence): no member
// speaks before.
func (g *Group) fenced(now mono.Time) bool { return g.sync && g.overslept(now, 0) }

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
func (g *Group) Stalled(now mono.Time) bool { return g.overslept(now, 0) }

func (g *Group) overslept(now mono.Time, asleep time.Duration) bool {
	for i := range g.members {
		if g.members[i].overslept(now, asleep) {
			return true
		}
	}
	return false
}

func (k EventKind) forAll() bool { return k == Start || k == Timer || k == Slept || k == Shutdown }
