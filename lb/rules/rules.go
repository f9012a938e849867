package rules

import (
	"baton/lb/sample"
	"baton/lb/spec"
)

// Cond is a compiled condition.
type Cond func(*sample.Ctx) bool

// Compile makes a condition executable. Without one (nil) the result is always
// true. A test that no configuration can express (a method that does not fit its
// expression) never holds: conf refuses it first.
func Compile(c *spec.Cond) Cond {
	judge := Judge(c)
	return func(x *sample.Ctx) bool { return judge(x) == Yes }
}

// Verdict is what can be said of a condition while more bytes may come.
type Verdict uint8

// The verdicts. As bits, the lesser of two is their conjunction and the greater
// their disjunction.
const (
	No    Verdict = 0
	Maybe Verdict = 1 // more bytes may change it
	Yes   Verdict = 3
)

// not leaves Maybe as it is.
func (v Verdict) not() Verdict {
	switch v {
	case No:
		return Yes
	case Yes:
		return No
	}
	return Maybe
}

// Judge is Compile for rules that can wait for more bytes (content rules).
func Judge(c *spec.Cond) func(*sample.Ctx) Verdict {
	if c == nil {
		return func(*sample.Ctx) Verdict { return Yes }
	}
	or := make([][]term, len(c.Or))
	for i, and := range c.Or {
		for _, t := range and {
			or[i] = append(or[i], compileTerm(t))
		}
	}
	if c.Unless {
		return func(x *sample.Ctx) Verdict { return anyOf(or, x).not() }
	}
	return func(x *sample.Ctx) Verdict { return anyOf(or, x) }
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

func anyOf(or [][]term, x *sample.Ctx) Verdict {
	v := No
	for _, and := range or {
		if v = max(v, allOf(and, x)); v == Yes {
			break
		}
	}
	return v
}

func allOf(and []term, x *sample.Ctx) Verdict {
	v := Yes
	for i := range and {
		if v = min(v, and[i].judge(x)); v == No {
			break
		}
	}
	return v
}

func (t *term) judge(x *sample.Ctx) Verdict {
	v := No
	for _, test := range t.any {
		x.Undecided = false
		if test(x) {
			v = Yes
			break
		}
		if x.Undecided {
			v = Maybe
		}
	}
	if t.not {
		return v.not()
	}
	return v
}
