package pairlint

import (
	"fmt"
	"slices"

	"baton/checkscript"
	"baton/conf/keepalived"
)

// side is one node of a pairing, as the findings about its priority need it.
type side struct {
	node  Node
	in    *keepalived.Instance
	reach reach
}

// priorities compares who is master, and what can change it.
func (l *linter) priorities(p *pairing) {
	x := side{l.a, p.a, reachOf(l.a.Config, p.a)}
	y := side{l.b, p.b, reachOf(l.b.Config, p.b)}
	switch {
	case x.reach.base == 255 && y.reach.base == 255:
		l.errs.Errorf(x.in.Place("priority"), "only one node may own the addresses; give the other one a lower priority",
			"priority 255 on both nodes (also on %s): both begin as masters and both answer for %s until one of them gives way",
			y.node.at(y.in.Place("priority")), what(x.in))
		return
	case x.reach.normal() == y.reach.normal():
		l.errs.Warnf(x.in.Place("priority"), "give the node that should be master the higher `priority`",
			"both nodes have priority %d while all is well (also %s): whoever comes first is master, and when two masters meet the higher IP address decides",
			x.reach.normal(), y.node.at(y.in.Place("priority")))
	}
	leader, follower := x, y
	if y.reach.normal() > x.reach.normal() {
		leader, follower = y, x
	}
	l.states(leader, follower)
	// What keeps the leader's weights from counting keeps the follower's, too: one
	// finding for one mistake.
	if !l.weights(leader, follower, true) {
		l.weights(follower, leader, false)
	}
	l.delay(leader, follower)
}

// states finds words of the file that promise another master than the priorities do.
func (l *linter) states(leader, follower side) {
	if leader.reach.normal() == follower.reach.normal() {
		return
	}
	if follower.in.VRRP.StartAsMaster && !leader.in.VRRP.StartAsMaster {
		l.errs.Warnf(follower.in.Place("state"), "give this node the higher `priority`, or write `state BACKUP`",
			"`state MASTER` does not make this node the master: its priority is %d, and %s has %d",
			follower.reach.normal(), leader.node.at(leader.in.Place("priority")), leader.reach.normal())
	}
	if follower.in.VRRP.NoPreempt && !leader.in.VRRP.NoPreempt {
		l.errs.Warnf(follower.in.Place("nopreempt"), "move `nopreempt` to the node of the higher priority, with `state BACKUP`",
			"`nopreempt` stands on the node of the lower priority: %s takes the address back all the same as soon as it returns",
			leader.node.at(leader.in.Pos))
	}
}

// weights tells which tracks of x can never take the address to y. It reports
// whether it found one.
func (l *linter) weights(x, y side, leads bool) (found bool) {
	if x.reach.base == 255 || len(x.reach.tracks) == 0 {
		return false // that a weight does not change an owner is told of the file alone
	}
	if y.in.VRRP.NoPreempt {
		t := x.reach.tracks[0]
		l.errs.Errorf(t.Pos, "use `weight 0`, which makes a failure FAULT, or take `nopreempt` out there",
			"the weight of %s can never move %s: %s has `nopreempt` and leaves a living master alone, however low its priority; the address stays on a node that has failed",
			list(x.probes()), what(x.in), y.node.at(y.in.Place("nopreempt")))
		return true
	}
	least, most := y.reach.bounds()
	for i, t := range x.reach.tracks {
		fallen := x.reach.priority(x.reach.top() - t.well + t.ill)
		switch powerOf(x.reach, i, y.reach) {
		case powerless:
			found = true
			if !leads {
				lowest, highest := x.reach.bounds()
				l.errs.Warnf(t.Pos, "take it out, or bring the priorities closer together",
					"%s changes nothing: this node has priority %s, %s never less than %d", t.Probe, span(lowest, highest), y.node.at(y.in.Place("priority")), least)
				continue
			}
			l.errs.Errorf(t.Pos, remedy(x, i, y), "%s can never move %s: when it %s the priority goes from %d to %d, and %s has %d at most%s; the address stays on a node that has failed",
				t.Probe, what(x.in), fails(t), x.reach.normal(), fallen, y.node.at(y.in.Place("priority")), most, equal(fallen, most))
		case together:
			if leads && !x.reach.free {
				l.errs.Warnf(t.Pos, remedy(x, i, y), "%s does not move %s by itself: when it %s the priority goes from %d to %d, and %s has %d%s; only together with another failure it counts",
					t.Probe, what(x.in), fails(t), x.reach.normal(), fallen, y.node.at(y.in.Place("priority")), y.reach.normal(), equal(fallen, y.reach.normal()))
			}
		}
	}
	return found
}

func (s side) probes() []string {
	var names []string
	for _, t := range s.reach.tracks {
		names = append(names, t.Probe)
	}
	return names
}

// fails says when a track takes points away.
func fails(t weighed) string {
	if t.Reverse {
		return "succeeds (`reverse`)"
	}
	return "fails"
}

func span(least, most int) string {
	if least == most {
		return fmt.Sprint(most)
	}
	return fmt.Sprintf("%d to %d", least, most)
}

func equal(fallen, other int) string {
	if fallen == other {
		return ", which is no more: a backup leaves a master of equal priority alone"
	}
	return ""
}

// remedy computes the weight that would do.
func remedy(x side, i int, y side) string {
	t := x.reach.tracks[i]
	sign := 1
	if t.Reverse {
		sign = -1
	}
	const lastResort = "use `weight 0`, which makes a failure FAULT"
	if t.well > 0 {
		// The points are lost here and kept there, if it is tracked there too: then a
		// weight that is greater than the rest of the gap will do.
		rest := y.reach.top()
		if k := slices.IndexFunc(y.reach.tracks, func(u weighed) bool { return u.Probe == t.Probe && u.well > 0 }); k >= 0 {
			rest -= y.reach.tracks[k].well
		}
		need := int(x.reach.base) + x.reach.top() - t.well + t.ill - int(y.reach.base) - rest + 1
		if need > 0 && need <= 253 && int(y.reach.base)+rest+need <= 254 {
			return fmt.Sprintf("track it on both nodes with a weight of %d or %s, or %s", sign*need, beyond(sign), lastResort)
		}
		return lastResort
	}
	if need := x.reach.normal() - t.well - y.reach.normal() + 1; need > 0 && need <= 253 && y.reach.normal() > 1 {
		return fmt.Sprintf("use a weight of %d or %s, or %s", -sign*need, beyond(-sign), lastResort[len("use "):])
	}
	return lastResort
}

func beyond(sign int) string {
	if sign < 0 {
		return "less"
	}
	return "more"
}

// delay tells of a backup that waits although the master has failed.
func (l *linter) delay(leader, follower side) {
	d := follower.in.VRRP.PreemptDelay
	if d == 0 || len(leader.reach.tracks) == 0 || leader.reach.base == 255 {
		return
	}
	l.errs.Warnf(follower.in.Place("preempt_delay"), "use `weight 0` for what must move the address at once, or take `preempt_delay` out here: only the node of the higher priority needs it",
		"`preempt_delay` holds for a master that has failed, too: when %s fails on %s, this node takes over only after %v",
		list(leader.probes()), leader.node.at(leader.reach.tracks[0].Pos), d)
}

// sharedFate tells of a check that both nodes do alike and whose failure is FAULT:
// what it asks may fail for both, and then nobody holds the address. Those that
// ask baton's own balancer are told of by conf/keepalived.
func (l *linter) sharedFate(p *pairing) {
	for _, t := range p.a.Tracks {
		for _, u := range p.b.Tracks {
			x, y := probeOf(l.a.Config, t), probeOf(l.b.Config, u)
			if t.Weight != 0 || u.Weight != 0 || x == nil || y == nil || x.Kind != checkscript.Script || y.Kind != checkscript.Script || !slices.Equal(x.Argv, y.Argv) {
				continue
			}
			if host, asks := asksNetwork(x.Argv); asks && !isLoopback(host) { // that is told of each file alone
				l.errs.Warnf(t.Pos, "give it a weight, the same on both nodes, so that the address stays where both fail alike",
					"%s asks %s on both nodes (also %s) and its failure is FAULT: when that does not answer, both are in FAULT and nobody holds %s",
					t.Probe, host, l.b.at(u.Pos), what(p.a))
			}
		}
	}
}

func probeOf(c *keepalived.Config, t checkscript.Track) *checkscript.Probe {
	i := slices.IndexFunc(c.Probes, func(p checkscript.Probe) bool { return p.Name == t.Probe })
	if i < 0 {
		return nil
	}
	return &c.Probes[i]
}
