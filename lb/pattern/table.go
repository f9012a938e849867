package pattern

import "strings"

// table is an open hash table of byte strings. Its hash (FNV-1a) grows byte by
// byte, so that one walk over a sample looks up all its beginnings.
type table struct {
	slots   []slot // a power of two
	keys    []string
	fold    bool
	reverse bool   // keys are hashed from their end
	lengths []bool // lengths[n]: there are keys of n bytes
}

type slot struct {
	hash  uint32
	entry int32 // -1: free
}

const (
	hashStart = 2166136261
	hashPrime = 16777619
)

// newTable keeps the first of equal keys. Keys are in lower case when fold is set.
func newTable(keys []string, fold, reverse bool) *table {
	size := 16
	for size < 2*len(keys) {
		size *= 2
	}
	t := &table{slots: make([]slot, size), keys: keys, fold: fold, reverse: reverse}
	for i := range t.slots {
		t.slots[i].entry = -1
	}
	for i, k := range keys {
		for len(t.lengths) <= len(k) {
			t.lengths = append(t.lengths, false)
		}
		t.lengths[len(k)] = true
		h := uint32(hashStart)
		for j := range len(k) {
			h = (h ^ uint32(t.at(k, j))) * hashPrime
		}
		t.insert(h, int32(i))
	}
	return t
}

func (t *table) at(k string, j int) byte {
	if t.reverse {
		return k[len(k)-1-j]
	}
	return k[j]
}

func (t *table) insert(h uint32, entry int32) {
	for i := spread(h); ; i++ {
		s := &t.slots[i&uint32(len(t.slots)-1)]
		if s.entry < 0 {
			*s = slot{h, entry}
			return
		}
		if s.hash == h && t.keys[s.entry] == t.keys[entry] {
			return
		}
	}
}

// spread mixes the upper bits, which FNV moves least, into the lower ones.
func spread(h uint32) uint32 { return h ^ h>>15 }

// get returns the key that is b, whose hash is h.
func (t *table) get(h uint32, b []byte) int32 {
	for i := spread(h); ; i++ {
		s := t.slots[i&uint32(len(t.slots)-1)]
		if s.entry < 0 {
			return -1
		}
		if s.hash == h && t.same(t.keys[s.entry], b) {
			return s.entry
		}
	}
}

func (t *table) same(k string, b []byte) bool {
	if !t.fold || len(k) != len(b) {
		return k == string(b)
	}
	for i := range len(k) {
		if k[i] != lower(b[i]) {
			return false
		}
	}
	return true
}

// step hashes one more byte of a sample.
func (t *table) step(h uint32, c byte) uint32 {
	if t.fold {
		c = lower(c)
	}
	return (h ^ uint32(c)) * hashPrime
}

// exact finds the key that b is.
func (t *table) exact(b []byte) int32 {
	if len(b) >= len(t.lengths) || !t.lengths[len(b)] {
		return -1
	}
	h := uint32(hashStart)
	for _, c := range b {
		h = t.step(h, c)
	}
	return t.get(h, b)
}

// longestPrefix finds the longest key that b begins with.
func (t *table) longestPrefix(b []byte) int32 {
	best := int32(-1)
	h := uint32(hashStart)
	for n := range min(len(b)+1, len(t.lengths)) {
		if t.lengths[n] {
			if e := t.get(h, b[:n]); e >= 0 {
				best = e
			}
		}
		if n < len(b) {
			h = t.step(h, b[n])
		}
	}
	return best
}

// firstSuffix finds the first key in the list that b ends with.
func (t *table) firstSuffix(b []byte) int32 {
	best := int32(-1)
	h := uint32(hashStart)
	for n := range min(len(b)+1, len(t.lengths)) {
		if t.lengths[n] {
			best = first(best, t.get(h, b[len(b)-n:]))
		}
		if n < len(b) {
			h = t.step(h, b[len(b)-1-n])
		}
	}
	return best
}

// firstPortion finds the first key in the list that stands in b between delimiters
// or b's ends.
func (t *table) firstPortion(b []byte, delimiters string) int32 {
	best := int32(-1)
	for start := range b {
		if start > 0 && strings.IndexByte(delimiters, b[start-1]) < 0 {
			continue
		}
		h := uint32(hashStart)
		rest := b[start:]
		for n := 1; n <= len(rest) && n < len(t.lengths); n++ {
			h = t.step(h, rest[n-1])
			if t.lengths[n] && (n == len(rest) || strings.IndexByte(delimiters, rest[n]) >= 0) {
				best = first(best, t.get(h, rest[:n]))
			}
		}
	}
	return best
}

// first is the lower of two entries, of which either may be none (-1).
func first(a, b int32) int32 {
	if a < 0 || b >= 0 && b < a {
		return b
	}
	return a
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

func lowerASCII(s string) string {
	b := []byte(s)
	for i, c := range b {
		b[i] = lower(c)
	}
	return string(b)
}
