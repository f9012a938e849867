package vrrp

import (
	"slices"

	"baton/internal/mono"
)

// Joining is a member of a group that a reload makes anew.
type Joining struct {
	Config
	// Was is the instance that goes on with this Config, with its state, its timers
	// and what it knows of others; nil: a new one. It is not to be used any more.
	Was *Instance
}

// Continue makes a group of a new configuration and appends what follows from the
// change: a sync group (sync) that is state, or instances that have nothing to do
// with each other. What can stay as it is does: a master goes on as master. New
// members await their Start.
func Continue(now mono.Time, sync bool, state State, members []Joining, out []Action) (*Group, []Action) {
	g := &Group{members: make([]Instance, len(members)), sync: sync, state: state}
	master := slices.ContainsFunc(members, func(j Joining) bool { return j.Was != nil && j.Was.state == Master })
	for i, j := range members {
		m := &g.members[i]
		if j.Was == nil {
			m.init(j.Config)
			m.joins = sync && master
		} else {
			*m = *j.Was
		}
		m.grouped, m.wants, m.released = sync, m.wants && sync, false
		m.held, m.memberFault = sync && len(members) > 1, m.memberFault && sync
	}
	start := len(out)
	for i, j := range members {
		if j.Was != nil {
			out = g.of(i, len(out), g.members[i].reconfigure(now, j.Config, out))
		}
	}
	if sync {
		out = g.settle(now, -1, start, out)
		out = g.report(start, out)
	}
	return g, out
}

// reconfigure goes on with another configuration. A running timer moves by as much
// as its length is another; nothing starts anew.
func (i *Instance) reconfigure(now mono.Time, c Config, out []Action) []Action {
	was, old := i.Priority(), i.cfg
	down, skew, interval := i.MasterDown(), i.Skew(), i.cfg.AdvertInterval
	i.cfg = c
	i.steppedDown = i.steppedDown && c.Priority == 255
	if !slices.EqualFunc(old.Paths, c.Paths, samePath) {
		i.sights = nil
		if len(c.Paths) > 0 {
			i.sights = make([]PathSight, 1+len(c.Paths))
			i.forgetSights(now)
		}
	}
	switch i.state {
	case Backup:
		longer := i.MasterDown() - down
		if i.resigned {
			longer = i.Skew() - skew
		}
		i.deadline = max(i.deadline.Add(longer), now)
		if c.PreemptDelay <= 0 || c.NoPreempt {
			i.preemptAt = mono.Never
		}
	case Master:
		i.deadline = max(min(i.deadline, i.deadline.Add(c.AdvertInterval-interval)), now)
	case Init:
		i.awaitStart()
	case Fault:
	}
	if is := i.Priority(); is != was {
		out = append(out, Action{Kind: Trace, Note: PriorityChanged, Priority: is})
	}
	return i.review(now, i.comeback(), out)
}

func samePath(a, b Path) bool {
	return a.Interface == b.Interface && a.Source == b.Source && a.TTL == b.TTL && slices.Equal(a.Peers, b.Peers)
}

// Solo takes an instance out of its group, to be removed.
func Solo(i *Instance) *Group {
	g := &Group{members: []Instance{*i}}
	g.members[0].grouped = false
	return g
}
