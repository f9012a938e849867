package spec

import (
	"net/netip"

	"baton/internal/diag"
	"baton/lb/pattern"
	"baton/lb/sample"
)

// ACL is a named test. Several ACLs of one name are alternatives.
type ACL struct {
	Name string
	Test Test
	Pos  diag.Pos
}

// Test compares the samples of an expression with patterns:
// `hdr(host) -i www.example.com`. It holds when one of them matches.
type Test struct {
	Expr     *sample.Expr
	Match    pattern.Method
	Patterns []Patterns // searched in order; none for pattern.Found and pattern.Bool
}

// Patterns are patterns of one kind: those on the line, or those of a file.
type Patterns struct {
	File     string // "": Words
	Words    []string
	FoldCase bool
	Set      Matcher
}

// Matcher finds a pattern, nil if none matches. A set never changes, the view of a
// list does.
type Matcher interface {
	Bytes(b []byte) *pattern.Entry
	Int(n int64) *pattern.Entry
	Addr(a netip.Addr) *pattern.Entry
}

// Cond is a condition in disjunctive form: any And whose terms all hold.
// Unless turns the whole result round (`unless` instead of `if`).
type Cond struct {
	Or     [][]Term
	Unless bool
	Pos    diag.Pos
}

// Term is one test of a condition. Any lists the alternatives (a named ACL may
// have several lines); the term holds when one of them does, or none with Not.
type Term struct {
	Not bool
	Any []Test
}

// HTTPRule is one http-request or http-response line.
type HTTPRule struct {
	Action Action
	Name   string // header name
	Value  string // literal header value
	Status int    // ActionDeny: default 403
	Code   int    // ActionRedirect: 301, 302, 303, 307, 308
	Target string // ActionRedirect: location, prefix or scheme
	Kind   RedirectKind
	Cond   *Cond
	Pos    diag.Pos

	Var      sample.VarName // ActionSetVar, ActionUnsetVar
	VarConds []string       // ActionSetVar: ifset, ifgt, ...
	Expr     *sample.Expr   // ActionSetVar
}

// Action is what an HTTP rule does.
type Action uint8

// The actions built so far.
const (
	ActionAddHeader Action = iota
	ActionSetHeader
	ActionDelHeader
	ActionDeny
	ActionAllow
	ActionRedirect
	ActionSetVar
	ActionUnsetVar
)

// RedirectKind is the form of a redirect.
type RedirectKind uint8

// The redirect forms.
const (
	RedirectLocation RedirectKind = iota
	RedirectPrefix
	RedirectScheme
)
