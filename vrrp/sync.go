package vrrp

import (
	"slices"
	"time"

	"baton/internal/mono"
)

// A sync group moves as one (keepalived.conf, vrrp_sync_group):
//
//	out of INIT    when the last member is ready
//	to MASTER      when the timer of the last member has expired: one that hears a
//	               better master holds all the others back
//	to BACKUP      when one member hears a better master; the others leave without
//	               priority 0, because their better ones speak for themselves
//	to FAULT       when one member has a fault; every member that was master sends
//	               priority 0
//	out of FAULT   when no member has a fault any more
//
// Members keep their own timers and adverts. A member whose timer expired before
// the others' starts it again and remembers that it wants to be master, until it
// hears one. What the pair link tells makes a member want the same way, and the
// group takes over when it has told all of them.

// NewSyncGroup returns a group whose members move together.
func NewSyncGroup(members ...Config) *Group {
	g := NewGroup(members...)
	g.sync = true
	for i := range g.members {
		g.members[i].grouped = true
		g.members[i].held = len(members) > 1
	}
	return g
}

// State returns the state that all members have, or had when they last agreed.
func (g *Group) State() State { return g.state }

// want is a member's expired master-down timer.
func (i *Instance) want(now mono.Time, why Why) {
	i.await(now)
	i.wants, i.wantWhy = true, why
}

// ready reports whether this member holds no other back.
func (i *Instance) ready() bool {
	return i.started && !i.waiting && (i.linkKnown && !i.pending || i.ownFaults() != 0)
}

// settle lets what happened to one member reach the others. last is the member
// that has become ready for MASTER in this step, or -1; it goes first.
func (g *Group) settle(now mono.Time, last, start int, out []Action) []Action {
	for i := range g.members {
		m, held, fault := &g.members[i], false, false
		for j := range g.members {
			if j != i {
				held = held || !g.members[j].ready()
				fault = fault || g.members[j].ownFaults() != 0
			}
		}
		m.held, m.memberFault, m.released = held, fault, !held
		out = g.of(i, len(out), m.review(now, m.comeback(), out))
		m.released = false
	}
	for i := range g.members {
		if m := &g.members[i]; m.joins && m.state == Backup {
			m.joins = false
			if g.count(Master) > 0 {
				out = g.of(i, len(out), m.rise(now, Synced, out))
			}
		}
	}
	if g.count(Backup) > 0 && g.count(Master) > 0 {
		for i := range g.members {
			if m := &g.members[i]; m.state == Master {
				out = g.of(i, len(out), m.backup(now, Synced, out))
			}
		}
	}
	g.share()
	switch {
	case last < 0:
	case slices.ContainsFunc(g.members, func(m Instance) bool { return !m.wants }):
		out = append(out, Action{Kind: Trace, Note: ReadyInGroup, Member: last, Priority: g.members[last].Priority()})
	default:
		g.claim(now)
		out = g.of(last, len(out), g.members[last].rise(now, g.members[last].wantWhy, out))
		for i := range g.members {
			if i != last {
				out = g.of(i, len(out), g.members[i].rise(now, Synced, out))
			}
		}
	}
	// A lower rank took clients of one member; who takes one takes all.
	if n := slices.IndexFunc(out[start:], func(a Action) bool { return a.Kind == Trace && a.Note == LowerHeard }); n >= 0 {
		heard := out[start+n].Member
		for i := range g.members {
			if i != heard && g.members[i].state == Master {
				out = append(out, Action{Kind: Announce, Member: i, Conflict: true})
			}
		}
	}
	return out
}

// fence has all masters leave when one of them stood still for too long: all did,
// and one that has spoken a little later must not speak again first.
func (g *Group) fence(now mono.Time, asleep time.Duration, out []Action) []Action {
	if g.count(Master) == 0 || !g.overslept(now, asleep) {
		return out
	}
	for i := range g.members {
		m, why := &g.members[i], Synced
		if m.overslept(now, asleep) {
			why = StalledAlone
		}
		if m.state == Master && !m.stopped {
			m.owe(now)
			out = g.of(i, len(out), m.backup(now, why, out))
		}
	}
	return out
}

// share makes what one member has learned of the other node the group's: that the
// addresses were handed over to it, and that its ends are not to be believed.
func (g *Group) share() {
	yielded, distrust := false, mono.Time(0)
	for i := range g.members {
		m := &g.members[i]
		yielded = yielded || m.state == Backup && m.partner.yielded
		distrust = max(distrust, m.partner.distrustUntil)
	}
	for i := range g.members {
		m := &g.members[i]
		m.partner.yielded = m.partner.yielded || yielded && m.state == Backup
		m.partner.distrustUntil = distrust
	}
}

// claim makes the takeover of all members provisional when that of one is.
func (g *Group) claim(now mono.Time) {
	for i := range g.members {
		if !g.members[i].claims(now) {
			continue
		}
		for j := range g.members {
			if m := &g.members[j]; !m.claims(now) && m.peer.IsValid() {
				m.presume(now)
			}
		}
		return
	}
}

// of gives the actions from a place on to a member.
func (g *Group) of(member, from int, out []Action) []Action {
	for i := range out[from:] {
		out[from+i].Member = member
	}
	return out
}

func (g *Group) count(s State) (n int) {
	for i := range g.members {
		if g.members[i].state == s {
			n++
		}
	}
	return n
}

// report tells when all members have arrived in a new state. It comes after the
// members' own reports, but before them when the group begins, as keepalived has it.
func (g *Group) report(start int, out []Action) []Action {
	s := g.members[0].state
	if s == g.state || g.count(s) != len(g.members) {
		return out
	}
	a := Action{Kind: NotifyGroup, From: g.state, State: s}
	g.state = s
	first := slices.IndexFunc(out[start:], func(b Action) bool { return b.Kind == Notify })
	if first < 0 {
		return append(out, a)
	}
	a.Why, a.Faults = out[start+first].Why, out[start+first].Faults
	if a.From == Init && s == Backup {
		return slices.Insert(out, start+first, a)
	}
	return append(out, a)
}
