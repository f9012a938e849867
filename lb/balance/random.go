package balance

import (
	"baton/internal/mono"
	"baton/lb/spec"
)

// random draws servers by chance, in proportion to their weights, and takes the
// least loaded of those drawn. A full server is not drawn.
type random struct {
	plan   *Plan
	draws  int
	factor int
	state  uint64
}

// newRandom starts each loop with a sequence of its own. There is nothing to guess
// in it that would be worth a guess, so the clock of the first pick is seed enough.
func newRandom(c *spec.Balance, loop int) *random {
	return &random{draws: max(c.Draws, 1), factor: c.Factor, state: uint64(loop)}
}

func (r *random) Update(p *Plan) { r.plan = p }

func (r *random) Pick(k Key, now mono.Time) (int, Result) { return r.PickExcept(k, -1, now) }

func (r *random) PickExcept(_ Key, except int, now mono.Time) (int, Result) {
	if r.plan == nil || len(r.plan.ring) == 0 {
		return 0, None
	}
	r.state += uint64(now)
	best, result := (*Slot)(nil), None
	for range r.draws {
		s, found := r.draw(except)
		result = max(result, found)
		if found == Picked && (best == nil || s.Load.Served()*best.Scaled < best.Load.Served()*s.Scaled) {
			best = s
		}
	}
	if best == nil {
		return 0, result
	}
	return best.ID, Picked
}

// draw takes the server at a place drawn by chance, or the next one from there on
// that has room.
func (r *random) draw(except int) (*Slot, Result) {
	p := r.plan
	served := 0
	if r.factor > 0 {
		for i := range p.Slots {
			served += p.Slots[i].Load.Served()
		}
	}
	at := near(p.ring, r.next())
	result := None
	for range p.ring {
		i := int(p.ring[at].slot)
		s := &p.Slots[i]
		if !s.skips(except) && (r.factor == 0 || s.Load.Served() < p.share(i, served, r.factor)) {
			return s, Picked
		}
		if s.ID != except {
			result = Full
		}
		if at++; at == len(p.ring) {
			at = 0
		}
	}
	return nil, result
}

// next is a step of splitmix64.
func (r *random) next() uint32 {
	r.state += 0x9e3779b97f4a7c15
	z := r.state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return uint32((z ^ z>>31) >> 32)
}
