package pairlint

import (
	"baton/checkscript"
	"baton/conf/keepalived"
	"baton/vrrp"
)

// weighed is a track that adds one number of points while all is well and another
// one while it is not.
type weighed struct {
	checkscript.Track
	well, ill int
}

// reach is what an instance's priority can become. Health other than the weights'
// is left out: FAULT is no priority.
type reach struct {
	base   uint8
	tracks []weighed
	// free: a track_file may add any number, so every priority can be reached.
	free bool
}

// reachOf computes it from an instance's tracks. Tracks whose failure is FAULT
// have no part in it.
func reachOf(c *keepalived.Config, in *keepalived.Instance) reach {
	r := reach{base: in.VRRP.Priority}
	kinds := make(map[string]checkscript.Kind)
	for _, p := range c.Probes {
		kinds[p.Name] = p.Kind
	}
	for _, t := range in.Tracks {
		switch {
		case t.Weight == 0:
		case kinds[t.Probe] == checkscript.File:
			r.free = true
		default:
			up := checkscript.Weigh(t, checkscript.Reading{Verdict: checkscript.Up}).Delta
			down := checkscript.Weigh(t, checkscript.Reading{Verdict: checkscript.Down}).Delta
			r.tracks = append(r.tracks, weighed{Track: t, well: max(up, down), ill: min(up, down)})
		}
	}
	return r
}

// top is the sum of points while all is well.
func (r reach) top() int {
	sum := 0
	for _, t := range r.tracks {
		sum += t.well
	}
	return sum
}

// priority is the one in force with a sum of points.
func (r reach) priority(sum int) int { return int(vrrp.Effective(r.base, sum)) }

// normal is the priority while all is well.
func (r reach) normal() int { return r.priority(r.top()) }

// sums returns every sum that the tracks but one can add up to (-1: all of them).
func (r reach) sums(without int) map[int]bool {
	sums := map[int]bool{0: true}
	for i, t := range r.tracks {
		if i == without {
			continue
		}
		next := make(map[int]bool)
		for s := range sums {
			next[s+t.well] = true
			next[s+t.ill] = true
		}
		sums = next
	}
	return sums
}

// priorities returns every priority that can be in force: index 1..255.
func (r reach) priorities() (set [256]bool) {
	if r.free && r.base != 255 {
		for p := 1; p < 255; p++ {
			set[p] = true
		}
		return set
	}
	for s := range r.sums(-1) {
		set[r.priority(s)] = true
	}
	return set
}

// bounds returns the least and the greatest of them.
func (r reach) bounds() (least, most int) {
	set := r.priorities()
	least = 256
	for p, there := range set {
		if there {
			least, most = min(least, p), p
		}
	}
	return least, most
}

// power says what a failing track can do to its node's rank.
type power uint8

const (
	powerless power = iota // whatever else fails, the address stays
	together               // it moves the address only where something else has failed too
	alone                  // it moves the address by itself
)

// powerOf returns what track i of x can do against y. A master is left only for a
// strictly higher priority: at an equal one the backup stays where it is.
func powerOf(x reach, i int, y reach) power {
	t := x.tracks[i]
	rest := x.top() - t.well
	if x.priority(rest+t.ill) < y.normal() && x.normal() >= y.normal() {
		return alone
	}
	others := y.priorities()
	for s := range x.sums(i) {
		for p := x.priority(s+t.ill) + 1; p <= x.priority(s+t.well); p++ {
			if others[p] {
				return together
			}
		}
	}
	if x.free {
		return together
	}
	return powerless
}
