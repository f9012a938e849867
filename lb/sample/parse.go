package sample

import (
	"strings"

	"baton/internal/diag"
	"baton/lb/pattern"
	"baton/lb/userlist"
)

// Options is what the meaning of an expression's text depends on.
type Options struct {
	// Frontend and Backend name the proxy that the expression stands in, where it
	// can be one: they stand for the arguments that may be left away.
	Frontend, Backend string
	// Fetch is what the expression's first name stands for, where it is no fetch's own
	// name: the ACL criterion hdr_beg is a test on req.hdr.
	Fetch string
	// Map returns the list that a map file holds; nil: files cannot be read.
	Map func(file string) (*pattern.List, error)
	// Userlist returns the list of that name, which may still have to be filled; nil:
	// there are none. The expression's Refs tell which ones must be there in the end.
	Userlist func(name string) *userlist.List
	// File returns the text of another file; nil: files cannot be read.
	File func(name string) (string, error)
}

// Error is what is wrong with an expression.
type Error struct {
	Off       int // in the text
	Msg, Hint string
}

func (e *Error) Error() string { return e.Msg }

// Parse reads an expression: `FETCH[(ARGS)][,CONVERTER[(ARGS)]]...`, nothing after it.
func Parse(text string, o Options) (*Expr, *Error) {
	p := parser{text: text, o: o}
	e := p.expr()
	if p.err != nil {
		return nil, p.err
	}
	return e, nil
}

// ParseWords is Parse for expressions whose converters may be words of their own:
// `src ipmask(24)`. It returns how many words it took; Error.Off counts in the
// words joined by one space each.
func ParseWords(words []string, o Options) (*Expr, int, *Error) {
	n, text := 1, words[0]
	for n < len(words) && IsConverter(words[n]) {
		text += "," + words[n] // the comma has the place of the space
		n++
	}
	e, err := Parse(text, o)
	return e, n, err
}

// IsConverter tells whether a word begins with the name of a converter.
func IsConverter(word string) bool {
	name := word[:nameEnd(word)]
	_, ok := findConverter(name)
	_, later := whyLater(LaterConverters(), name)
	return ok || later
}

func nameEnd(s string) int {
	if i := strings.IndexAny(s, "(,"); i >= 0 {
		return i
	}
	return len(s)
}

type parser struct {
	text string
	i    int
	o    Options
	err  *Error
	refs []Ref
}

func (p *parser) fail(off int, hint, msg string) {
	if p.err == nil {
		p.err = &Error{off, msg, hint}
	}
}

func (p *parser) name() string {
	start := p.i
	p.i += nameEnd(p.text[start:])
	return p.text[start:p.i]
}

func (p *parser) expr() *Expr {
	e := &Expr{text: p.text}
	name := p.name()
	fetch := name
	if p.o.Fetch != "" {
		fetch = p.o.Fetch
	}
	f, ok := findFetch(fetch)
	if !ok {
		p.unknown(0, "fetch method", name, FetchNames(), LaterFetches())
		return nil
	}
	e.fetch = f
	e.args = p.args(0, name, f.args, f.min, f.check)
	t := f.out
	for p.err == nil && p.i < len(p.text) {
		if p.text[p.i] != ',' {
			p.fail(p.i, "separate converters by commas", "unexpected '"+p.text[p.i:]+"' after ')' in '"+p.text+"'")
			break
		}
		p.i++
		t = p.convert(e, t)
	}
	e.refs = p.refs
	return e
}

// convert reads one converter of a sample of type t, and returns what it makes of it.
func (p *parser) convert(e *Expr, t Type) Type {
	at := p.i
	name := p.name()
	if name == "" {
		p.fail(at, "", "missing converter after ',' in '"+p.text+"'")
		return t
	}
	cv, ok := findConverter(name)
	if !ok {
		p.unknown(at, "converter", name, ConverterNames(), LaterConverters())
		return t
	}
	if !castable(t, cv.in) {
		p.fail(at, "", "converter '"+name+"' cannot be applied: it takes "+cv.in.String()+", not "+t.String())
		return t
	}
	e.convs = append(e.convs, step{cv, p.args(at, name, cv.args, cv.min, cv.check)})
	return cv.outOf(t)
}

func (p *parser) unknown(off int, what, name string, names []string, later []Keyword) {
	if why, ok := whyLater(later, name); ok {
		p.fail(off, why, what+" '"+name+"' is known, not supported yet")
		return
	}
	hint := ""
	if near := diag.Nearest(name, names); near != "" {
		hint = "did you mean '" + near + "'?"
	}
	p.fail(off, hint, "unknown "+what+" '"+name+"'")
}

// args reads the arguments of the keyword at p.text[at:], up to and with the
// closing parenthesis.
func (p *parser) args(at int, name string, kinds []argKind, least int, check func([]Arg) string) []Arg {
	var given []Arg
	var offsets []int
	if p.i < len(p.text) && p.text[p.i] == '(' {
		var n int
		var problem string
		given, offsets, n, problem = splitArgs(p.text[p.i+1:])
		if problem != "" {
			p.fail(p.i, "", problem+" in '"+p.text[at:]+"'")
			return nil
		}
		for i := range offsets {
			offsets[i] += p.i + 1
		}
		p.i += 1 + n
	}
	// `()` is no argument, unless one is wanted: str().
	if len(given) == 1 && !given[0].Given && least == 0 {
		given = nil
	}
	if len(given) < least {
		p.fail(at, "", "'"+name+"' expects "+usage(name, kinds, least))
		return nil
	}
	if len(given) > len(kinds) {
		if len(kinds) == 0 {
			p.fail(offsets[0], "", "'"+name+"' takes no argument")
		} else {
			p.fail(offsets[len(kinds)], "", "too many arguments: '"+name+"' is used as "+usage(name, kinds, least))
		}
		return nil
	}
	args := make([]Arg, len(kinds))
	copy(args, given)
	for i, k := range kinds {
		a := &args[i]
		off := at
		if i < len(given) {
			off = offsets[i]
		}
		if p.reference(a, k, name, off); p.err != nil {
			return nil
		}
		if !a.Given && (k != argStr || i >= len(given)) {
			if i < least && k != argStr && k != argStrVar && k != argPEM && k != argVar {
				p.fail(off, "", "'"+name+"' expects "+usage(name, kinds, least))
				return nil
			}
			continue
		}
		if problem := a.read(k); problem != "" {
			p.fail(off, "", "'"+a.Str+"' in '"+name+"' is wrong: "+problem)
			return nil
		}
	}
	if check != nil {
		if problem := check(args); problem != "" {
			p.fail(at, "", "'"+name+"': "+problem)
		}
	}
	return args
}

// usage is how a keyword is written: concat(string[,string]).
func usage(name string, kinds []argKind, least int) string {
	b := name + "("
	for i, k := range kinds {
		switch {
		case i >= least && i == 0:
			b += "[" + k.String()
		case i >= least:
			b += "[," + k.String()
		case i > 0:
			b += "," + k.String()
		default:
			b += k.String()
		}
		if i >= least {
			b += "]"
		}
	}
	return b + ")"
}

// reference notes what an argument names, and puts the proxy that the expression
// stands in where nothing is named.
func (p *parser) reference(a *Arg, k argKind, name string, off int) {
	own, what := "", ""
	switch k {
	case argBackend:
		own, what = p.o.Backend, "backend"
	case argFrontend:
		own, what = p.o.Frontend, "frontend"
	case argServer:
		if a.Given && !strings.Contains(a.Str, "/") {
			if p.o.Backend == "" {
				p.fail(off, "write "+name+"(BACKEND/SERVER)", "'"+name+"' names a server without its backend")
				return
			}
			a.Str = p.o.Backend + "/" + a.Str
		}
		p.refs = append(p.refs, Ref{RefServer, a.Str, off})
		a.Aux = splitServer(a.Str)
		return
	case argUserlist:
		if a.Given {
			p.userlist(a, off)
		}
		return
	case argMap:
		p.mapFile(a, off)
		return
	case argPEM:
		a.Aux = p.publicKey(a.Str)
		return
	default:
		return
	}
	if !a.Given {
		if own == "" {
			p.fail(off, "write "+name+"("+strings.ToUpper(what)+")",
				"'"+name+"' without an argument means this proxy, which has no "+what+" capability")
			return
		}
		a.Str, a.Given = own, true
	}
	kind := RefBackend
	if k == argFrontend {
		kind = RefFrontend
	}
	p.refs = append(p.refs, Ref{kind, a.Str, off})
}

// mapFile puts the list that a map file holds into an argument.
func (p *parser) mapFile(a *Arg, off int) {
	if p.o.Map == nil {
		p.fail(off, "", "a file ('"+a.Str+"') cannot be read here")
		return
	}
	list, err := p.o.Map(a.Str)
	if err != nil {
		p.fail(off, "", err.Error())
		return
	}
	a.Aux = list
}

// publicKey tries to read a file with a key: whether the argument names one, depends
// on another argument.
func (p *parser) publicKey(name string) jwtKey {
	if p.o.File == nil {
		return jwtKey{problem: "files cannot be read here"}
	}
	text, err := p.o.File(name)
	if err != nil {
		return jwtKey{problem: err.Error()}
	}
	key, err := parsePublicKey(text)
	if err != nil {
		return jwtKey{problem: err.Error()}
	}
	return jwtKey{public: key}
}

// serverName is BACKEND/SERVER, cut.
type serverName struct{ backend, server string }

func splitServer(s string) serverName {
	b, srv, _ := strings.Cut(s, "/")
	return serverName{b, srv}
}
