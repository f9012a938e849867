package balance

import "slices"

// line is a binary heap of server IDs by turn.key: a pick costs O(log n).
type line struct{ heap []int }

func (l *line) empty() bool { return len(l.heap) == 0 }

func (l *line) push(r *round, id int) {
	l.heap = append(l.heap, id)
	l.rise(r, len(l.heap)-1)
}

func (l *line) pop(r *round) int {
	id := l.heap[0]
	l.drop(r, 0)
	return id
}

func (l *line) remove(r *round, id int) { l.drop(r, slices.Index(l.heap, id)) }

func (l *line) drop(r *round, i int) {
	last := len(l.heap) - 1
	l.heap[i] = l.heap[last]
	l.heap = l.heap[:last]
	if i < last {
		l.sink(r, i)
		l.rise(r, i)
	}
}

func (l *line) before(r *round, i, j int) bool {
	a, b := &r.turns[l.heap[i]].key, &r.turns[l.heap[j]].key
	for k := range a {
		if a[k] != b[k] {
			return a[k] < b[k]
		}
	}
	return false
}

func (l *line) rise(r *round, i int) {
	for i > 0 {
		up := (i - 1) / 2
		if !l.before(r, i, up) {
			return
		}
		l.heap[i], l.heap[up] = l.heap[up], l.heap[i]
		i = up
	}
}

func (l *line) sink(r *round, i int) {
	for {
		child := 2*i + 1
		if child >= len(l.heap) {
			return
		}
		if child+1 < len(l.heap) && l.before(r, child+1, child) {
			child++
		}
		if !l.before(r, child, i) {
			return
		}
		l.heap[i], l.heap[child] = l.heap[child], l.heap[i]
		i = child
	}
}
