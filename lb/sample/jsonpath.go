package sample

import (
	"bytes"
	"strconv"
	"unicode/utf8"
)

// jsonStep is one part of a JSON path: a member's name, or the index of an element.
type jsonStep struct {
	name  string
	index int // -1: name
}

// parseJSONPath reads $.a.b[2]; a backslash protects a dot in a name.
func parseJSONPath(s string) (steps []jsonStep, problem string) {
	const bad = "is not a JSON path such as $.a.b[2]"
	if s == "" || s[0] != '$' {
		return nil, "'" + s + "' " + bad
	}
	for i := 1; i < len(s); {
		switch s[i] {
		case '.':
			var name []byte
			for i++; i < len(s) && s[i] != '.' && s[i] != '['; i++ {
				if s[i] == '\\' && i+1 < len(s) {
					i++
				}
				name = append(name, s[i])
			}
			if len(name) == 0 {
				return nil, "'" + s + "' " + bad
			}
			steps = append(steps, jsonStep{string(name), -1})
		case '[':
			n, length := leadingInt([]byte(s[i+1:]))
			if end := i + 1 + length; length == 0 || n < 0 || end >= len(s) || s[end] != ']' {
				return nil, "'" + s + "' " + bad
			}
			steps = append(steps, jsonStep{index: int(n)})
			i += length + 2
		default:
			return nil, "'" + s + "' " + bad
		}
	}
	return steps, ""
}

// maxJSONDepth bounds what is skipped, not what is looked for.
const maxJSONDepth = 64

// jsonFind returns the value that the steps lead to, with what follows it. It reads no
// further than it must: text that is broken behind the value does not matter.
func jsonFind(b []byte, steps []jsonStep) ([]byte, bool) {
	for _, st := range steps {
		b = jsonBlanks(b)
		open, end := byte('{'), byte('}')
		if st.index >= 0 {
			open, end = '[', ']'
		}
		if len(b) == 0 || b[0] != open {
			return nil, false
		}
		b = jsonBlanks(b[1:])
		for n := 0; ; n++ {
			if len(b) == 0 || b[0] == end {
				return nil, false
			}
			found := n == st.index
			if st.index < 0 {
				key, after, ok := jsonString(b)
				if !ok {
					return nil, false
				}
				if after = jsonBlanks(after); len(after) == 0 || after[0] != ':' {
					return nil, false
				}
				found, b = string(key) == st.name, jsonBlanks(after[1:])
			}
			if found {
				break
			}
			var ok bool
			if b, ok = jsonSkip(b, 0); !ok {
				return nil, false
			}
			if b = jsonBlanks(b); len(b) == 0 || b[0] != ',' {
				return nil, false
			}
			b = jsonBlanks(b[1:])
		}
	}
	return jsonBlanks(b), true
}

func jsonBlanks(b []byte) []byte {
	for len(b) > 0 && (isBlank(b[0]) || b[0] == '\n' || b[0] == '\r') {
		b = b[1:]
	}
	return b
}

// jsonString returns a string's text, still escaped, and what follows it.
func jsonString(b []byte) (text, after []byte, ok bool) {
	if len(b) == 0 || b[0] != '"' {
		return nil, nil, false
	}
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return b[1:i], b[i+1:], true
		}
	}
	return nil, nil, false
}

// jsonSkip passes over one value.
func jsonSkip(b []byte, depth int) ([]byte, bool) {
	if b = jsonBlanks(b); len(b) == 0 || depth > maxJSONDepth {
		return nil, false
	}
	switch b[0] {
	case '"':
		_, after, ok := jsonString(b)
		return after, ok
	case '{', '[':
		object := b[0] == '{'
		b = jsonBlanks(b[1:])
		for first := true; ; first = false {
			if len(b) > 0 && (b[0] == '}' || b[0] == ']') {
				return b[1:], true
			}
			if !first {
				if len(b) == 0 || b[0] != ',' {
					return nil, false
				}
				b = jsonBlanks(b[1:])
			}
			if object {
				_, after, ok := jsonString(b)
				if after = jsonBlanks(after); !ok || len(after) == 0 || after[0] != ':' {
					return nil, false
				}
				b = after[1:]
			}
			var ok bool
			if b, ok = jsonSkip(b, depth+1); !ok {
				return nil, false
			}
			b = jsonBlanks(b)
		}
	}
	n := 0
	for n < len(b) && bytes.IndexByte([]byte(",]} \t\r\n"), b[n]) < 0 {
		n++
	}
	return b[n:], n > 0
}

// jsonValue makes s the value that b begins with: a string, a boolean, or a number,
// which is a string unless integer is set. Others are absent.
func (c *Ctx) jsonValue(s *Sample, b []byte, integer bool) bool {
	switch {
	case len(b) == 0:
		return false
	case b[0] == '"':
		text, _, ok := jsonString(b)
		if !ok {
			return false
		}
		out, ok := unescapeJSON(c.room(), text)
		if !ok {
			return false
		}
		return s.setStr(out) // also where a number was asked for, as in HAProxy
	case bytes.HasPrefix(b, jsonTrue):
		return s.setBool(true)
	case bytes.HasPrefix(b, jsonFalse):
		return s.setBool(false)
	case b[0] != '-' && (b[0] < '0' || b[0] > '9'):
		return false
	case integer:
		return s.setInt(LeadingInt(b))
	}
	n := 0
	for n < len(b) && (b[n] == '-' || b[n] == '+' || b[n] == '.' || b[n]|0x20 == 'e' || '0' <= b[n] && b[n] <= '9') {
		n++
	}
	f, err := strconv.ParseFloat(view(b[:n]), 64)
	if err != nil {
		return false
	}
	return s.setStr(strconv.AppendFloat(c.room(), f, 'g', 6, 64))
}

var (
	jsonTrue  = []byte("true")
	jsonFalse = []byte("false")
)

// unescapeJSON follows RFC 8259 section 7; characters come out as UTF-8.
func unescapeJSON(dst, text []byte) ([]byte, bool) {
	for i := 0; i < len(text); i++ {
		ch := text[i]
		if ch != '\\' {
			dst = appendFit(dst, ch)
			continue
		}
		if i++; i == len(text) {
			return nil, false
		}
		switch text[i] {
		case '"', '\\', '/':
			dst = appendFit(dst, text[i])
		case 'b':
			dst = appendFit(dst, '\b')
		case 'f':
			dst = appendFit(dst, '\f')
		case 'n':
			dst = appendFit(dst, '\n')
		case 'r':
			dst = appendFit(dst, '\r')
		case 't':
			dst = appendFit(dst, '\t')
		case 'u':
			r, ok := jsonRune(text[i+1:])
			if !ok || cap(dst)-len(dst) < utf8.UTFMax {
				return nil, false
			}
			i += 4
			if 0xd800 <= r && r < 0xdc00 && i+2 < len(text) && text[i+1] == '\\' && text[i+2] == 'u' {
				low, ok := jsonRune(text[i+3:])
				if ok && 0xdc00 <= low && low < 0xe000 {
					r = (r-0xd800)<<10 | (low - 0xdc00) + 0x10000
					i += 6
				}
			}
			dst = utf8.AppendRune(dst, r)
		default:
			return nil, false
		}
	}
	return dst, true
}

func jsonRune(b []byte) (r rune, ok bool) {
	if len(b) < 4 {
		return 0, false
	}
	for _, ch := range b[:4] {
		if !isHex(ch) {
			return 0, false
		}
		r = r<<4 | rune(hexDigit(ch))
	}
	return r, true
}
