package balance

import (
	"slices"

	"baton/internal/mono"
)

// leastConn chooses the server with the least load for its weight; servers of equal
// load take turns. Loads change on every loop at once, so each pick looks at all
// servers: O(n), a few nanoseconds each.
type leastConn struct {
	slots []Slot
	start int // where to begin looking: one after the last choice
}

func (l *leastConn) Pick(Key, mono.Time) (int, bool) { return l.least(-1) }

func (l *leastConn) PickExcept(_ Key, except int, _ mono.Time) (int, bool) { return l.least(except) }

func (l *leastConn) least(except int) (int, bool) {
	n := len(l.slots)
	best, bestLoad, bestWeight := -1, int64(0), int64(1)
	for k := range n {
		i := l.start + k
		if i >= n {
			i -= n
		}
		s := &l.slots[i]
		if s.ID == except {
			continue
		}
		load, weight := int64(s.Load.Load()), int64(s.Weight)
		if best < 0 || load*bestWeight < bestLoad*weight {
			best, bestLoad, bestWeight = i, load, weight
		}
	}
	if best < 0 {
		return 0, false
	}
	l.start = (best + 1) % n
	return l.slots[best].ID, true
}

// Update goes on after the server that was chosen last.
func (l *leastConn) Update(slots []Slot) {
	next := -1
	if len(l.slots) > 0 {
		next = l.slots[l.start].ID
	}
	l.slots = append(l.slots[:0], slots...)
	switch {
	case len(slots) == 0:
	case next < 0: // the first servers: start is the loop's number
		l.start %= len(slots)
	default:
		l.start = max(0, slices.IndexFunc(l.slots, func(s Slot) bool { return s.ID >= next }))
	}
}
