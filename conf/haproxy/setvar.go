package haproxy

import (
	"slices"
	"strings"

	"baton/lb/sample"
	"baton/lb/spec"
)

// varConditions are what may stand behind the name in set-var(NAME,CONDITION...).
var varConditions = []string{"ifempty", "ifexists", "ifgt", "iflt", "ifnotempty", "ifnotexists", "ifnotset", "ifset"}

// actionSetVar reads `set-var(NAME[,CONDITION...]) EXPRESSION`.
func actionSetVar(r *ruleLine, a *args) {
	r.rule.Action = spec.ActionSetVar
	conds := r.variable(a)
	for _, c := range conds {
		if !slices.Contains(varConditions, c) {
			a.fail(a.last(), didYouMean(c, varConditions), "unknown condition '%s' in '%s'", c, a.last().Text)
		}
	}
	r.rule.VarConds = conds
	if e := a.exprWords(r.p, r.p.places(r.when)); e != nil {
		r.rule.Expr = e
	}
}

// actionUnsetVar reads `unset-var(NAME)`.
func actionUnsetVar(r *ruleLine, a *args) {
	r.rule.Action = spec.ActionUnsetVar
	if more := r.variable(a); len(more) > 0 {
		a.fail(a.last(), "", "'unset-var' takes one name")
	}
}

// variable reads the name in parentheses behind the action just read, and returns
// what else stands there.
func (r *ruleLine) variable(a *args) []string {
	w := a.last()
	_, text, found := strings.Cut(w.Text, "(")
	inner, ended := strings.CutSuffix(text, ")")
	if !found || !ended || inner == "" {
		a.fail(w, "write "+a.name+"(txn.NAME)", "'%s' expects the name of a variable in parentheses", a.name)
		return nil
	}
	parts := strings.Split(inner, ",")
	v, problem := sample.ParseVarName(parts[0])
	if problem != "" {
		a.fail(w, "", "'%s': %s", parts[0], problem)
	}
	r.rule.Var = v
	return parts[1:]
}
