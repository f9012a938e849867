package balance

import (
	"slices"

	"baton/lb/spec"
)

// Plan is a set of servers prepared for an algorithm. It is made once per change,
// away from the event loops, for preparing thousands of places takes milliseconds;
// all loops then share it, so nothing of it changes.
type Plan struct {
	Slots            []Slot // those that share the traffic
	actives, backups []Slot // all that could; Slots is one of them, or a part

	table []int32 // map-based: the slot of each place
	ring  []node  // consistent: by key
	order []int32 // first: slots by number
	total int     // of all Scaled
	below []int   // per slot: the Scaled of all before it
}

// NewPlan prepares the servers of a backend, all of them.
func NewPlan(c *spec.Balance, servers []ServerState, allBackups bool) *Plan {
	p := &Plan{}
	p.choose(servers, allBackups)
	slots := p.Slots
	for i := range slots {
		s := &slots[i]
		p.below = append(p.below, p.total)
		p.total += s.Scaled
	}
	switch {
	case c.Algorithm == spec.First:
		for i := range slots {
			p.order = append(p.order, int32(i))
		}
		slices.SortStableFunc(p.order, func(a, b int32) int { return slots[a].Number - slots[b].Number })
	case c.Algorithm == spec.Random, c.Algorithm.Hashes() && c.Consistent:
		p.ring = newRing(slots)
	case c.Algorithm == spec.StaticRR, c.Algorithm.Hashes():
		p.table = newTable(slots, divisor(servers))
	}
	return p
}

// scale is what a dynamic algorithm makes of weight 1, so that a slow start has
// steps between 0 and it.
const scale = 16
