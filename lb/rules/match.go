package rules

import (
	"bytes"
	"math"
	"strings"

	"baton/lb/spec"
)

// textMatch compiles a match on strings.
func textMatch(t spec.Test) func([]byte) bool {
	switch t.Match {
	case spec.MatchFound:
		return func([]byte) bool { return true }
	case spec.MatchBool:
		return func(b []byte) bool {
			n, ok := integer(b)
			return ok && n != 0
		}
	case spec.MatchInt:
		ranges := t.Ints
		return func(b []byte) bool {
			n, ok := integer(b)
			return ok && within(ranges, n)
		}
	case spec.MatchLen:
		ranges := t.Ints
		return func(b []byte) bool { return within(ranges, int64(len(b))) }
	case spec.MatchIP:
		nets := t.Prefixes
		return func(b []byte) bool {
			a, ok := address(b)
			return ok && inNets(nets, a)
		}
	case spec.MatchRegex:
		res := t.Regexps
		return func(b []byte) bool {
			for _, re := range res {
				if re.Match(b) {
					return true
				}
			}
			return false
		}
	}
	compare := comparison(t)
	patterns := make([][]byte, len(t.Strings))
	for i, s := range t.Strings {
		patterns[i] = []byte(s)
		if t.NoCase {
			patterns[i] = lowerASCII(s)
		}
	}
	return func(b []byte) bool {
		for _, p := range patterns {
			if compare(b, p) {
				return true
			}
		}
		return false
	}
}

// comparison returns how a value b is compared with a pattern p.
func comparison(t spec.Test) func(b, p []byte) bool {
	same := bytes.Equal
	if t.NoCase {
		same = sameFold
	}
	switch t.Match {
	case spec.MatchExact:
		return same
	case spec.MatchBegin:
		return func(b, p []byte) bool { return len(b) >= len(p) && same(b[:len(p)], p) }
	case spec.MatchEnd:
		return func(b, p []byte) bool { return len(b) >= len(p) && same(b[len(b)-len(p):], p) }
	case spec.MatchSub:
		return func(b, p []byte) bool {
			for i := 0; i+len(p) <= len(b); i++ {
				if same(b[i:i+len(p)], p) {
					return true
				}
			}
			return false
		}
	case spec.MatchDir:
		return func(b, p []byte) bool { return portion(b, p, "/?", same) }
	case spec.MatchDom:
		return func(b, p []byte) bool { return portion(b, p, "/?.:", same) }
	}
	panic("BUG: rules: unknown match")
}

// portion reports whether p stands in b between delimiters or the ends of b.
// Delimiters around p itself are ignored; nothing else is nowhere.
func portion(b, p []byte, delimiters string, same func(a, b []byte) bool) bool {
	if p = bytes.Trim(p, delimiters); len(p) == 0 {
		return false
	}
	for i := 0; i+len(p) <= len(b); i++ {
		starts := i == 0 || strings.IndexByte(delimiters, b[i-1]) >= 0
		ends := i+len(p) == len(b) || strings.IndexByte(delimiters, b[i+len(p)]) >= 0
		if starts && ends && same(b[i:i+len(p)], p) {
			return true
		}
	}
	return false
}

func within(ranges []spec.IntRange, n int64) bool {
	for _, r := range ranges {
		if r.Lo <= n && n <= r.Hi {
			return true
		}
	}
	return false
}

// integer reads the decimal number that b begins with; HAProxy, too, does not look
// at what follows it.
func integer(b []byte) (n int64, ok bool) {
	negative := len(b) > 0 && b[0] == '-'
	if negative {
		b = b[1:]
	}
	for _, c := range b {
		if c < '0' || c > '9' {
			break
		}
		if n > (math.MaxInt64-9)/10 {
			return 0, false
		}
		n, ok = 10*n+int64(c-'0'), true
	}
	if negative {
		n = -n
	}
	return n, ok
}

// lowerASCII and the comparisons below fold A-Z only: bytes above 127 are never
// letters in the eyes of the protocols.
func lowerASCII(s string) []byte {
	b := []byte(s)
	for i, c := range b {
		b[i] = lower(c)
	}
	return b
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// sameFold compares b with p, which is in lower case.
func sameFold(b, p []byte) bool {
	if len(b) != len(p) {
		return false
	}
	for i, c := range b {
		if lower(c) != p[i] {
			return false
		}
	}
	return true
}

func equalFold(b []byte, s string) bool {
	if len(b) != len(s) {
		return false
	}
	for i, c := range b {
		if lower(c) != lower(s[i]) {
			return false
		}
	}
	return true
}
