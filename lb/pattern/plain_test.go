package pattern

import (
	"bytes"
	"encoding/hex"
	"net/netip"
	"strings"
)

// plain is how a pattern is found without any of this package's structures: one
// after the other. It is what the structures are compared with.
type plain struct {
	o     Options
	lines []Line
}

// bytes returns the index of the line that b matches, or -1.
func (p plain) bytes(b []byte) int {
	best := -1
	for i, l := range p.lines {
		if !p.matches(l.Pattern, b) {
			continue
		}
		if p.o.Method != Beg {
			return i
		}
		if best < 0 || len(l.Pattern) > len(p.lines[best].Pattern) {
			best = i
		}
	}
	return best
}

func (p plain) matches(pattern string, b []byte) bool {
	if p.o.FoldCase && p.o.Method != Reg && p.o.Method != Bin {
		pattern, b = lowerASCII(pattern), []byte(lowerASCII(string(b)))
	}
	w := []byte(pattern)
	switch p.o.Method {
	case Str:
		return bytes.Equal(b, w)
	case Bin:
		raw, _ := hex.DecodeString(pattern)
		return bytes.Equal(b, raw)
	case Beg:
		return bytes.HasPrefix(b, w)
	case End:
		return bytes.HasSuffix(b, w)
	case Sub:
		return bytes.Contains(b, w)
	case Reg:
		re, err := CompileRegex(pattern, p.o.FoldCase)
		return err == nil && re.Match(b)
	case Dir:
		return portion(b, bytes.Trim(w, dirDelimiters), dirDelimiters)
	case Dom:
		return portion(b, bytes.Trim(w, domDelimiters), domDelimiters)
	case Len:
		r, err := parseSpan(pattern, false)
		return err == nil && r.lo <= int64(len(b)) && int64(len(b)) <= r.hi
	}
	panic("not a method of bytes")
}

func portion(b, w []byte, delimiters string) bool {
	for i := 0; len(w) > 0 && i+len(w) <= len(b); i++ {
		starts := i == 0 || strings.IndexByte(delimiters, b[i-1]) >= 0
		ends := i+len(w) == len(b) || strings.IndexByte(delimiters, b[i+len(w)]) >= 0
		if starts && ends && bytes.Equal(b[i:i+len(w)], w) {
			return true
		}
	}
	return false
}

func (p plain) int(n int64) int {
	for i, l := range p.lines {
		if r, err := parseSpan(l.Pattern, p.o.Dotted); err == nil && r.lo <= n && n <= r.hi {
			return i
		}
	}
	return -1
}

// addr looks in the address's own family first, then in the other.
func (p plain) addr(a netip.Addr) int {
	if i := p.longest(a, a.Is4()); i >= 0 {
		return i
	}
	if a.Is4() {
		return p.longest(netip.AddrFrom16(a.As16()), false)
	}
	b := a.As16()
	switch {
	case a.Is4In6():
		return p.longest(a.Unmap(), true)
	case bytes.HasPrefix(b[:], []byte{0x20, 0x02}):
		return p.longest(netip.AddrFrom4([4]byte(b[2:6])), true)
	case bytes.Equal(b[:12], make([]byte, 12)):
		return p.longest(netip.AddrFrom4([4]byte(b[12:])), true)
	}
	return -1
}

func (p plain) longest(a netip.Addr, v4 bool) int {
	best, bits := -1, -1
	for i, l := range p.lines {
		n, err := ParseNetwork(l.Pattern)
		if err != nil || n.Addr().Is4() != v4 {
			continue
		}
		// Contains knows no mapped addresses.
		if inside(n, a) && n.Bits() > bits {
			best, bits = i, n.Bits()
		}
	}
	return best
}

func inside(n netip.Prefix, a netip.Addr) bool {
	x, y := n.Addr().AsSlice(), a.AsSlice()
	if len(x) != len(y) {
		return false
	}
	for bit := range n.Bits() {
		if (x[bit/8]^y[bit/8])>>(7-bit%8)&1 != 0 {
			return false
		}
	}
	return true
}
