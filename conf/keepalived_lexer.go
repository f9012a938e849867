package conf

import (
	"strings"

	"baton/internal/diag"
)

// tokenKind tells words from braces.
type tokenKind uint8

const (
	tokenWord tokenKind = iota
	tokenOpen
	tokenClose
)

type token struct {
	kind tokenKind
	word Word
}

// stripComment cuts a physical line at the first # or ! outside quotes. The
// manual lets a comment start anywhere, so `abc!def` is abc: that is said aloud,
// because in a password nobody means it.
func stripComment(s string, pos diag.Pos, errs *diag.List) string {
	var quote byte
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\':
			i++
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '#' || c == '!':
			glued := i > 0 && !isBlank(s[i-1]) && i+1 < len(s) && !isBlank(s[i+1]) && s[i-1] != '}' && s[i-1] != '{'
			if glued && errs != nil {
				pos.Col += i
				errs.Warnf(pos, "put the word in quotes if the character belongs to it", "`%c` starts a comment here and cuts the word short", c)
			}
			return s[:i]
		}
	}
	return s
}

// lexKeepalived splits a line, after comments are stripped and definitions
// substituted, into words and braces. Quoted strings keep their blanks and join
// with what touches them; escapes work as in the chapter "Quoted strings" of
// keepalived.conf(5). Braces need no blanks round them; only `${NAME}`, the
// reference to something undefined, keeps its own.
func lexKeepalived(t text, errs *diag.List) []token {
	l := keepalivedLexer{t: t, errs: errs}
	for l.i < len(t.s) {
		switch c := t.s[l.i]; {
		case isBlank(c):
			l.end()
			l.i++
		case c == '{' || c == '}':
			l.end()
			kind := tokenOpen
			if c == '}' {
				kind = tokenClose
			}
			l.tokens = append(l.tokens, token{kind, Word{Text: string(c), Pos: t.pos(l.i)}})
			l.i++
		case c == '"' || c == '\'':
			l.begin()
			l.quoted = true
			l.quote(c)
		case c == '$' && referenceLen(t.s[l.i:]) > 0:
			l.begin()
			n := referenceLen(t.s[l.i:])
			l.b.WriteString(t.s[l.i : l.i+n])
			l.i += n
		case c == '\\' && l.i+1 < len(t.s) && strings.IndexByte(`"'\`, t.s[l.i+1]) >= 0:
			l.begin()
			l.b.WriteByte(t.s[l.i+1])
			l.i += 2
		default:
			l.begin()
			l.b.WriteByte(c)
			l.i++
		}
	}
	l.end()
	return l.tokens
}

type keepalivedLexer struct {
	t      text
	i      int // next byte
	errs   *diag.List
	tokens []token

	b      strings.Builder
	start  int
	open   bool // a word has begun (it may still be empty: "")
	quoted bool
}

func (l *keepalivedLexer) begin() {
	if !l.open {
		l.open, l.quoted, l.start = true, false, l.i
	}
}

func (l *keepalivedLexer) end() {
	if l.open {
		l.tokens = append(l.tokens, token{tokenWord, Word{Text: l.b.String(), Pos: l.t.pos(l.start), Quoted: l.quoted}})
		l.b.Reset()
		l.open = false
	}
}

// quote reads from the opening quote to behind the closing one.
func (l *keepalivedLexer) quote(q byte) {
	opening := l.i
	l.i++
	for l.i < len(l.t.s) {
		switch c := l.t.s[l.i]; {
		case c == q:
			l.i++
			return
		case c == '\\' && l.i+1 < len(l.t.s):
			c, n := unescape(l.t.s[l.i:])
			l.b.WriteByte(c)
			l.i += n
		default:
			l.b.WriteByte(c)
			l.i++
		}
	}
	l.errs.Errorf(l.t.pos(opening), "a quoted string ends on the line where it began", "unterminated quote %c", q)
}

// unescape resolves the escape that s starts with: a backslash and at least one
// byte. It returns the byte meant and the length of the escape.
func unescape(s string) (c byte, n int) {
	switch s[1] {
	case 'a':
		return '\a', 2
	case 'b':
		return '\b', 2
	case 'E':
		return 0x1b, 2
	case 'f':
		return '\f', 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	case 'v':
		return '\v', 2
	case 'c':
		if len(s) > 2 {
			return s[2] & 0x1f, 3
		}
	case 'x':
		// Any run of hexadecimal digits; the last two decide.
		for n = 2; n < len(s) && hexDigit(s[n]) >= 0; n++ {
			c = c<<4 | byte(hexDigit(s[n]))
		}
		if n > 2 {
			return c, n
		}
	case '0', '1', '2', '3', '4', '5', '6', '7':
		for n = 1; n < len(s) && n < 4 && s[n] >= '0' && s[n] <= '7'; n++ {
			c = c<<3 | (s[n] - '0')
		}
		return c, n
	}
	return s[1], 2
}

func hexDigit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// referenceLen returns the length of the `${NAME}` that s starts with, or 0. A
// predefined name may have arguments: `${_RANDOM 1 9}`.
func referenceLen(s string) int {
	if !strings.HasPrefix(s, "${") {
		return 0
	}
	name := nameLen(s[2:])
	if name == 0 {
		return 0
	}
	end := 2 + name
	for end < len(s) && s[2] == '_' && (isBlank(s[end]) || s[end] >= '0' && s[end] <= '9') {
		end++
	}
	if end < len(s) && s[end] == '}' {
		return end + 1
	}
	return 0
}

// nameLen returns the length of the parameter name that s starts with, or 0.
func nameLen(s string) int {
	n := 0
	for n < len(s) {
		c := s[n]
		letter := c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !letter && (n == 0 || c < '0' || c > '9') {
			break
		}
		n++
	}
	return n
}
