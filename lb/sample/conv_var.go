package sample

import (
	"bytes"
	"crypto/subtle"
)

// varConverters work with variables.
var varConverters = []converter{
	{"add_item", []argKind{argStr, argVar, argStr}, 2, Str, Str, runAddItem, checkAddItem, "append a delimiter, a variable and a suffix, where there is something to append"},
	{"concat", []argKind{argStr, argVar, argStr}, 1, Str, Str, runConcat, nil, "append a string, a variable and a string"},
	{"secure_memcmp", []argKind{argVar}, 1, Bin, Bool, runSecureCompare, nil, "equal to a variable, compared in constant time"},
	{"set-var", []argKind{argVar, argStr, argStr, argStr, argStr}, 1, Any, Any, runSetVar, checkSetVar, "set a variable to the value, under conditions"},
	{"strcmp", []argKind{argVar}, 1, Str, Int, runStrcmp, nil, "compare with a variable, as strcmp(3)"},
	{"unset-var", []argKind{argVar}, 1, Any, Any, func(c *Ctx, a []Arg, _ *Sample) bool { c.UnsetVar(a[0].Var); return true }, nil, "unset a variable"},
	{"when", []argKind{argStr}, 1, Any, Any, runWhen, checkWhen, "the sample where a condition of the session holds: error, forwarded, normal, processed, stopping, toapplet, or !"},
}

// varText is a variable as a string, nil when it is not set or not named.
func (c *Ctx) varText(a *Arg) []byte {
	if a.Var.Name == "" {
		return nil
	}
	v, ok := c.Var(a.Var)
	if !ok {
		return nil
	}
	return c.AsText(&v)
}

func runConcat(c *Ctx, a []Arg, s *Sample) bool {
	v := c.varText(&a[1])
	out := appendFit(c.room(), s.B...)
	out = appendFit(out, a[0].B...)
	out = appendFit(out, v...)
	return s.setStr(appendFit(out, a[2].B...))
}

func checkAddItem(a []Arg) string {
	if !a[1].Given && !a[2].Given {
		return "a variable or a suffix is needed"
	}
	return ""
}

func runAddItem(c *Ctx, a []Arg, s *Sample) bool {
	v := c.varText(&a[1])
	out := appendFit(c.room(), s.B...)
	if len(out) > 0 && (len(v) > 0 || len(a[2].B) > 0) {
		out = appendFit(out, a[0].B...)
	}
	out = appendFit(out, v...)
	return s.setStr(appendFit(out, a[2].B...))
}

func runStrcmp(c *Ctx, a []Arg, s *Sample) bool {
	v, ok := c.Var(a[0].Var)
	if !ok {
		return false
	}
	other := c.AsText(&v)
	n := min(len(s.B), len(other))
	for i := range n {
		if s.B[i] != other[i] {
			return s.setInt(int64(s.B[i]) - int64(other[i]))
		}
	}
	switch {
	case len(s.B) < len(other):
		return s.setInt(-1)
	case len(s.B) > len(other):
		return s.setInt(1)
	}
	return s.setInt(0)
}

func runSecureCompare(c *Ctx, a []Arg, s *Sample) bool {
	v, ok := c.Var(a[0].Var)
	return ok && s.setBool(subtle.ConstantTimeCompare(s.B, c.AsBytes(&v)) == 1)
}

func checkSetVar(a []Arg) string {
	for _, cond := range a[1:] {
		if cond.Given && !bytes.Contains([]byte(" ifexists ifnotexists ifempty ifnotempty ifset ifnotset ifgt iflt "), []byte(" "+cond.Str+" ")) {
			return "unknown condition '" + cond.Str + "': ifexists, ifnotexists, ifempty, ifnotempty, ifset, ifnotset, ifgt or iflt"
		}
	}
	return ""
}

func runSetVar(c *Ctx, a []Arg, s *Sample) bool {
	old, set := c.Var(a[0].Var)
	for i := range a[1:] {
		if a[1+i].Given && !c.varCondition(a[1+i].Str, a[0].Var, s, old, set) {
			return true
		}
	}
	c.SetVar(a[0].Var, s)
	return true
}

// varCondition tells whether one condition of set-var holds.
func (c *Ctx) varCondition(cond string, n VarName, s *Sample, old Sample, set bool) bool {
	empty := (s.Type == Str || s.Type == Bin || s.Type == Meth) && len(s.B) == 0
	numbers := set && old.Type == Int && s.Type == Int
	switch cond {
	case "ifexists":
		return c.varExists(n)
	case "ifnotexists":
		return !c.varExists(n)
	case "ifempty":
		return empty
	case "ifnotempty":
		return !empty
	case "ifset":
		return set
	case "ifnotset":
		return !set
	case "ifgt":
		return !numbers || old.Int > s.Int
	case "iflt":
		return !numbers || old.Int < s.Int
	}
	return true
}

// varExists tells whether a variable was ever set in its scope's life; those of the
// process exist from the start.
func (c *Ctx) varExists(n VarName) bool {
	if n.Scope == ScopeProc {
		return true
	}
	v := c.Vars[n.Scope]
	if v == nil {
		return false
	}
	for i := range v.list {
		if v.list[i].name == n.Name {
			return v.list[i].exists
		}
	}
	return false
}

// SetVarIf is the rule set-var with its conditions.
func (c *Ctx) SetVarIf(n VarName, conds []string, s *Sample) {
	old, set := c.Var(n)
	for _, cond := range conds {
		if !c.varCondition(cond, n, s, old, set) {
			return
		}
	}
	c.SetVar(n, s)
}
