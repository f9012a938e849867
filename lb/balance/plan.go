package balance

import (
	"slices"

	"baton/lb/spec"
)

// Plan is a set of servers prepared for an algorithm. It is made once per change,
// away from the event loops, for preparing thousands of places takes milliseconds;
// all loops then share it, so nothing of it changes.
type Plan struct {
	Slots []Slot
	table []int32 // map-based: the slot of each place
	ring  []node  // consistent: by key
	order []int32 // first: slots by number
	total int     // of all Scaled
	below []int   // per slot: the Scaled of all before it
}

// NewPlan prepares slots, which the plan keeps.
func NewPlan(c *spec.Balance, slots []Slot) *Plan {
	p := &Plan{Slots: slots}
	for i := range slots {
		s := &slots[i]
		if s.Scaled == 0 {
			s.Scaled = s.Weight * scale
		}
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
		p.table = newTable(slots)
	}
	return p
}

// scale is what a dynamic algorithm makes of weight 1, so that a slow start has
// steps between 0 and it.
const scale = 16
