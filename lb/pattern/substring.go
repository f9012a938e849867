package pattern

import "bytes"

// substrings finds which of many words a text contains, in one walk over it: the
// automaton of Aho and Corasick. Node 0 is the root. Few words of exact case are
// looked for one after the other, which is faster.
type substrings struct {
	fold  bool
	few   [][]byte // set: all there is
	start [256]int32
	edges map[uint64]int32 // node<<8 | byte -> node
	fail  []int32          // the node of the longest proper suffix
	best  []int32          // the first word of those that end here, -1: none
	ends  [][]int32        // words that are the node itself
	up    []int32          // the next node on the way of fail that has ends, 0: none
}

// fewWords is up to where one search per word beats the automaton.
const fewWords = 4

// newSubstrings: words are in lower case when fold is set.
func newSubstrings(words []string, fold bool) *substrings {
	a := &substrings{fold: fold}
	if len(words) <= fewWords && !fold {
		for _, w := range words {
			a.few = append(a.few, []byte(w))
		}
		return a
	}
	a.edges = make(map[uint64]int32)
	a.node()
	for i, w := range words {
		at := int32(0)
		for j := range len(w) {
			at = a.grow(at, w[j])
		}
		a.ends[at] = append(a.ends[at], int32(i))
		a.best[at] = first(a.best[at], int32(i))
	}
	a.link()
	return a
}

func (a *substrings) node() int32 {
	a.fail, a.best, a.ends, a.up = append(a.fail, 0), append(a.best, -1), append(a.ends, nil), append(a.up, 0)
	return int32(len(a.fail) - 1)
}

func (a *substrings) grow(from int32, c byte) int32 {
	if to, ok := a.edge(from, c); ok {
		return to
	}
	to := a.node()
	if from == 0 {
		a.start[c] = to
	} else {
		a.edges[uint64(from)<<8|uint64(c)] = to
	}
	return to
}

func (a *substrings) edge(from int32, c byte) (int32, bool) {
	if from == 0 {
		return a.start[c], a.start[c] != 0
	}
	to, ok := a.edges[uint64(from)<<8|uint64(c)]
	return to, ok
}

// link sets what follows from suffixes, nodes nearer to the root first.
func (a *substrings) link() {
	type child struct {
		c  byte
		to int32
	}
	children := make([][]child, len(a.fail))
	for e, to := range a.edges {
		children[e>>8] = append(children[e>>8], child{byte(e), to})
	}
	for c, to := range a.start {
		if to != 0 {
			children[0] = append(children[0], child{byte(c), to})
		}
	}
	queue := []int32{0}
	for len(queue) > 0 {
		from := queue[0]
		queue = queue[1:]
		for _, e := range children[from] {
			if from != 0 {
				a.fail[e.to] = a.next(a.fail[from], e.c)
			}
			f := a.fail[e.to]
			a.best[e.to] = first(a.best[e.to], a.best[f])
			if a.up[e.to] = a.up[f]; len(a.ends[f]) > 0 {
				a.up[e.to] = f
			}
			queue = append(queue, e.to)
		}
	}
}

// next is where c leads from a node.
func (a *substrings) next(at int32, c byte) int32 {
	for {
		to, ok := a.edge(at, c)
		if ok || at == 0 {
			return to
		}
		at = a.fail[at]
	}
}

// first finds the first word in the list that b contains.
func (a *substrings) first(b []byte) int32 {
	if a.edges == nil {
		for i, w := range a.few {
			if bytes.Contains(b, w) {
				return int32(i)
			}
		}
		return -1
	}
	best, at := a.best[0], int32(0) // an empty word is in any text
	for _, c := range b {
		if best == 0 {
			break
		}
		if a.fold {
			c = lower(c)
		}
		at = a.next(at, c)
		best = first(best, a.best[at])
	}
	return best
}

// mark sets the bits of all words that b contains. The automaton must not be one
// of few words.
func (a *substrings) mark(b []byte, bits *bitset) {
	at := int32(0)
	for _, c := range b {
		if a.fold {
			c = lower(c)
		}
		at = a.next(at, c)
		for n := at; n != 0; n = a.up[n] {
			for _, i := range a.ends[n] {
				bits.set(i)
			}
		}
	}
}
