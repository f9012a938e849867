package balance

import (
	"cmp"
	"slices"
	"sort"

	"baton/internal/mono"
	"baton/lb/hash"
	"baton/lb/spec"
)

// node is one of a server's places on the ring.
type node struct {
	key  uint32
	slot int32
}

// numbers is how many places a server's number has of its own: that of place k of
// server n is n*numbers+k, and the places are where the avalanche of that lies.
const numbers = 256 * scale

// newRing gives every server as many places as it weighs, in sixteenths. They hang
// on the server's number alone, so whoever else comes or goes moves nobody's. This
// is where HAProxy 2.6 was seen to put them.
func newRing(slots []Slot) []node {
	var ring []node
	for i := range slots {
		for k := range slots[i].Scaled {
			ring = append(ring, node{hash.Avalanche(uint32(slots[i].Number*numbers + k)), int32(i)})
		}
	}
	slices.SortStableFunc(ring, func(a, b node) int { return cmp.Compare(a.key, b.key) })
	return ring
}

// near returns the place that lies closest to a hash, the one below it of two that
// are equally close.
func near(ring []node, hash uint32) int {
	next := sort.Search(len(ring), func(i int) bool { return ring[i].key >= hash })
	last := next - 1
	if last < 0 {
		last = len(ring) - 1
	}
	if next == len(ring) {
		next = 0
	}
	if hash-ring[last].key <= ring[next].key-hash {
		return last
	}
	return next
}

// ringHash is a hash with `hash-type consistent`.
type ringHash struct {
	plan     *Plan
	factor   int // hash-balance-factor; 0: none
	affinity spec.Affinity
	last     uint32 // the place whose turn it was, by its key; for requests without a key
	turned   bool
}

func (h *ringHash) Update(p *Plan) { h.plan = p }

func (h *ringHash) Pick(k Key, now mono.Time) (int, Result) { return h.PickExcept(k, -1, now) }

func (h *ringHash) PickExcept(k Key, except int, _ mono.Time) (int, Result) {
	if h.plan == nil || len(h.plan.ring) == 0 {
		return 0, None
	}
	if !k.OK {
		return h.turn(except)
	}
	return h.lookup(k.Hash, except)
}

// lookup finds the server of a hash, or the next one on the ring where that is the
// one to avoid, has more than its share, or is not stayed with. Where no server is, it is
// the one before the first.
func (h *ringHash) lookup(hash uint32, except int) (int, Result) {
	p, factor := h.plan, h.factor
	at := near(p.ring, hash)
	left, result := 0, None
	served := 0
	if factor > 0 {
		for i := range p.Slots {
			served += p.Slots[i].Load.Served()
		}
	}
	for range p.ring {
		i := int(p.ring[at].slot)
		if s := &p.Slots[i]; s.ID != except && (factor == 0 || s.Load.Served() < p.share(i, served, factor)) {
			if !h.leaves(s) {
				return s.ID, Picked
			}
			left, result = s.ID, Picked
		}
		if at++; at == len(p.ring) {
			at = 0
		}
	}
	return left, result
}

// leaves reports whether a key does not stay with a server, loaded as that is.
func (h *ringHash) leaves(s *Slot) bool {
	switch h.affinity {
	case spec.AffinityMaxconn:
		return s.Load.Full()
	case spec.AffinityMaxqueue:
		return s.Load.Crowded()
	}
	return false
}

// share is how many requests slot i may have at a time when served are in progress
// at all servers: factor percent of the average, this request included, rounded up
// over all servers and spread over them by weight.
func (p *Plan) share(i, served, factor int) int {
	places := ((served+1)*factor + 99) / 100
	each, rest := places/p.total, places%p.total
	w, below := p.Slots[i].Scaled, p.below[i]
	return max(1, w*each+(below+w)*rest/p.total-below*rest/p.total)
}

// turn walks round the ring.
func (h *ringHash) turn(except int) (int, Result) {
	ring := h.plan.ring
	at := 0
	if h.turned {
		last := h.last
		at = sort.Search(len(ring), func(i int) bool { return ring[i].key > last })
	}
	found, any := 0, false
	for range ring {
		if at >= len(ring) {
			at = 0
		}
		s := &h.plan.Slots[ring[at].slot]
		any = any || s.ID != except
		if !s.skips(except) {
			h.last, h.turned = ring[at].key, true
			return s.ID, Picked
		}
		at++
	}
	if any {
		return found, Full
	}
	return 0, None
}
