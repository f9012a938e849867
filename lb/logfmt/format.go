package logfmt

import (
	"fmt"
	"slices"
	"strings"
)

// Format is a compiled log-format string (chapter 8.2.6). It holds no state.
type Format struct {
	text  string
	items []item
	flags flags // of %o as it stood last: encoding as a whole
	needs Need
}

// Expr is a sample expression, compiled. The value is valid until the next
// evaluation; a sample that cannot be had is absent.
type Expr interface {
	Eval(r *Record) (Value, bool)
}

// ValueKind is the type of a Value.
type ValueKind uint8

// The kinds of values.
const (
	Text ValueKind = iota
	Binary
	Number
	Boolean // Int is 0 or 1
)

// Value is what an expression gives.
type Value struct {
	Kind  ValueKind
	Int   int64  // Number, Boolean
	Bytes []byte // Text, Binary
}

// Syntax says how a format is compiled.
type Syntax struct {
	HTTP  bool // the format is for mode http
	Merge bool // blanks are delimiters, and merged: log-format, log-format-sd, unique-id-format
	Value bool // the format makes a value, of a header for example: what is absent leaves nothing
	// Verbatim writes samples as they are, up to a NUL as C's strings end: for what goes to
	// nobody's log as it is, variables and the data of health checks.
	Verbatim bool
	// Message is for what goes into an HTTP message: binary samples end at a NUL, control
	// bytes but tabs are %XX, and +Q leaves samples without quotes.
	Message bool
	// Expr compiles an expression, what is in the brackets, which begins off bytes into
	// the format. Its errors are Compile's.
	Expr func(text string, off int) (Expr, error)
	// Warn is told what has no effect off bytes into the format; nil: nobody is.
	Warn func(off int, msg string)
}

// SyntaxError is a mistake in a format.
type SyntaxError struct {
	Off  int // where, in bytes from the format's start
	Msg  string
	Hint string
	Near string // the name that is unknown, for proposals
}

func (e *SyntaxError) Error() string { return e.Msg }

// flags are what stands in the braces.
type flags uint16

const (
	quote flags = 1 << iota
	hexa
	escape
	binary
	asJSON
	asCBOR
	mayBeEmpty // absent samples leave nothing: Syntax.Value
	verbatim   // samples as they are: Syntax.Verbatim
	message    // samples as parts of a message: Syntax.Message
)

var flagNames = []struct {
	name string
	flag flags
}{{"Q", quote}, {"X", hexa}, {"E", escape}, {"bin", binary}, {"json", asJSON}, {"cbor", asCBOR}}

type itemKind uint8

const (
	itemText itemKind = iota
	itemBlank
	itemAlias
	itemExpr
)

// forced is the type after an item's name.
type forced uint8

const (
	asIs forced = iota
	asStr
	asInt
	asBool
)

type item struct {
	kind  itemKind
	alias alias
	flags flags
	as    forced
	text  string // itemText
	name  string // the key when encoding
	expr  Expr
}

// Compile compiles a format. An error is a *SyntaxError, or one of Syntax.Expr's.
func Compile(text string, o Syntax) (*Format, error) {
	p := parser{text: text, o: o, f: &Format{text: text}}
	if o.Value {
		p.global |= mayBeEmpty
	}
	if o.Verbatim {
		p.global |= verbatim
	}
	if o.Message {
		p.global |= message
	}
	for p.i < len(text) {
		if err := p.next(); err != nil {
			return nil, err
		}
	}
	p.literal()
	p.f.flags = p.global
	return p.f, nil
}

// Must compiles a format of this program's own, which has no mistakes.
func Must(text string, o Syntax) *Format {
	f, err := Compile(text, o)
	if err != nil {
		panic("BUG: logfmt: " + err.Error())
	}
	return f
}

// String is the format as it was written.
func (f *Format) String() string { return f.text }

// Needs tells what the format wants a Record to hold.
func (f *Format) Needs() Need {
	if f == nil {
		return 0
	}
	return f.needs
}

// Constant returns what the format makes of every record, if that is always the same.
func (f *Format) Constant() (text string, ok bool) {
	if !f.only(itemText, itemBlank) {
		return "", false
	}
	return string(f.Append(nil, new(Record))), true
}

// OnlySamples reports whether the format looks at nothing of a Record but Sample.
func (f *Format) OnlySamples() bool { return f.only(itemText, itemBlank, itemExpr) }

func (f *Format) only(kinds ...itemKind) bool {
	for i := range f.items {
		if !slices.Contains(kinds, f.items[i].kind) {
			return false
		}
	}
	return true
}

type parser struct {
	text   string
	i      int
	lit    []byte
	global flags
	o      Syntax
	f      *Format
}

func (p *parser) fail(off int, near, format string, args ...any) error {
	return &SyntaxError{Off: off, Near: near, Msg: fmt.Sprintf(format, args...)}
}

// literal ends the text that has been gathered.
func (p *parser) literal() {
	if len(p.lit) > 0 {
		p.f.items = append(p.f.items, item{kind: itemText, text: string(p.lit)})
		p.lit = nil
	}
}

func (p *parser) next() error {
	switch c := p.text[p.i]; {
	case c == '%' && strings.HasPrefix(p.text[p.i:], "%%"):
		p.lit = append(p.lit, '%')
		p.i += 2
	case c == '%':
		p.literal()
		return p.item()
	case c == ' ' && p.o.Merge:
		p.literal()
		for p.i < len(p.text) && p.text[p.i] == ' ' {
			p.i++
		}
		p.f.items = append(p.f.items, item{kind: itemBlank})
	default:
		p.lit = append(p.lit, c)
		p.i++
	}
	return nil
}

// item reads %[(name[:type])][{flags}]alias or the same with [expression].
func (p *parser) item() error {
	start := p.i
	p.i++
	it := item{flags: p.global}
	if p.at() == '(' {
		if err := p.name(&it); err != nil {
			return err
		}
	}
	braces := p.at() == '{'
	if braces {
		if err := p.braces(&it); err != nil {
			return err
		}
	}
	switch {
	case p.at() == '[':
		return p.expr(it)
	case !isAlnum(p.at()) && braces:
		return p.fail(start, "", "flags without an alias near '%s'", p.text[start:p.i])
	case !isAlnum(p.at()):
		return p.fail(start, "", "'%%' alone: write %%%% for a percent sign")
	}
	return p.aliased(it, start)
}

// at is the byte at the present position, 0 at the end.
func (p *parser) at() byte {
	if p.i == len(p.text) {
		return 0
	}
	return p.text[p.i]
}

func isAlnum(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

// isName reports whether s is letters and digits.
func isName(s string) bool {
	for i := range len(s) {
		if !isAlnum(s[i]) {
			return false
		}
	}
	return s != ""
}

func (p *parser) name(it *item) error {
	end := strings.IndexByte(p.text[p.i:], ')')
	if end < 0 {
		return p.fail(p.i, "", "missing ')' after '%s'", p.text[p.i:])
	}
	name, kind, typed := strings.Cut(p.text[p.i+1:p.i+end], ":")
	it.name = name
	if typed {
		switch kind {
		case "str":
			it.as = asStr
		case "sint":
			it.as = asInt
		case "bool":
			it.as = asBool
		default:
			return p.fail(p.i+1+len(name)+1, "", "unknown type '%s': str, sint and bool are known", kind)
		}
	}
	p.i += end + 1
	return nil
}

func (p *parser) braces(it *item) error {
	start := p.i
	end := strings.IndexByte(p.text[p.i:], '}')
	if end < 0 {
		return p.fail(start, "", "missing '}' after '%s'", p.text[start:])
	}
	p.i += end + 1
	for word := range strings.SplitSeq(p.text[start+1:start+end], ",") {
		word = strings.TrimSpace(word)
		if word == "" {
			continue
		}
		known := false
		for _, n := range flagNames {
			switch word {
			case "+" + n.name:
				it.flags |= n.flag
				known = true
			case "-" + n.name:
				it.flags &^= n.flag
				known = true
			}
		}
		switch {
		case known:
		case word[0] == '-' && isName(word[1:]): // HAProxy has had others than these
			if p.o.Warn != nil {
				p.o.Warn(start, "flag '"+word+"' has no effect: there is nothing that it switches off")
			}
		default:
			return p.fail(start, "", "unknown flag '%s': +Q, +X, +E, +bin, +json, +cbor, or with - are known", word)
		}
	}
	if it.flags&asJSON != 0 && it.flags&asCBOR != 0 {
		return p.fail(start, "", "json and cbor exclude each other")
	}
	return nil
}

func (p *parser) expr(it item) error {
	open := p.i
	depth, end := 0, -1
	quoted := byte(0)
	for i := open; i < len(p.text) && end < 0; i++ {
		switch c := p.text[i]; {
		case c == '\\':
			i++
		case quoted != 0:
			if c == quoted {
				quoted = 0
			}
		case c == '(':
			depth++
		case c == ')' && depth > 0:
			depth--
		case depth > 0 && (c == '"' || c == '\''):
			quoted = c
		case c == ']' && depth == 0:
			end = i
		}
	}
	if end < 0 {
		return p.fail(open, "", "missing ']' after '%s'", p.text[open+1:])
	}
	if p.o.Expr == nil {
		return p.fail(open, "", "no expressions here")
	}
	var err error
	if it.expr, err = p.o.Expr(p.text[open+1:end], open+1); err != nil {
		return err
	}
	it.kind = itemExpr
	if p.o.Message {
		it.flags &^= quote
	}
	p.f.needs |= NeedSample
	if strings.HasPrefix(p.text[open+1:end], "bc_") {
		p.f.needs |= NeedSource
	}
	p.f.items = append(p.f.items, it)
	p.i = end + 1
	return nil
}

func (p *parser) aliased(it item, start int) error {
	from := p.i
	for isAlnum(p.at()) {
		p.i++
	}
	name := p.text[from:p.i]
	if name == "o" {
		p.global = it.flags
		return nil
	}
	row, ok := aliasOf(name)
	switch {
	case !ok:
		return p.fail(start, name, "no such alias '%%%s': write %%%% for a percent sign", name)
	case row.http && !p.o.HTTP:
		return p.fail(start, "", "alias '%%%s' is for mode http", name)
	}
	it.kind, it.alias = itemAlias, row.alias
	p.f.needs |= row.needs
	p.f.items = append(p.f.items, it)
	return nil
}
