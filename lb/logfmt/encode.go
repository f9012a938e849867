package logfmt

import (
	"strconv"
	"unicode/utf8"
)

// unsafe are sets of bytes that are written as #XX, in messages as %XX.
type unsafe uint8

const (
	rawText     unsafe = iota // none: names and addresses of our own
	exprText                  // control bytes
	lineText                  // chapter 8.6: what is not printable, " and #
	headerText                // and what separates headers
	messageText               // control bytes but the tab: what a URI or a header field may not hold
)

// unsafeBytes tells for each byte which sets have it.
var unsafeBytes = func() (t [256]uint8) {
	for c := range t {
		if c < 32 || c == 127 {
			t[c] |= 1 << exprText
			if c != '\t' {
				t[c] |= 1 << messageText
			}
		}
		if c < 32 || c > 126 || c == '"' || c == '#' {
			t[c] |= 1<<lineText | 1<<headerText
		}
		if c == '{' || c == '|' || c == '}' {
			t[c] |= 1 << headerText
		}
	}
	return t
}()

const upperHex = "0123456789ABCDEF"

// appendSafe appends s with its unsafe bytes in hexadecimal, and, with escapes, " \
// and ] behind a backslash.
func appendSafe[T string | []byte](dst []byte, s T, u unsafe, escapes bool) []byte {
	set, lead := uint8(1)<<u, byte('#')
	if u == messageText {
		lead = '%'
	}
	from := 0
	for i := range len(s) {
		c := s[i]
		hex := unsafeBytes[c]&set != 0
		if !hex && !(escapes && (c == '"' || c == '\\' || c == ']')) {
			continue
		}
		dst = append(dst, s[from:i]...)
		from = i + 1
		if hex {
			dst = append(dst, lead, upperHex[c>>4], upperHex[c&15])
		} else {
			dst = append(dst, '\\', c)
		}
	}
	return append(dst, s[from:]...)
}

// appendJSON appends s as a JSON string. Bytes that are no UTF-8 become \u00XX.
func appendJSON[T string | []byte](dst []byte, s T) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c == '\n':
			dst = append(dst, `\n`...)
		case c == '\r':
			dst = append(dst, `\r`...)
		case c == '\t':
			dst = append(dst, `\t`...)
		case c < 32 || c == 127:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		case c < utf8.RuneSelf:
			dst = append(dst, c)
		default:
			n := runeLen(s[i:])
			if n == 0 {
				dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
				break
			}
			dst = append(dst, s[i:i+n]...)
			i += n - 1
		}
		i++
	}
	return append(dst, '"')
}

// runeLen is the length of the character that s begins with, 0 if it is none.
func runeLen[T string | []byte](s T) int {
	var b [utf8.UTFMax]byte
	n := copy(b[:], s)
	if r, size := utf8.DecodeRune(b[:n]); r != utf8.RuneError || size > 1 {
		return size
	}
	return 0
}

// The major types and simple values of CBOR (RFC 8949 section 3).
const (
	cborUint  = 0 << 5
	cborNeg   = 1 << 5
	cborBytes = 2 << 5
	cborText  = 3 << 5
	cborArray = 4 << 5
	cborMap   = 0xbf // of indefinite length
	cborEnd   = 0xff
	cborFalse = 0xf4
	cborTrue  = 0xf5
	cborNull  = 0xf6
)

func appendCBORHead(dst []byte, major byte, n uint64) []byte {
	switch {
	case n < 24:
		return append(dst, major|byte(n))
	case n < 1<<8:
		return append(dst, major|24, byte(n))
	case n < 1<<16:
		return append(dst, major|25, byte(n>>8), byte(n))
	case n < 1<<32:
		return append(dst, major|26, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	}
	return append(dst, major|27, byte(n>>56), byte(n>>48), byte(n>>40), byte(n>>32), byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
}

func appendCBORInt(dst []byte, n int64) []byte {
	if n < 0 {
		return appendCBORHead(dst, cborNeg, uint64(-1-n))
	}
	return appendCBORHead(dst, cborUint, uint64(n))
}

// appendCBORText appends a text string, which has to be UTF-8, or else a byte string.
func appendCBORText[T string | []byte](dst []byte, s T) []byte {
	major := byte(cborText)
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			n := runeLen(s[i:])
			if n == 0 {
				major = cborBytes
				break
			}
			i += n - 1
		}
	}
	return append(appendCBORHead(dst, major, uint64(len(s))), s...)
}

// hexInPlace doubles dst[from:] into hexadecimal digits.
func hexInPlace(dst []byte, from int) []byte {
	n := len(dst) - from
	for range n {
		dst = append(dst, 0)
	}
	for i := n - 1; i >= 0; i-- {
		c := dst[from+i]
		dst[from+2*i], dst[from+2*i+1] = upperHex[c>>4], upperHex[c&15]
	}
	return dst
}

// text appends a string value; empty is what plain text has for an empty one.
func text[T string | []byte](dst []byte, it *item, s T, u unsafe, empty string) []byte {
	switch {
	case it.flags == 0 && u == rawText && len(s) > 0:
		return append(dst, s...)
	case it.flags&asJSON != 0:
		return appendJSONText(dst, it, s)
	case it.flags&asCBOR != 0:
		switch it.as {
		case asInt:
			return appendCBORInt(dst, leadingInt(s))
		case asBool:
			return append(dst, cborBool(leadingInt(s) != 0))
		}
		return appendCBORText(dst, s)
	case it.flags&quote != 0:
		dst = append(dst, '"')
		dst = appendSafe(dst, s, u, it.flags&escape != 0)
		return append(dst, '"')
	case len(s) == 0 && it.flags&mayBeEmpty != 0:
		return dst
	case len(s) == 0:
		return append(dst, empty...)
	}
	return appendSafe(dst, s, u, it.flags&escape != 0)
}

func appendJSONText[T string | []byte](dst []byte, it *item, s T) []byte {
	switch it.as {
	case asInt:
		return strconv.AppendInt(dst, leadingInt(s), 10)
	case asBool:
		return strconv.AppendBool(dst, leadingInt(s) != 0 || string(s) == "true")
	}
	return appendJSON(dst, s)
}

func cborBool(b bool) byte {
	if b {
		return cborTrue
	}
	return cborFalse
}

// leadingInt is the number that s begins with, 0 if there is none.
func leadingInt[T string | []byte](s T) int64 {
	n, i := int64(0), 0
	negative := len(s) > 0 && s[0] == '-'
	if negative {
		i = 1
	}
	for ; i < len(s) && '0' <= s[i] && s[i] <= '9' && n < 1<<59; i++ {
		n = 10*n + int64(s[i]-'0')
	}
	if negative {
		return -n
	}
	return n
}

// number appends a numeric value; incomplete ones have a + in plain text.
func number(dst []byte, it *item, n int64, incomplete bool) []byte {
	if it.flags&(asJSON|asCBOR) == 0 {
		if incomplete {
			dst = append(dst, '+')
		}
		return strconv.AppendInt(dst, n, 10)
	}
	var b [20]byte
	switch it.as {
	case asStr:
		digits := strconv.AppendInt(b[:0], n, 10)
		if it.flags&asJSON != 0 {
			return appendJSON(dst, digits)
		}
		return appendCBORText(dst, digits)
	case asBool:
		return boolean(dst, it, n != 0)
	}
	if it.flags&asJSON != 0 {
		return strconv.AppendInt(dst, n, 10)
	}
	return appendCBORInt(dst, n)
}

func boolean(dst []byte, it *item, b bool) []byte {
	if it.flags&asCBOR != 0 {
		return append(dst, cborBool(b))
	}
	return strconv.AppendBool(dst, b)
}

// absent appends what stands for nothing at all.
func absent(dst []byte, it *item) []byte {
	switch {
	case it.flags&asJSON != 0:
		return append(dst, "null"...)
	case it.flags&asCBOR != 0:
		return append(dst, cborNull)
	case it.flags&quote != 0:
		return append(dst, `""`...)
	case it.flags&mayBeEmpty != 0:
		return dst
	}
	return append(dst, '-')
}

// hexNumber appends a number that +X makes hexadecimal, of at least width digits.
func hexNumber(dst []byte, it *item, n int64, width int) []byte {
	if it.flags&hexa == 0 || it.flags&(asJSON|asCBOR) != 0 {
		return number(dst, it, n, false)
	}
	var b [16]byte
	i := len(b)
	for v := uint64(n); v > 0 || len(b)-i < width; v >>= 4 {
		i--
		b[i] = upperHex[v&15]
	}
	return append(dst, b[i:]...)
}
