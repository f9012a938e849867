package balance

import "baton/internal/mono"

// leastConn chooses the server with the least load for its weight; of servers with
// the same load the one whose load has not changed for longest. Loads change on every
// loop at once, so each pick looks at all servers: O(n), a few nanoseconds each.
type leastConn struct{ plan *Plan }

func (l *leastConn) Update(p *Plan) { l.plan = p }

func (l *leastConn) Pick(k Key, now mono.Time) (int, Result) { return l.PickExcept(k, -1, now) }

func (l *leastConn) PickExcept(_ Key, except int, _ mono.Time) (int, Result) {
	if l.plan == nil {
		return 0, None
	}
	result, best, least, since := None, 0, 0, uint64(0)
	for i := range l.plan.Slots {
		s := &l.plan.Slots[i]
		if s.ID == except {
			continue
		}
		if !s.Load.Room() {
			if result == None {
				result = Full
			}
			continue
		}
		load, changed := s.rank(), s.Load.Changed()
		if result != Picked || load < least || load == least && changed < since {
			result, best, least, since = Picked, s.ID, load, changed
		}
	}
	return best, result
}

// rank is a server's load in the coarse units that HAProxy was seen to compare:
// a server that serves is judged as if it had the new request already, an idle one
// comes before all.
func (s *Slot) rank() int {
	n := s.Load.Served() + s.Load.Queued()
	if n == 0 {
		return 0
	}
	return (n + 1) * numbers / s.Scaled
}
