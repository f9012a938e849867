package proxy

import (
	"baton/lb/logfmt"
	"baton/lb/sample"
	"baton/lb/spec"
)

// starting is what the expressions of a global section see of the process: no loop runs.
type starting struct {
	world
	threads int
}

func (o *starting) Threads() (this, all int) { return 1, o.threads }

// SetVars follows set-var and set-var-fmt of the global section, in order: one may look
// at those before it. A value that cannot be had leaves its variable as it is.
func (s *Set) SetVars(g *spec.Global) {
	if len(g.Vars) == 0 {
		return
	}
	c := &sample.Ctx{World: &starting{world{set: s}, max(g.NbThread, 1)}, Proc: &s.procVars, Final: true}
	rec := &logfmt.Record{Date: s.started, Dates: new(logfmt.DateCache), PID: s.PID, Host: s.Host, Sample: c}
	for _, v := range g.Vars {
		if v.Format != nil {
			c.SetVar(v.Var, &sample.Sample{Type: sample.Str, B: v.Format.Append(nil, rec)})
		} else if value, ok := v.Expr.Eval(c); ok {
			c.SetVar(v.Var, value)
		}
	}
}
