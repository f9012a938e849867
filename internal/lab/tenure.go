package lab

import (
	"slices"
	"time"
)

// span is a time for which a node's kernel had the virtual IP.
type span struct {
	node     string
	from, to time.Duration
	died     time.Duration // when baton was killed meanwhile; 0: it was not
}

// tenure is who held the address when, by what the kernels said.
type tenure struct {
	spans []span // in order of from
	open  map[string]int
}

func (t *tenure) gained(node string, at time.Duration) {
	if t.open == nil {
		t.open = make(map[string]int)
	}
	t.open[node] = len(t.spans)
	t.spans = append(t.spans, span{node: node, from: at})
}

func (t *tenure) lost(node string, at time.Duration) {
	t.spans[t.open[node]].to = at
	delete(t.open, node)
}

// died notes that a node's baton was killed, whatever its kernel holds.
func (t *tenure) died(node string, at time.Duration) {
	if i, ok := t.open[node]; ok {
		t.spans[i].died = at
	}
}

func (t *tenure) holds(node string) bool {
	_, ok := t.open[node]
	return ok
}

// last returns a node's latest span; it has one.
func (t *tenure) last(node string) span {
	for _, s := range slices.Backward(t.spans) {
		if s.node == node {
			return s
		}
	}
	panic("BUG: " + node + " never held the address")
}

// until returns all spans, those that are still open ending now.
func (t *tenure) until(now time.Duration) []span {
	spans := slices.Clone(t.spans)
	for _, i := range t.open {
		spans[i].to = now
	}
	return spans
}

// shared returns for how long two nodes held the address at once, if each span
// lasted longer by slack.
func shared(spans []span, slack time.Duration) (both time.Duration) {
	for i, a := range spans {
		for _, b := range spans[i+1:] {
			if b.node != a.node {
				both += max(0, min(a.to, b.to)+slack-max(a.from, b.from))
			}
		}
	}
	return both
}

// nobody returns for how long no node held it, from the first span on.
func nobody(spans []span, end time.Duration) (none time.Duration) {
	if len(spans) == 0 {
		return 0
	}
	covered := spans[0].from
	for _, s := range spans {
		none += max(0, s.from-covered)
		covered = max(covered, s.to)
	}
	return none + max(0, end-covered)
}
