package haproxy

import (
	"baton/conf"
	"baton/lb/spec"
)

// What these lines do to variables, conf has done while it read the lines behind
// them; here they are checked.

func parseSetenv(_ *lowerer, a *args) {
	w, ok := a.next("a name and a value")
	if ok && !conf.ValidVariable(w.Text) {
		a.fail(w, "", "'%s' is no name of a variable", w.Text)
	}
	a.need("a name and a value")
}

func parseUnsetenv(_ *lowerer, a *args) {
	a.next("at least one variable name")
	parseNames(nil, a)
}

// parseNames takes any number of names.
func parseNames(_ *lowerer, a *args) { a.i = len(a.words) }

func parseZeroWarning(l *lowerer, _ *args) { l.cfg.Global.ZeroWarning = true }

func parseUser(l *lowerer, a *args)  { a.account(&l.cfg.Global.User) }
func parseGroup(l *lowerer, a *args) { a.account(&l.cfg.Global.Group) }

func parseUID(l *lowerer, a *args) { a.accountNumber(&l.cfg.Global.User) }
func parseGID(l *lowerer, a *args) { a.accountNumber(&l.cfg.Global.Group) }

// account reads a name; the host knows whether there is such a one.
func (a *args) account(to *spec.Account) {
	to.Pos = a.words[0].Pos
	a.word(&to.Name, "a name")
}

func (a *args) accountNumber(to *spec.Account) {
	to.Pos = a.words[0].Pos
	a.id(&to.Name)
}
