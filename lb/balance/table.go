package balance

import "baton/internal/mono"

// mapHash is a hash with `hash-type map-based`: the key modulo the total weight is a
// place in a table that holds each server as often as it weighs. A server that comes
// or goes moves most clients.
type mapHash struct {
	plan  *Plan
	turns staticRR // for keys that are missing
}

func (h *mapHash) Pick(k Key, now mono.Time) (int, Result) { return h.PickExcept(k, -1, now) }

// PickExcept gives the clients of a failed server to those that follow it in the table.
func (h *mapHash) PickExcept(k Key, except int, now mono.Time) (int, Result) {
	if !k.OK {
		return h.turns.PickExcept(k, except, now)
	}
	if h.plan == nil {
		return 0, None
	}
	n := uint32(len(h.plan.table))
	for i := range n {
		if s := &h.plan.Slots[h.plan.table[(k.Hash%n+i)%n]]; s.ID != except {
			return s.ID, Picked
		}
	}
	return 0, None
}

func (h *mapHash) Update(p *Plan) {
	h.plan = p
	h.turns.Update(p)
}

// staticRR walks the table from place to place.
type staticRR struct {
	plan *Plan
	next int
}

func (r *staticRR) Update(p *Plan) { r.plan = p }

func (r *staticRR) Pick(k Key, now mono.Time) (int, Result) { return r.PickExcept(k, -1, now) }

func (r *staticRR) PickExcept(_ Key, except int, _ mono.Time) (int, Result) {
	if r.plan == nil {
		return 0, None
	}
	table := r.plan.table
	others := false
	if r.next >= len(table) && len(table) > 0 {
		r.next = 0
	}
	at := r.next
	for range table {
		s := &r.plan.Slots[table[at]]
		at++
		others = others || s.ID != except
		if !s.skips(except) {
			r.next = at // perhaps the end: the next table may be longer
			return s.ID, Picked
		}
		if at == len(table) {
			at = 0
		}
	}
	if others {
		return 0, Full
	}
	return 0, None
}

// newTable fills the table in the order that HAProxy 2.6 was seen to use, for any
// weights: every server earns its weight with each place, a place costs the total
// weight, and goes to the server that has most whole prices to its credit, the
// first of those that have the same. With a common divisor of all weights the order
// repeats, so weights divided by it give the same choices.
func newTable(slots []Slot, divisor int) []int32 {
	total := 0
	for _, s := range slots {
		total += s.Weight
	}
	if total == 0 {
		return nil
	}
	total /= divisor
	// earns lists who has one more whole price to its credit at which place: the
	// k-th of a server of weight w comes when w*place reaches k*total.
	earns := make([][]int32, total)
	for i, s := range slots {
		w := s.Weight / divisor
		for k := 1; k <= w; k++ {
			place := (k*total+w-1)/w - 1
			earns[place] = append(earns[place], int32(i))
		}
	}
	credit := newRanking(len(slots))
	table := make([]int32, 0, total)
	for _, who := range earns {
		for _, i := range who {
			credit.add(int(i), 1)
		}
		best := credit.first()
		credit.add(best, -1)
		table = append(table, int32(best))
	}
	return table
}

// ranking finds the first of those with the highest points, in O(log n): a binary
// tree with the entries as its leaves, each inner node knowing its best leaf.
type ranking struct {
	points []int
	best   []int // best[1] is the root's; the children of n are 2n and 2n+1
}

func newRanking(n int) ranking {
	r := ranking{points: make([]int, n), best: make([]int, 2*n)}
	for i := range n {
		r.best[n+i] = i
	}
	for node := n - 1; node > 0; node-- {
		r.best[node] = r.better(r.best[2*node], r.best[2*node+1])
	}
	return r
}

func (r *ranking) better(a, b int) int {
	if r.points[a] > r.points[b] || r.points[a] == r.points[b] && a < b {
		return a
	}
	return b
}

func (r *ranking) add(i, points int) {
	r.points[i] += points
	for node := (len(r.points) + i) / 2; node > 0; node /= 2 {
		r.best[node] = r.better(r.best[2*node], r.best[2*node+1])
	}
}

// first needs at least one entry; with a single one best[1] is that leaf.
func (r *ranking) first() int { return r.best[1] }

// divisor is what the weights of all servers of a backend have in common, whatever their
// states: by how much a walk through the table has moved on shows in the next one.
func divisor(servers []ServerState) int {
	d := 0
	for _, s := range servers {
		d = gcd(s.Weight, d)
	}
	return d
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
