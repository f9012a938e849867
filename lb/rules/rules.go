package rules

import (
	"net/netip"

	"baton/lb/http1"
	"baton/lb/spec"
)

// Ctx is what conditions look at. One Ctx may be used again and again, but by one
// goroutine at a time.
type Ctx struct {
	Head     *http1.Message // the request; nil in mode tcp: HTTP samples are absent
	Buf      []byte         // the bytes that Head's spans point into
	Src, Dst netip.AddrPort
	NbSrv    func(backend string) int // usable servers of a backend
	SSL      bool                     // the client's connection is TLS that we ended

	scratch [64]byte // numbers and addresses as text
}

// Cond is a compiled condition.
type Cond func(*Ctx) bool

// Compile makes a condition executable. Without one (nil) the result is always
// true. A test that no configuration can express (a match that does not fit its
// fetch) panics: conf refuses it first.
func Compile(c *spec.Cond) Cond {
	if c == nil {
		return func(*Ctx) bool { return true }
	}
	or := make([][]term, len(c.Or))
	for i, and := range c.Or {
		for _, t := range and {
			or[i] = append(or[i], compileTerm(t))
		}
	}
	unless := c.Unless
	return func(x *Ctx) bool { return anyOf(or, x) != unless }
}

// term holds when one of its tests does, or none with not.
type term struct {
	not bool
	any []Cond
}

func compileTerm(t spec.Term) term {
	c := term{not: t.Not}
	for _, test := range t.Any {
		c.any = append(c.any, compileTest(test))
	}
	return c
}

func anyOf(or [][]term, x *Ctx) bool {
	for _, and := range or {
		if allOf(and, x) {
			return true
		}
	}
	return false
}

func allOf(and []term, x *Ctx) bool {
	for i := range and {
		if !and[i].holds(x) {
			return false
		}
	}
	return true
}

func (t *term) holds(x *Ctx) bool {
	for _, test := range t.any {
		if test(x) {
			return !t.not
		}
	}
	return t.not
}
