package pattern

import (
	"cmp"
	"container/heap"
	"math/bits"
	"net/netip"
	"slices"
)

// key orders addresses and numbers alike: as one unsigned number of 128 bits.
type key struct{ hi, lo uint64 }

func (a key) compare(b key) int {
	if c := cmp.Compare(a.hi, b.hi); c != 0 {
		return c
	}
	return cmp.Compare(a.lo, b.lo)
}

// next is a+1; ok is false after the last one.
func (a key) next() (key, bool) {
	lo, carry := bits.Add64(a.lo, 1, 0)
	hi, carry := bits.Add64(a.hi, 0, carry)
	return key{hi, lo}, carry == 0
}

func intKey(n int64) key { return key{lo: uint64(n) ^ 1<<63} }

// addrKey is for addresses of one family.
func addrKey(a netip.Addr) key {
	b := a.As16()
	var k key
	for i := range 8 {
		k.hi = k.hi<<8 | uint64(b[i])
		k.lo = k.lo<<8 | uint64(b[8+i])
	}
	return k
}

// lastKey is the last address of p.
func lastKey(p netip.Prefix) key {
	k := addrKey(p.Addr())
	host := p.Addr().BitLen() - p.Bits() // bits that are free
	switch {
	case host >= 128:
		k.hi, k.lo = ^uint64(0), ^uint64(0)
	case host >= 64:
		k.hi |= 1<<(host-64) - 1
		k.lo = ^uint64(0)
	default:
		k.lo |= 1<<host - 1
	}
	return k
}

// interval is a pattern that all keys from first to last match. The lowest rank
// wins where several overlap.
type interval struct {
	first, last key
	rank        int32
	entry       int32
}

// ranges is a sorted list of disjoint segments: a lookup is one binary search, for
// networks of any depth. The i-th segment goes from starts[i] to the next one.
type ranges struct {
	starts  []key
	entries []int32 // -1: nothing
}

// newRanges flattens overlapping intervals.
func newRanges(all []interval) *ranges {
	if len(all) == 0 {
		return nil
	}
	slices.SortStableFunc(all, func(a, b interval) int { return a.first.compare(b.first) })
	edges := make([]key, 0, 2*len(all))
	for _, v := range all {
		edges = append(edges, v.first)
		if after, ok := v.last.next(); ok {
			edges = append(edges, after)
		}
	}
	slices.SortFunc(edges, key.compare)
	edges = slices.CompactFunc(edges, func(a, b key) bool { return a == b })
	r := new(ranges)
	var open byRank // those that began; the best one on top may be over already
	for _, at := range edges {
		for len(all) > 0 && all[0].first == at {
			heap.Push(&open, all[0])
			all = all[1:]
		}
		for len(open) > 0 && open[0].last.compare(at) < 0 {
			heap.Pop(&open)
		}
		best := int32(-1)
		if len(open) > 0 {
			best = open[0].entry
		}
		if n := len(r.entries); n == 0 || r.entries[n-1] != best {
			r.starts, r.entries = append(r.starts, at), append(r.entries, best)
		}
	}
	return r
}

func (r *ranges) find(k key) int32 {
	if r == nil {
		return -1
	}
	lo, hi := 0, len(r.starts) // the first start after k is in [lo, hi]
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if r.starts[mid].compare(k) <= 0 {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo == 0 {
		return -1
	}
	return r.entries[lo-1]
}

// byRank is a heap of intervals.
type byRank []interval

func (h byRank) Len() int           { return len(h) }
func (h byRank) Less(i, j int) bool { return h[i].rank < h[j].rank }
func (h byRank) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *byRank) Push(x any)        { *h = append(*h, x.(interval)) }
func (h *byRank) Pop() any {
	old := *h
	last := old[len(old)-1]
	*h = old[:len(old)-1]
	return last
}

// networks finds addresses as chapter 7.1.6 says.
type networks struct{ v4, v6 *ranges }

func newNetworks(prefixes []netip.Prefix) *networks {
	var families [2][]interval
	for i, p := range prefixes {
		f := 0
		if p.Addr().Is6() {
			f = 1
		}
		// The longer prefix first, then the earlier one.
		rank := int32((p.Addr().BitLen()-p.Bits())<<23 | i)
		families[f] = append(families[f], interval{first: addrKey(p.Addr()), last: lastKey(p), rank: rank, entry: int32(i)})
	}
	return &networks{newRanges(families[0]), newRanges(families[1])}
}

// find: an address that is no pattern of its own family may be one of the other,
// as a mapped, embedded (::a.b.c.d) or 6to4 (2002:) address.
func (n *networks) find(a netip.Addr) int32 {
	if !a.IsValid() {
		return -1
	}
	k := addrKey(a)
	if a.Is4() {
		if i := n.v4.find(k); i >= 0 {
			return i
		}
		return n.v6.find(k) // As16 maps it
	}
	if i := n.v6.find(k); i >= 0 || n.v4 == nil {
		return i
	}
	b := a.As16()
	switch {
	case a.Is4In6():
		return n.v4.find(k)
	case b[0] == 0x20 && b[1] == 0x02:
		return n.v4.find(addrKey(netip.AddrFrom4([4]byte(b[2:6]))))
	case [12]byte(b[:12]) == [12]byte{}:
		return n.v4.find(addrKey(netip.AddrFrom4([4]byte(b[12:]))))
	}
	return -1
}
