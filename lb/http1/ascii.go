package http1

import (
	"encoding/binary"
	"math/bits"
)

// tokenBytes holds the bytes of a token (RFC 9110 section 5.6.2).
var tokenBytes = byteSet("!#$%&'*+-.^_`|~" + alphanumeric)

// targetBytes holds the bytes that a request target may have. It is wider than RFC
// 3986, as HAProxy's is: clients do send quotes, braces and bars unescaped, and no
// two parsers disagree about where such a target ends. # is told apart by the parser.
var targetBytes = byteSet("!\"$%&'()*+,-./:;<=>?@[\\]^_`{|}~" + alphanumeric)

// delimiters are the bytes that a name may have beside those of tokens under
// Message.Lenient. Blanks, control bytes and bytes above 0x7f are none of them: a server
// that trims them reads a name that frames the message.
var delimiters = byteSet("\"(),/;<=>?@[\\]{}")

// unescaped reports whether Message.Lenient lets c pass in a target.
func unescaped(c byte) bool { return c == '#' || c >= 0x80 }

// inert reports whether a control byte ends no line and, unlike NUL, no text.
func inert(c byte) bool { return c != 0 && c != '\r' && c != '\n' }

// authorityBytes holds the bytes of host and port (RFC 3986 section 3.2) without
// userinfo's @ (RFC 9110 section 4.2.4 has it refused), and without the comma, by
// which two Host lines could have been joined.
var authorityBytes = byteSet("!$%&'()*+-.:;=[]_~" + alphanumeric)

const alphanumeric = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

func byteSet(s string) (t [256]bool) {
	for i := range len(s) {
		t[s[i]] = true
	}
	return t
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// controls marks, by their high bits, the bytes of x below 0x20 and DEL: x-0x20 borrows
// into the high bit of a byte below 0x20, and x^0x7f is zero for DEL. A borrow can
// falsely mark bytes above a true mark, never below, so the lowest mark is true.
func controls(x uint64) uint64 {
	del := x ^ 0x7f*ones
	return ((x-0x20*ones)&^x | (del-ones)&^del) & highs
}

// skipText returns the index of the first byte of b from i on that is a control
// byte other than HTAB, or len(b). Most values are longer than one machine word, so
// two are looked at in a step.
func skipText(b []byte, i int) int {
	for {
		w := b[i:]
		for len(w) >= 16 {
			m0 := controls(binary.LittleEndian.Uint64(w))
			m1 := controls(binary.LittleEndian.Uint64(w[8:]))
			if m0|m1 != 0 {
				n := bits.TrailingZeros64(m0) >> 3 // 8 when m0 has no mark
				if n == 8 {
					n += bits.TrailingZeros64(m1) >> 3
				}
				w = w[n:]
				break
			}
			w = w[16:]
		}
		for len(w) > 0 && w[0] >= 0x20 && w[0] != 0x7f {
			w = w[1:]
		}
		i = len(b) - len(w)
		if len(w) == 0 || w[0] != '\t' {
			return i
		}
		i++
	}
}

// lower turns the ASCII capitals of b into small letters.
func lower(b []byte) {
	for len(b) >= 8 {
		x := binary.LittleEndian.Uint64(b)
		low7 := x &^ highs
		// The high bit of a byte's sum is set from 'A' up, respectively above 'Z'.
		capital := (low7 + (0x80-'A')*ones) &^ (low7 + (0x7f-'Z')*ones) &^ x & highs
		binary.LittleEndian.PutUint64(b, x|capital>>2)
		b = b[8:]
	}
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c | 0x20
		}
	}
}

func lowerByte(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c | 0x20
	}
	return c
}

// equalLower reports whether b is s, which is in lower case, whatever b's case.
func equalLower(b []byte, s string) bool {
	if len(b) != len(s) {
		return false
	}
	for i, c := range b {
		if lowerByte(c) != s[i] {
			return false
		}
	}
	return true
}

// equalFold reports whether a and b are the same but for the case of ASCII letters.
func equalFold(a, b []byte) bool {
	if len(a) != len(b) {
		return false
	}
	for i, c := range a {
		if lowerByte(c) != lowerByte(b[i]) {
			return false
		}
	}
	return true
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' }

// trim returns b[from:to] without white space at its ends.
func trim(b []byte, from, to int) Span {
	for from < to && isSpace(b[from]) {
		from++
	}
	for from < to && isSpace(b[to-1]) {
		to--
	}
	return Span{uint32(from), uint32(to - from)}
}

// nextElement cuts the first element off a comma-separated list and says whether
// another one follows.
func nextElement(list []byte) (element, rest []byte, more bool) {
	i := 0
	for i < len(list) && list[i] != ',' {
		i++
	}
	element = trim(list, 0, i).Of(list)
	if i == len(list) {
		return element, nil, false
	}
	return element, list[i+1:], true
}
