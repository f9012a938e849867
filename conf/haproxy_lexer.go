package conf

import (
	"strconv"
	"strings"

	"baton/internal/diag"
)

// lexHAProxyLine splits one line of an HAProxy section into words, after chapter
// 2.2 and 2.3 of the configuration manual: words stand between blanks, an
// unprotected # starts a comment, a backslash escapes, "weak" quotes protect
// blanks and # and expand environment variables, 'strong' quotes protect
// everything. Adjacent pieces join into one word.
//
// pos is the place of text[0]; it also answers the pseudo-variables .FILE and
// .LINE. env looks up all other variables, .SECTION among them; one that is not set
// and has no default is the empty string. Mistakes go to errs, each at its own column, and
// the words read so far are returned nevertheless.
func lexHAProxyLine(text string, pos diag.Pos, env func(string) (string, bool), errs *diag.List) []Word {
	if pos.Col == 0 {
		pos.Col = 1
	}
	l := haproxyLexer{text: text, pos: pos, env: env, errs: errs}
	l.run()
	return l.words
}

// haproxyLexer walks one line. i is the next byte to read.
type haproxyLexer struct {
	text string
	pos  diag.Pos
	env  func(string) (string, bool)
	errs *diag.List

	i     int
	words []Word

	word   strings.Builder
	start  int  // offset of the present word
	open   bool // a word has begun (it may still be empty: "")
	quoted bool
}

func (l *haproxyLexer) at(offset int) diag.Pos {
	p := l.pos
	p.Col += offset
	return p
}

// begin marks the present offset as the start of a word unless one is open.
func (l *haproxyLexer) begin() {
	if !l.open {
		l.open, l.quoted, l.start = true, false, l.i
	}
}

func (l *haproxyLexer) end() {
	if l.open {
		l.words = append(l.words, Word{Text: l.word.String(), Pos: l.at(l.start), Quoted: l.quoted})
		l.word.Reset()
		l.open = false
	}
}

func (l *haproxyLexer) run() {
	for l.i < len(l.text) {
		switch c := l.text[l.i]; c {
		case ' ', '\t':
			l.end()
			l.i++
		case '#':
			l.end()
			return
		case '\'':
			if !l.strong() {
				return
			}
		case '"':
			if !l.weak() {
				return
			}
		case '\\':
			l.begin()
			l.escape(" \t#\\'\"")
		default:
			l.begin()
			l.byte(c)
			l.i++
		}
	}
	l.end()
}

// byte adds c to the word. A NUL would silently cut the word short in HAProxy.
func (l *haproxyLexer) byte(c byte) {
	if c == 0 {
		l.errs.Errorf(l.at(l.i), "", "a NUL byte cannot be part of a word")
		return
	}
	l.word.WriteByte(c)
}

// strong reads '...'; nothing is special in it, so it can't hold a quote.
func (l *haproxyLexer) strong() bool {
	l.begin()
	l.quoted = true
	n := strings.IndexByte(l.text[l.i+1:], '\'')
	if n < 0 {
		l.unmatched("'", l.i)
		return false
	}
	from := l.i + 1
	for l.i = from; l.i < from+n; l.i++ {
		l.byte(l.text[l.i])
	}
	l.i++
	return true
}

// weak reads "...", in which escapes and variables work.
func (l *haproxyLexer) weak() bool {
	opening := l.i
	// "${LIST[*]}" with an empty list is no word at all, whereas "" is an empty one.
	wasOpen, expanded := l.open, false
	l.begin()
	l.quoted = true
	l.i++
	for l.i < len(l.text) {
		switch c := l.text[l.i]; c {
		case '"':
			if !wasOpen && expanded && l.open && l.word.Len() == 0 {
				l.open = false
			}
			l.i++
			return true
		case '\\':
			l.escape(" \t#\\'\"$")
		case '$':
			list, ok := l.variable()
			if !ok {
				return false
			}
			expanded = expanded || list
		default:
			l.byte(c)
			l.i++
		}
	}
	l.unmatched(`"`, opening)
	return false
}

func (l *haproxyLexer) unmatched(quote string, offset int) {
	l.errs.Errorf(l.at(offset), "close it on the same line, or write \\"+quote+" for the character itself",
		"unmatched quote %s", quote)
	l.open = false
	l.word.Reset()
}

// escape reads a backslash sequence; literal lists the characters that stand for
// themselves after one. Before anything else a backslash is an ordinary
// character: `\.php\$` outside quotes reaches the regular expression unchanged
// (chapter 2.2 lists \$ there too, but HAProxy 2.6 leaves it alone).
func (l *haproxyLexer) escape(literal string) {
	if l.i+1 == len(l.text) {
		l.byte('\\')
		l.i++
		return
	}
	c := l.text[l.i+1]
	switch {
	case c == 'n':
		l.byte('\n')
	case c == 'r':
		l.byte('\r')
	case c == 't':
		l.byte('\t')
	case c == 'x':
		l.hex()
		return
	case strings.IndexByte(literal, c) >= 0:
		l.byte(c)
	default:
		l.byte('\\')
		l.i++
		return
	}
	l.i += 2
}

func (l *haproxyLexer) hex() {
	digits := l.text[l.i+2 : min(l.i+4, len(l.text))]
	n, err := strconv.ParseUint(digits, 16, 8)
	if len(digits) != 2 || err != nil {
		l.errs.Errorf(l.at(l.i), `write \x and two hexadecimal digits, or \\x for a backslash and an x`,
			`truncated or invalid hexadecimal sequence`)
		l.i += 2
		return
	}
	l.byte(byte(n))
	l.i += 4
}

// variable reads $NAME, ${NAME}, ${NAME-default} or ${NAME[*]-default}. list is
// true for the [*] form, whose value becomes one word per blank-separated item.
func (l *haproxyLexer) variable() (list, ok bool) {
	dollar := l.i
	l.i++
	braced := l.i < len(l.text) && l.text[l.i] == '{'
	if braced {
		l.i++
	}
	from := l.i
	if l.i < len(l.text) && l.text[l.i] == '.' {
		l.i++
	}
	for l.i < len(l.text) && isNameByte(l.text[l.i], l.i > from && l.text[l.i-1] != '.') {
		l.i++
	}
	name := l.text[from:l.i]
	if name == "" || name == "." {
		l.errs.Errorf(l.at(from), `write \$ for a dollar sign, or use single quotes`,
			"forbidden first character in environment variable name")
		return false, false
	}

	fallback := ""
	if braced {
		if strings.HasPrefix(l.text[l.i:], "[") {
			if !strings.HasPrefix(l.text[l.i:], "[*]") {
				l.errs.Errorf(l.at(l.i), "the only form is ${"+name+"[*]}", "truncated or invalid word expansion sequence")
				return false, false
			}
			list = true
			l.i += len("[*]")
		}
		closing := strings.IndexByte(l.text[l.i:], '}')
		if closing > 0 && l.text[l.i] == '-' {
			fallback = l.text[l.i+1 : l.i+closing]
		} else if closing != 0 {
			l.errs.Errorf(l.at(dollar), "write ${"+name+"} or ${"+name+"-default}", "unmatched brace in environment variable name")
			return false, false
		}
		l.i += closing + 1
	}

	value, known := l.lookup(name, dollar)
	if !known {
		value = fallback
	}
	if strings.IndexByte(value, 0) >= 0 {
		l.errs.Errorf(l.at(dollar), "", "a NUL byte cannot be part of a word")
		return false, false
	}
	if !list {
		l.word.WriteString(value)
		return false, true
	}
	l.splice(value, dollar)
	return true, true
}

// splice adds the items of a list; all but the last end their word.
func (l *haproxyLexer) splice(value string, dollar int) {
	for n, item := range strings.Fields(value) {
		if n > 0 {
			l.end()
			l.open, l.quoted, l.start = true, true, dollar
		}
		l.word.WriteString(item)
	}
}

func (l *haproxyLexer) lookup(name string, offset int) (string, bool) {
	switch name {
	case ".FILE":
		return l.pos.File, true
	case ".LINE":
		return strconv.Itoa(l.pos.Line), true
	}
	value, ok := l.env(name)
	if !ok && name[0] == '.' {
		l.errs.Errorf(l.at(offset), "the pseudo-variables are .FILE, .LINE and .SECTION", "unknown pseudo-variable %s", name)
	}
	return value, ok
}

func isNameByte(c byte, digits bool) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || digits && c >= '0' && c <= '9'
}
