package haproxy

import (
	"baton/lb/logfmt"
	"baton/lb/sample"
	"baton/lb/spec"
)

// parseGlobalVar reads `set-var proc.NAME EXPRESSION` of a global section.
func parseGlobalVar(l *lowerer, a *args) {
	if v, ok := a.globalVar("an expression"); ok {
		if v.Expr = a.exprWords(l.outside(), sample.AtLoad); v.Expr != nil {
			l.cfg.Global.Vars = append(l.cfg.Global.Vars, v)
		}
	}
}

// parseGlobalVarFmt reads `set-var-fmt proc.NAME FORMAT`.
func parseGlobalVarFmt(l *lowerer, a *args) {
	v, ok := a.globalVar("a format")
	if !ok {
		return
	}
	if w, ok := a.need("a variable proc.NAME and a format"); ok {
		if v.Format = l.outside().compileFormat(w, w.Text, logfmt.Syntax{Value: true, Verbatim: true}, sample.AtLoad); v.Format == nil {
			a.failed = true
			return
		}
		l.cfg.Global.Vars = append(l.cfg.Global.Vars, v)
	}
}

func (a *args) globalVar(what string) (v spec.GlobalVar, ok bool) {
	w, ok := a.need("a variable proc.NAME and " + what)
	if !ok {
		return v, false
	}
	name, problem := sample.ParseVarName(w.Text)
	switch {
	case problem != "":
		a.fail(w, "", "'%s': %s", w.Text, problem)
	case name.Scope != sample.ScopeProc:
		a.fail(w, "write proc."+name.Name, "cannot set variable '%s', only scope 'proc' is permitted in the global section", w.Text)
	}
	return spec.GlobalVar{Var: name, Pos: w.Pos}, !a.failed
}

// outside stands for the proxy where there is none.
func (l *lowerer) outside() *proxy { return &proxy{l: l, word: "global"} }
