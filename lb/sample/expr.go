package sample

import "slices"

// Expr is a compiled expression. It holds no state: any number of loops may
// evaluate it at the same time, each with its own Ctx.
type Expr struct {
	text  string
	fetch fetch
	args  []Arg
	convs []step
	refs  []Ref
}

// step is one converter with its arguments.
type step struct {
	converter
	args []Arg
}

// fetch is a row of the tables of fetches.
type fetch struct {
	name  string
	args  []argKind
	min   int // arguments that must be there
	out   Type
	where Places
	run   func(c *Ctx, a []Arg, s *Sample) bool
	check func(a []Arg) (problem string) // may be nil
	doc   string
}

// converter is a row of the tables of converters. in is the type that its input is
// made before it runs.
type converter struct {
	name    string
	args    []argKind
	min     int
	in, out Type
	run     func(c *Ctx, a []Arg, s *Sample) bool
	check   func(a []Arg) (problem string)
	doc     string
}

// outOf is the type of what the converter makes of a sample of type t. One that takes
// any type and gives any passes its samples on.
func (c *converter) outOf(t Type) Type {
	if c.in == Any && c.out == Any {
		return t
	}
	return c.out
}

// Ref is something that an expression names and that must exist.
type Ref struct {
	Kind RefKind
	Name string // RefServer: BACKEND/SERVER
	Off  int    // in the text
}

// RefKind is what a Ref names.
type RefKind uint8

// The kinds of references.
const (
	RefBackend RefKind = iota
	RefFrontend
	RefServer
	RefUserlist
)

// String is the expression as it was written.
func (e *Expr) String() string { return e.text }

// Type is what the expression's samples are. It is Any when only the sample tells,
// as with variables.
func (e *Expr) Type() Type {
	t := e.fetch.out
	for i := range e.convs {
		t = e.convs[i].outOf(t)
	}
	return t
}

// Places tells where the expression can be evaluated.
func (e *Expr) Places() Places { return e.fetch.where }

// Fetch is the name of the expression's fetch.
func (e *Expr) Fetch() string { return e.fetch.name }

// HTTP tells whether the expression looks at an HTTP request or response.
func (e *Expr) HTTP() bool {
	name := e.fetch.name
	if name == "unique-id" || name == "req.proto_http" || name == "req_proto_http" {
		return false
	}
	is := func(f fetch) bool { return f.name == name }
	return slices.ContainsFunc(httpFetches, is) || slices.ContainsFunc(responseFetches, is)
}

// Raw tells whether the expression looks at the raw bytes of a connection in mode tcp.
func (e *Expr) Raw() bool {
	return slices.ContainsFunc(payloadFetches, func(f fetch) bool { return f.name == e.fetch.name }) && e.fetch.name != "wait_end"
}

// Rate tells whether the expression asks how often something happens.
func (e *Expr) Rate() bool {
	switch e.fetch.name {
	case "be_sess_rate", "fe_req_rate", "fe_sess_rate", "srv_sess_rate":
		return true
	}
	return false
}

// CanBe tells whether the expression's samples can be made samples of a type.
func (e *Expr) CanBe(t Type) bool {
	return castable(e.Type(), t) || t == Bool && castable(e.Type(), Int)
}

// Converted tells whether there are converters.
func (e *Expr) Converted() bool { return len(e.convs) > 0 }

// Refs lists what the expression names.
func (e *Expr) Refs() []Ref { return e.refs }

// Constant tells whether the expression is the same everywhere and always.
func (e *Expr) Constant() bool {
	switch e.fetch.name {
	case "str", "int", "bool", "bin", "ipv4", "ipv6", "meth", "always_true", "always_false":
		return len(e.convs) == 0
	}
	return false
}

// Eval evaluates the expression: where a fetch has several values (headers,
// cookies) the one that the manual says. The sample and its bytes are valid until
// the next evaluation with c.
func (e *Expr) Eval(c *Ctx) (*Sample, bool) {
	c.iterate = false
	s := &c.s
	return s, e.next(c, s)
}

// Text evaluates the expression to a string, nil if it is absent.
func (e *Expr) Text(c *Ctx) []byte {
	s, ok := e.Eval(c)
	if !ok || !c.cast(s, Str) {
		return nil
	}
	if s.B == nil {
		return []byte{}
	}
	return s.B
}

// Any evaluates the expression once for each value of its fetch and stops when
// match says so. match must not keep the sample.
func (e *Expr) Any(c *Ctx, match func(*Ctx, *Sample) bool) bool {
	c.iterate, c.more, c.cur = true, false, cursor{}
	for {
		s := &c.s
		if e.next(c, s) && match(c, s) {
			return true
		}
		if !c.more {
			return false
		}
		c.iterate = true
	}
}

// next runs the fetch and its converters once. When the fetch iterates, c.more
// says whether there is another value.
func (e *Expr) next(c *Ctx, s *Sample) bool {
	c.more = false
	if !e.fetch.run(c, e.args, s) {
		return false
	}
	for i := range e.convs {
		st := &e.convs[i]
		if !c.cast(s, st.in) || !st.run(c, st.args, s) {
			return false
		}
	}
	return true
}

// Cast makes a sample that c's evaluation gave one of another type.
func (c *Ctx) Cast(s *Sample, to Type) bool { return c.cast(s, to) }

// AsText is the sample as a string, which s does not become.
func (c *Ctx) AsText(s *Sample) []byte {
	if s.Type == Bin {
		return untilNUL(s.B)
	}
	return c.text(s)
}

// AsBytes is the sample as a block of bytes, which s does not become.
func (c *Ctx) AsBytes(s *Sample) []byte {
	own := *s
	c.toBin(&own)
	return own.B
}
