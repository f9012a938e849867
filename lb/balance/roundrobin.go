package balance

import (
	"slices"

	"baton/internal/mono"
)

// roundRobin gives each server its turns, spread as evenly as the weights allow.
//
// Every server has a next turn on a common axis and takes a step of turnScale /
// weight after each; the one whose turn is earliest serves. Servers of equal weight
// start evenly spread over their step, so light ones do not follow each other. The
// entries form a binary heap: a pick costs O(log n).
type roundRobin struct {
	heap []turn
	skip int // turns to let pass at the first Update
}

type turn struct {
	at     uint64 // wraps around: compare with before
	step   uint64
	id     int
	weight int
}

// turnScale is the step of weight 1: large, so that rounding turnScale/weight does
// not show, and far below the 2^63 at which before would err.
const turnScale = 1 << 32

func (t *turn) before(u *turn) bool {
	if t.at == u.at {
		return t.id < u.id
	}
	return int64(t.at-u.at) < 0
}

func (r *roundRobin) Pick(Key, mono.Time) (int, bool) { return r.next() }

func (r *roundRobin) PickExcept(_ Key, except int, _ mono.Time) (int, bool) {
	return r.nextExcept(except)
}

func (r *roundRobin) next() (int, bool) {
	if len(r.heap) == 0 {
		return 0, false
	}
	return r.take(0), true
}

// nextExcept takes a turn from the server that it leaves out too: else the turns
// that retries take from the others would bring the failed one back sooner.
func (r *roundRobin) nextExcept(except int) (int, bool) {
	if i := slices.IndexFunc(r.heap, func(t turn) bool { return t.id == except }); i >= 0 {
		r.take(i)
	}
	best := -1
	for i := range r.heap {
		if r.heap[i].id != except && (best < 0 || r.heap[i].before(&r.heap[best])) {
			best = i
		}
	}
	if best < 0 {
		return 0, false
	}
	return r.take(best), true
}

// take uses the turn at heap[i]. A turn only ever moves back, so sinking it
// restores the heap.
func (r *roundRobin) take(i int) int {
	id := r.heap[i].id
	r.heap[i].at += r.heap[i].step
	r.sink(i)
	return id
}

func (r *roundRobin) sink(i int) {
	for {
		child := 2*i + 1
		if child >= len(r.heap) {
			return
		}
		if child+1 < len(r.heap) && r.heap[child+1].before(&r.heap[child]) {
			child++
		}
		if !r.heap[child].before(&r.heap[i]) {
			return
		}
		r.heap[i], r.heap[child] = r.heap[child], r.heap[i]
		i = child
	}
}

// Update keeps the turns of servers that stay as they are, so that a server's
// return or a new weight elsewhere starts no new round; who comes gets no turns for
// the time it was away.
func (r *roundRobin) Update(slots []Slot) {
	now := uint64(0)
	if len(r.heap) > 0 {
		now = r.heap[0].at
	}
	old := make(map[int]turn, len(r.heap))
	for _, t := range r.heap {
		old[t.id] = t
	}
	same := make(map[int]int) // slots of each weight
	for _, s := range slots {
		same[s.Weight]++
	}
	rank := make(map[int]int)
	r.heap = r.heap[:0]
	for _, s := range slots {
		t, ok := old[s.ID]
		if !ok || t.weight != s.Weight {
			step := uint64(turnScale / s.Weight)
			phase := step / uint64(2*same[s.Weight]) * uint64(2*rank[s.Weight]+1)
			t = turn{at: now + phase, step: step, id: s.ID, weight: s.Weight}
		}
		rank[s.Weight]++
		r.heap = append(r.heap, t)
	}
	for i := len(r.heap)/2 - 1; i >= 0; i-- {
		r.sink(i)
	}
	if n := len(slots); n > 0 {
		for range r.skip % n {
			r.next()
		}
		r.skip = 0
	}
}
