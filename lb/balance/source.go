package balance

import "baton/internal/mono"

// sourceHash is `balance source` with `hash-type map-based`: the key modulo the
// total weight is a place in a table that holds each server as often as it weighs.
// A server that comes or goes moves most clients.
type sourceHash struct {
	table []int32
	turns roundRobin // for keys that are missing
}

func (h *sourceHash) Pick(k Key, _ mono.Time) (int, bool) {
	if !k.OK {
		return h.turns.next()
	}
	if len(h.table) == 0 {
		return 0, false
	}
	return int(h.table[k.Hash%uint32(len(h.table))]), true
}

// PickExcept gives the clients of a failed server to those that follow it in the table.
func (h *sourceHash) PickExcept(k Key, except int, _ mono.Time) (int, bool) {
	if !k.OK {
		return h.turns.nextExcept(except)
	}
	n := uint32(len(h.table))
	for i := range n {
		if id := int(h.table[(k.Hash%n+i)%n]); id != except {
			return id, true
		}
	}
	return 0, false
}

// Update fills the table in the order that HAProxy 2.6 was seen to use, for any
// weights: a place goes to the server that has most whole places to its credit, the
// first of those that have the same. With a common divisor of all weights the order
// repeats, so weights divided by it give the same choices.
func (h *sourceHash) Update(slots []Slot) {
	h.turns.Update(slots)
	divisor, total := 0, 0
	for _, s := range slots {
		divisor = gcd(s.Weight, divisor)
		total += s.Weight
	}
	h.table = h.table[:0]
	if total == 0 {
		return
	}
	total /= divisor
	credit := make([]int, len(slots)) // in parts of total
	for range total {
		best, most := 0, 0
		for i, s := range slots {
			credit[i] += s.Weight / divisor
			if whole := floorDiv(credit[i], total); i == 0 || whole > most {
				best, most = i, whole
			}
		}
		credit[best] -= total
		h.table = append(h.table, int32(slots[best].ID))
	}
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

func floorDiv(a, b int) int {
	if a < 0 {
		return -((-a + b - 1) / b)
	}
	return a / b
}
