package pattern

import (
	"fmt"
	"net/netip"
	"regexp"
	"strings"
	"sync/atomic"
)

// Entry is a pattern in a Set.
type Entry struct {
	ID      uint64 // its number in its List
	Pattern string // as written
	value   atomic.Pointer[Value]
	size    int            // for the longest match
	v4      bool           // method IP: of which family
	re      *regexp.Regexp // method Reg
}

// Value is what the entry stands for. It may change at run time, from one value to
// another.
func (e *Entry) Value() *Value { return e.value.Load() }

// Error says which pattern cannot be compiled.
type Error struct {
	Line Line
	Err  error
}

func (e *Error) Error() string {
	if e.Line.N > 0 {
		return fmt.Sprintf("line %d: %v", e.Line.N, e.Err)
	}
	return e.Err.Error()
}

func (e *Error) Unwrap() error { return e.Err }

// Set is compiled patterns of one method. It does not change, but for the values.
type Set struct {
	method  Method
	entries []*Entry

	table    *table
	subs     *substrings
	regexes  []*regexes
	numbers  *ranges
	networks *networks
}

// Compile makes patterns a Set. The error is an *Error.
func Compile(o Options, lines []Line) (*Set, error) {
	entries := make([]*Entry, len(lines))
	for i, l := range lines {
		v, err := parseValue(o.Output, l.Value)
		if err != nil {
			return nil, &Error{l, err}
		}
		entries[i] = &Entry{Pattern: l.Pattern}
		entries[i].value.Store(v)
	}
	return build(o, entries, lines)
}

// build compiles entries; lines, if there are any, tell where they stand.
func build(o Options, entries []*Entry, lines []Line) (*Set, error) {
	s := &Set{method: o.Method, entries: entries}
	var c compiler
	for i, e := range entries {
		if err := c.add(o, e); err != nil {
			l := Line{Pattern: e.Pattern}
			if i < len(lines) {
				l = lines[i]
			}
			return nil, &Error{l, err}
		}
	}
	switch o.Method {
	case Int, Len:
		s.numbers = newRanges(c.intervals)
	case IP:
		s.networks = newNetworks(c.prefixes)
	case Sub:
		s.subs = newSubstrings(c.words, o.FoldCase)
	case Reg:
		for from := 0; from < len(entries); from += maxRegexes {
			to := min(from+maxRegexes, len(entries))
			s.regexes = append(s.regexes, newRegexes(entries[from:to], c.needs[from:to]))
		}
	case Bin, Str, Beg, End, Dir, Dom:
		s.table = newTable(c.words, o.FoldCase && o.Method != Bin, o.Method == End)
	}
	return s, nil
}

// compiler gathers what patterns become.
type compiler struct {
	words     []string
	needs     [][]string // method Reg
	intervals []interval
	prefixes  []netip.Prefix
}

func (c *compiler) add(o Options, e *Entry) error {
	word := e.Pattern
	if o.FoldCase {
		word = lowerASCII(word)
	}
	e.size = len(word)
	switch o.Method {
	case Int, Len:
		v, err := parseSpan(e.Pattern, o.Dotted)
		if err != nil {
			return err
		}
		i := int32(len(c.intervals))
		c.intervals = append(c.intervals, interval{first: intKey(v.lo), last: intKey(v.hi), rank: i, entry: i})
		return nil
	case IP:
		p, err := ParseNetwork(e.Pattern)
		e.size, e.v4 = p.Bits(), p.Addr().Is4()
		c.prefixes = append(c.prefixes, p)
		return err
	case Reg:
		re, err := CompileRegex(e.Pattern, o.FoldCase)
		if err != nil {
			return err
		}
		e.re = re
		c.needs = append(c.needs, required(e.Pattern, o.FoldCase))
		return nil
	case Bin:
		b, err := parseHex(e.Pattern)
		if err != nil {
			return err
		}
		word = string(b)
	case Dir:
		word = strings.Trim(word, dirDelimiters)
	case Dom:
		word = strings.Trim(word, domDelimiters)
	}
	c.words = append(c.words, word)
	return nil
}

// What stands around the parts that dir and dom look for.
const (
	dirDelimiters = "/?"
	domDelimiters = "/?.:"
)

// Len is the number of patterns.
func (s *Set) Len() int { return len(s.entries) }

// Bytes finds the pattern that b matches, nil if none does. It is for all methods
// but Int and IP, which want Int and Addr.
func (s *Set) Bytes(b []byte) *Entry { return s.entry(s.bytes(b)) }

// Int finds the pattern that a number matches.
func (s *Set) Int(n int64) *Entry { return s.entry(s.numbers.find(intKey(n))) }

// Addr finds the pattern that an address matches.
func (s *Set) Addr(a netip.Addr) *Entry {
	if s.networks == nil {
		return nil
	}
	return s.entry(s.networks.find(a))
}

func (s *Set) entry(i int32) *Entry {
	if i < 0 {
		return nil
	}
	return s.entries[i]
}

func (s *Set) bytes(b []byte) int32 {
	switch s.method {
	case Len:
		return s.numbers.find(intKey(int64(len(b))))
	case Sub:
		return s.subs.first(b)
	case Reg:
		for n, g := range s.regexes {
			if i := g.first(b); i >= 0 {
				return int32(n*maxRegexes) + i
			}
		}
		return -1
	case Bin, Str:
		return s.table.exact(b)
	case Beg:
		return s.table.longestPrefix(b)
	case End:
		return s.table.firstSuffix(b)
	case Dir:
		return s.table.firstPortion(b, dirDelimiters)
	case Dom:
		return s.table.firstPortion(b, domDelimiters)
	}
	return -1
}
