package sample

import (
	"bytes"
	"regexp"
	"unicode/utf8"

	"baton/lb/pattern"
)

// textConverters change strings.
var textConverters = []converter{
	{"cut_crlf", nil, 0, Str, Str, runCutCRLF, nil, "the first line"},
	{"field", []argKind{argInt, argStr, argInt}, 2, Str, Str, runField, checkIndex, "a part between delimiters: number, delimiters, count"},
	{"host_only", nil, 0, Str, Str, runHostOnly, nil, "a Host value without its port, in lower case"},
	{"json", []argKind{argStr}, 0, Str, Str, runJSON, checkJSON, "escape for JSON: ascii, utf8, utf8s, utf8p or utf8ps"},
	{"language", []argKind{argStr, argStr}, 1, Str, Str, runLanguage, checkLanguage, "the best of these languages for an Accept-Language"},
	{"lower", nil, 0, Str, Str, eachByte(lowerByte), nil, "lower case"},
	{"ltrim", []argKind{argStr}, 1, Str, Str, runTrimLeft, nil, "without these characters at the beginning"},
	{"param", []argKind{argStr, argStr}, 1, Str, Str, runParamOf, checkParamDelim, "a parameter of NAME=VALUE&NAME=VALUE"},
	{"port_only", nil, 0, Str, Int, runPortOnly, nil, "the port of a Host value, 0 without one"},
	{"regsub", []argKind{argStr, argStr, argStr}, 2, Str, Str, runRegsub, checkRegsub, "replace what a regular expression (RE2) finds; flags g, i; allocates"},
	{"reverse", nil, 0, Str, Str, runReverse, nil, "the bytes in reverse order"},
	{"reverse_dom", nil, 0, Str, Str, runReverseDomain, nil, "the labels of a domain name in reverse order"},
	{"rtrim", []argKind{argStr}, 1, Str, Str, runTrimRight, nil, "without these characters at the end"},
	{"upper", nil, 0, Str, Str, eachByte(upperByte), nil, "upper case"},
	{"url_dec", []argKind{argInt}, 0, Str, Str, runURLDecode, nil, "decode %XX, and + behind a ? or with 1"},
	{"url_enc", []argKind{argStr}, 0, Str, Str, runURLEncode, checkURLEncode, "encode for a query"},
	{"word", []argKind{argInt, argStr, argInt}, 2, Str, Str, runWord, checkIndex, "a word between delimiters, which may repeat: number, delimiters, count"},
}

func upperByte(c byte) byte {
	if 'a' <= c && c <= 'z' {
		return c - 'a' + 'A'
	}
	return c
}

func eachByte(f func(byte) byte) func(*Ctx, []Arg, *Sample) bool {
	return func(c *Ctx, _ []Arg, s *Sample) bool {
		out := appendFit(c.room(), s.B...)
		for i := range out {
			out[i] = f(out[i])
		}
		return s.setStr(out)
	}
}

func runCutCRLF(_ *Ctx, _ []Arg, s *Sample) bool {
	if i := bytes.IndexAny(s.B, "\r\n"); i >= 0 {
		s.B = s.B[:i]
	}
	return true
}

func runTrimLeft(_ *Ctx, a []Arg, s *Sample) bool {
	for len(s.B) > 0 && bytes.IndexByte(a[0].B, s.B[0]) >= 0 {
		s.B = s.B[1:]
	}
	return true
}

func runTrimRight(_ *Ctx, a []Arg, s *Sample) bool {
	for n := len(s.B); n > 0 && bytes.IndexByte(a[0].B, s.B[n-1]) >= 0; n-- {
		s.B = s.B[:n-1]
	}
	return true
}

func checkIndex(a []Arg) string {
	switch {
	case a[0].Int == 0:
		return "numbers count from 1, or from -1 backwards"
	case a[1].Str == "":
		return "no delimiters"
	case a[2].Int < 0:
		return "the count cannot be negative"
	}
	if !a[2].Given {
		a[2].Int = 1
	}
	return ""
}

// runField: every delimiter separates two fields, empty ones included.
func runField(_ *Ctx, a []Arg, s *Sample) bool {
	delims, count := a[1].B, a[2].Int
	n := a[0].Int
	b := s.B
	if n > 0 {
		start := 0
		for ; n > 1; n-- {
			i := indexAny(b[start:], delims)
			if i < 0 {
				return false
			}
			start += i + 1
		}
		end := start
		for ; count > 0; count-- {
			i := indexAny(b[end:], delims)
			if i < 0 {
				return s.setStr(b[start:])
			}
			end += i + 1
		}
		if end > start {
			return s.setStr(b[start : end-1])
		}
		return s.setStr(b[start:])
	}
	end := len(b)
	for ; n < -1; n++ {
		if end = lastIndexAny(b[:end], delims); end < 0 {
			return false
		}
	}
	start := end + 1
	for ; count > 0; count-- {
		i := lastIndexAny(b[:max(start-1, 0)], delims)
		if i < 0 {
			return s.setStr(b[:end])
		}
		start = i + 1
	}
	if start > end {
		return s.setStr(b[:end])
	}
	return s.setStr(b[start:end])
}

func indexAny(b, set []byte) int {
	for i, ch := range b {
		if bytes.IndexByte(set, ch) >= 0 {
			return i
		}
	}
	return -1
}

func lastIndexAny(b, set []byte) int {
	for i := len(b) - 1; i >= 0; i-- {
		if bytes.IndexByte(set, b[i]) >= 0 {
			return i
		}
	}
	return -1
}

// runWord: words are what stands between runs of delimiters. A word that is not
// there is empty, not absent.
func runWord(_ *Ctx, a []Arg, s *Sample) bool {
	delims, n, count := a[1].B, a[0].Int, a[2].Int
	b := s.B
	is := func(i int) bool { return bytes.IndexByte(delims, b[i]) >= 0 }
	if n > 0 {
		start, end := 0, 0
		for ; n > 0; n-- {
			for start = end; start < len(b) && is(start); start++ {
			}
			for end = start; end < len(b) && !is(end); end++ {
			}
		}
		if count == 0 {
			return s.setStr(b[start:])
		}
		for ; count > 1 && end < len(b); count-- {
			next := end
			for ; next < len(b) && is(next); next++ {
			}
			if next == len(b) {
				break
			}
			for end = next; end < len(b) && !is(end); end++ {
			}
		}
		return s.setStr(b[start:end])
	}
	start, end := len(b), len(b)
	for ; n < 0; n++ {
		for end = start; end > 0 && is(end-1); end-- {
		}
		for start = end; start > 0 && !is(start-1); start-- {
		}
	}
	if count == 0 {
		return s.setStr(b[:end])
	}
	for ; count > 1 && start > 0; count-- {
		next := start
		for ; next > 0 && is(next-1); next-- {
		}
		if next == 0 {
			break
		}
		for start = next; start > 0 && !is(start-1); start-- {
		}
	}
	return s.setStr(b[start:end])
}

// hostEnd is where the port's colon stands in a Host value, or its end.
func hostEnd(b []byte) int {
	for i := len(b) - 1; i >= 0; i-- {
		switch b[i] {
		case ':':
			return i
		case ']':
			return len(b)
		}
	}
	return len(b)
}

func runHostOnly(c *Ctx, a []Arg, s *Sample) bool {
	s.B = s.B[:hostEnd(s.B)]
	return eachByte(lowerByte)(c, a, s)
}

func runPortOnly(_ *Ctx, _ []Arg, s *Sample) bool {
	i := hostEnd(s.B)
	return s.setInt(LeadingInt(s.B[min(i+1, len(s.B)):]))
}

func runReverse(c *Ctx, _ []Arg, s *Sample) bool {
	out := c.room()
	for i := len(s.B) - 1; i >= 0; i-- {
		out = appendFit(out, s.B[i])
	}
	return s.setStr(out)
}

func runReverseDomain(c *Ctx, _ []Arg, s *Sample) bool {
	out, rest := c.room(), s.B
	for {
		dot := bytes.LastIndexByte(rest, '.')
		out = appendFit(out, rest[dot+1:]...)
		if dot < 0 {
			return s.setStr(out)
		}
		out = appendFit(out, '.')
		rest = rest[:dot]
	}
}

func checkParamDelim(a []Arg) string {
	if a[1].Given && len(a[1].Str) != 1 {
		return "the delimiter is one character, not '" + a[1].Str + "'"
	}
	if !a[1].Given {
		a[1].B = ampersand
	}
	return ""
}

var ampersand = []byte{'&'}

// runParamOf: a name without = has the empty value.
func runParamOf(_ *Ctx, a []Arg, s *Sample) bool {
	for rest, more := s.B, true; more; {
		var pair []byte
		pair, rest, more = bytes.Cut(rest, a[1].B)
		if key, value, _ := bytes.Cut(pair, equals); string(key) == a[0].Str {
			return s.setStr(value)
		}
	}
	return false
}

func runURLDecode(c *Ctx, a []Arg, s *Sample) bool {
	out, form := c.room(), a[0].Int != 0
	for i := 0; i < len(s.B); i++ {
		ch := s.B[i]
		switch {
		case ch == '%':
			if i+2 >= len(s.B) || !isHex(s.B[i+1]) || !isHex(s.B[i+2]) {
				return false
			}
			ch = hexDigit(s.B[i+1])<<4 | hexDigit(s.B[i+2])
			i += 2
		case ch == '+' && form:
			ch = ' '
		case ch == '?':
			form = true
		}
		out = appendFit(out, ch)
	}
	return s.setStr(out)
}

func hexDigit(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c | 0x20 - 'a' + 10
}

func checkURLEncode(a []Arg) string {
	if a[0].Given && a[0].Str != "query" {
		return "the only type of encoding is query, not '" + a[0].Str + "'"
	}
	return ""
}

// runURLEncode leaves the unreserved characters of RFC 3986 section 2.3.
func runURLEncode(c *Ctx, _ []Arg, s *Sample) bool {
	out := c.room()
	for _, ch := range s.B {
		if isAlnum(ch) || ch == '-' || ch == '_' || ch == '.' || ch == '~' {
			out = appendFit(out, ch)
		} else {
			out = appendHex(appendFit(out, '%'), ch)
		}
	}
	return s.setStr(out)
}

func checkJSON(a []Arg) string {
	switch a[0].Str {
	case "", "ascii", "utf8", "utf8s", "utf8p", "utf8ps":
		return ""
	}
	return "the input is ascii, utf8, utf8s, utf8p or utf8ps, not '" + a[0].Str + "'"
}

func runJSON(c *Ctx, a []Arg, s *Sample) bool {
	out, mode := c.room(), a[0].Str
	permissive, silent := mode == "utf8p" || mode == "utf8ps", mode == "utf8s" || mode == "utf8ps"
	for b := s.B; len(b) > 0; {
		r, n, ok := rune(b[0]), 1, true
		if mode != "" && mode != "ascii" {
			r, n, ok = decodeRune(b, permissive)
		}
		b = b[n:]
		switch {
		case ok:
			out = appendJSON(out, r)
		case !silent:
			return false
		}
	}
	return s.setStr(out)
}

// decodeRune reads a character of at most 16 bits, which is what \uXXXX can hold.
// permissive takes encodings that are longer than need be.
func decodeRune(b []byte, permissive bool) (r rune, n int, ok bool) {
	r, n = utf8.DecodeRune(b)
	if r != utf8.RuneError || n > 1 {
		return r, n, r <= 0xfffd
	}
	size := 0
	for m := b[0]; m&0x80 != 0; m <<= 1 {
		size++
	}
	if size < 2 || size > 4 {
		return 0, 1, false
	}
	r = rune(b[0] & (0xff >> (size + 1)))
	for n = 1; n < size && n < len(b) && b[n]&0xc0 == 0x80; n++ {
		r = r<<6 | rune(b[n]&0x3f)
	}
	surrogate := 0xd800 <= r && r < 0xe000
	return r, n, n == size && permissive && !surrogate && r <= 0xfffd
}

func appendJSON(dst []byte, r rune) []byte {
	switch r {
	case '"', '\\', '/':
		return appendFit(dst, '\\', byte(r))
	case '\b':
		return appendFit(dst, '\\', 'b')
	case '\f':
		return appendFit(dst, '\\', 'f')
	case '\n':
		return appendFit(dst, '\\', 'n')
	case '\r':
		return appendFit(dst, '\\', 'r')
	case '\t':
		return appendFit(dst, '\\', 't')
	}
	if 0x20 <= r && r < 0x7f {
		return appendFit(dst, byte(r))
	}
	const digits = "0123456789abcdef"
	return appendFit(dst, '\\', 'u', digits[r>>12&15], digits[r>>8&15], digits[r>>4&15], digits[r&15])
}

func checkLanguage(a []Arg) string {
	a[0].Aux = bytes.Split(a[0].B, []byte{';'})
	return ""
}

// runLanguage follows RFC 9110 section 12.5.4 as far as HAProxy does: a language
// matches itself, and without its variant.
func runLanguage(_ *Ctx, a []Arg, s *Sample) bool {
	known := a[0].Aux.([][]byte)
	best, bestQ := a[1].B, 0
	for rest := s.B; len(rest) > 0; {
		n := valueEnd(rest)
		tag, weight, _ := bytes.Cut(rest[:n], semicolon)
		rest = rest[min(n+1, len(rest)):]
		if q := quality(trimBlanks(weight)); q > bestQ {
			if l := languageOf(known, trimBlanks(tag)); l != nil {
				best, bestQ = l, q
			}
		}
	}
	return s.setStr(best) && (bestQ > 0 || a[1].Given)
}

var semicolon = []byte{';'}

func languageOf(known [][]byte, tag []byte) []byte {
	for {
		for _, l := range known {
			if bytes.Equal(l, tag) {
				return l
			}
		}
		dash := bytes.LastIndexByte(tag, '-')
		if dash < 0 {
			return nil
		}
		tag = tag[:dash]
	}
}

// quality reads q=0.5 as thousandths; 1 without one.
func quality(b []byte) int {
	if len(b) < 2 || b[0] != 'q' && b[0] != 'Q' || b[1] != '=' {
		return 1000
	}
	b = b[2:]
	whole, length := leadingInt(b)
	q := int(whole) * 1000
	if length < len(b) && b[length] == '.' {
		scale := 100
		for _, ch := range b[length+1:] {
			if ch < '0' || ch > '9' || scale == 0 {
				break
			}
			q += int(ch-'0') * scale
			scale /= 10
		}
	}
	return min(q, 1000)
}

// regsub is what regsub's check makes of its arguments.
type regsub struct {
	re  *regexp.Regexp
	all bool
}

func checkRegsub(a []Arg) string {
	var r regsub
	noCase := false
	for _, flag := range a[2].Str {
		switch flag {
		case 'g':
			r.all = true
		case 'i':
			noCase = true
		default:
			return "unknown flag '" + string(flag) + "', only g and i are known"
		}
	}
	var err error
	if r.re, err = pattern.CompileRegex(a[0].Str, noCase); err != nil {
		return err.Error()
	}
	a[0].Aux = r
	return ""
}

func runRegsub(c *Ctx, a []Arg, s *Sample) bool {
	r := a[0].Aux.(regsub)
	n := 1
	if r.all {
		n = -1
	}
	out, at := c.room(), 0
	for _, m := range r.re.FindAllSubmatchIndex(s.B, n) {
		out = appendFit(out, s.B[at:m[0]]...)
		out = ExpandBackrefs(out, a[1].B, s.B, m)
		at = m[1]
	}
	return s.setStr(appendFit(out, s.B[at:]...))
}

// ExpandBackrefs appends a replacement text: \0 to \9 are what the groups of the
// match (indexes into b, in pairs) found, \xNN a byte, and any other character behind
// a backslash itself.
func ExpandBackrefs(dst, text, b []byte, match []int) []byte {
	for i := 0; i < len(text); i++ {
		ch := text[i]
		if ch != '\\' || i+1 == len(text) {
			dst = appendFit(dst, ch)
			continue
		}
		i++
		switch ch = text[i]; {
		case '0' <= ch && ch <= '9':
			if g := 2 * int(ch-'0'); g < len(match) && match[g] >= 0 {
				dst = appendFit(dst, b[match[g]:match[g+1]]...)
			}
		case ch == 'x' && i+2 < len(text) && isHex(text[i+1]) && isHex(text[i+2]):
			dst = appendFit(dst, hexDigit(text[i+1])<<4|hexDigit(text[i+2]))
			i += 2
		default:
			dst = appendFit(dst, ch)
		}
	}
	return dst
}
