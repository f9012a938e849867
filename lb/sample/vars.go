package sample

import (
	"strings"
	"sync"
)

// Scope is the life of a variable.
type Scope uint8

// The scopes. Proc variables belong to the process and live in Ctx.Proc.
const (
	ScopeProc  Scope = iota
	ScopeSess        // the client's connection
	ScopeTxn         // one request and its response
	ScopeReq         // while the request is processed
	ScopeRes         // while the response is processed
	ScopeCheck       // a health check
	scopes
)

var scopeNames = []string{"proc", "sess", "txn", "req", "res", "check"}

// VarName is `txn.host`, read.
type VarName struct {
	Scope Scope
	Name  string
}

func (v VarName) String() string { return scopeNames[v.Scope] + "." + v.Name }

// ParseVarName reads the name of a variable; problem says what is wrong with it.
func ParseVarName(s string) (v VarName, problem string) {
	scope, name, found := strings.Cut(s, ".")
	if !found || name == "" {
		return v, "a variable is written SCOPE.NAME, with a scope of proc, sess, txn, req or res"
	}
	for i, known := range scopeNames {
		if scope == known {
			v = VarName{Scope(i), name}
		}
	}
	if v.Name == "" {
		return v, "'" + scope + "' is not a scope of variables: write proc, sess, txn, req or res"
	}
	for i := range len(name) {
		if c := name[i]; !isAlnum(c) && c != '.' && c != '_' {
			return v, "the name of a variable may hold letters, digits, '.' and '_'"
		}
	}
	return v, ""
}

func isAlnum(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

// Vars are the variables of one scope. It keeps its memory when it is reset, so
// that setting the same variables for every request allocates nothing.
type Vars struct{ list []variable }

type variable struct {
	name   string
	exists bool // it has been set since the last reset
	set    bool
	v      Sample // v.B is the variable's own
}

// Reset forgets all variables.
func (v *Vars) Reset() {
	for i := range v.list {
		v.list[i].set, v.list[i].exists = false, false
	}
}

// Get returns a variable. Its bytes are the variable's: they change with it.
func (v *Vars) Get(name string) (Sample, bool) {
	if v == nil {
		return Sample{}, false
	}
	for i := range v.list {
		if x := &v.list[i]; x.name == name {
			return x.v, x.set
		}
	}
	return Sample{}, false
}

// Set copies s into the variable.
func (v *Vars) Set(name string, s *Sample) {
	x := v.slot(name)
	keep := x.v.B
	x.exists, x.set, x.v = true, true, *s
	x.v.B = append(keep[:0], s.B...)
}

func (v *Vars) slot(name string) *variable {
	for i := range v.list {
		if v.list[i].name == name {
			return &v.list[i]
		}
	}
	v.list = append(v.list, variable{name: name})
	return &v.list[len(v.list)-1]
}

// Unset makes a variable absent.
func (v *Vars) Unset(name string) {
	if v != nil {
		v.slot(name).set = false
	}
}

// ProcVars are the variables of the process, which all loops share. A value is
// never changed: a new one takes its place.
type ProcVars struct{ m sync.Map }

// Get returns a variable.
func (p *ProcVars) Get(name string) (Sample, bool) {
	if p == nil {
		return Sample{}, false
	}
	v, ok := p.m.Load(name)
	if !ok {
		return Sample{}, false
	}
	return *v.(*Sample), true
}

// Set copies s into the variable. Unlike the other scopes it allocates.
func (p *ProcVars) Set(name string, s *Sample) {
	own := *s
	own.B = append([]byte(nil), s.B...)
	p.m.Store(name, &own)
}

// Unset makes a variable absent.
func (p *ProcVars) Unset(name string) { p.m.Delete(name) }

// Var returns a variable's value.
func (c *Ctx) Var(n VarName) (Sample, bool) {
	if n.Scope == ScopeProc {
		return c.Proc.Get(n.Name)
	}
	return c.Vars[n.Scope].Get(n.Name)
}

// SetVar gives a variable a value, which is copied. It reports whether the scope
// exists here: there is no response to hold variables while the request comes.
func (c *Ctx) SetVar(n VarName, s *Sample) bool {
	if n.Scope == ScopeProc {
		if c.Proc == nil {
			return false
		}
		c.Proc.Set(n.Name, s)
		return true
	}
	v := c.Vars[n.Scope]
	if v == nil {
		return false
	}
	v.Set(n.Name, s)
	return true
}

// UnsetVar makes a variable absent.
func (c *Ctx) UnsetVar(n VarName) {
	if n.Scope == ScopeProc {
		if c.Proc != nil {
			c.Proc.Unset(n.Name)
		}
		return
	}
	c.Vars[n.Scope].Unset(n.Name)
}
