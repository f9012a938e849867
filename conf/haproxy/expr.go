package haproxy

import (
	"slices"
	"strings"

	"baton/conf"
	"baton/internal/diag"
	"baton/lb/pattern"
	"baton/lb/sample"
)

// expr reads a sample expression from a word, to be evaluated at any of the given
// places. It returns nil after a mistake.
func (a *args) expr(p *proxy, w conf.Word, at sample.Places) *sample.Expr {
	e := a.parseExpr(p, w, p.exprOptions())
	if e != nil && e.Places()&at == 0 {
		a.fail(w, "", "'%s' is not available here", e.Fetch())
		return nil
	}
	return e
}

// exprWords is expr for the words ahead, some of which may be converters.
func (a *args) exprWords(p *proxy, at sample.Places) *sample.Expr {
	w, ok := a.next("a sample expression")
	if !ok {
		return nil
	}
	for a.more() && sample.IsConverter(a.peek()) {
		next, _ := a.next("")
		w.Text += "," + next.Text
	}
	return a.expr(p, w, at)
}

func (a *args) parseExpr(p *proxy, w conf.Word, o sample.Options) *sample.Expr {
	e, bad := sample.Parse(w.Text, o)
	if bad != nil {
		a.failf(inside(w, bad.Off), bad.Hint, "%s", bad.Msg)
		return nil
	}
	p.l.noteExpr(e, func(off int) diag.Pos { return inside(w, off) })
	return e
}

// noteExpr remembers what an expression wants to be there.
func (l *lowerer) noteExpr(e *sample.Expr, at func(off int) diag.Pos) {
	l.cfg.Rates = l.cfg.Rates || e.Rate()
	for _, r := range e.Refs() {
		l.refs = append(l.refs, exprRef{r, e.Fetch(), at(r.Off)})
	}
}

// inside is the place off bytes into a word; that of the word where quotes hide
// what stands in the file.
func inside(w conf.Word, off int) diag.Pos {
	pos := w.Pos
	if !w.Quoted {
		pos.Col += min(off, max(len(w.Text)-1, 0))
	}
	return pos
}

func (p *proxy) exprOptions() sample.Options {
	o := sample.Options{Map: func(file string) (*pattern.List, error) { return p.l.list(file, true) }, File: p.l.readFile, Userlist: p.l.userlistOf}
	if p.kind&inFrontend != 0 {
		o.Frontend = p.name.Text
	}
	if p.kind&inBackend != 0 {
		o.Backend = p.name.Text
	}
	return o
}

// exprRef is a proxy or server that an expression names.
type exprRef struct {
	sample.Ref
	fetch string
	pos   diag.Pos
}

// checkRefs refuses expressions that name what is not there.
func (l *lowerer) checkRefs() {
	for _, r := range l.refs {
		switch r.Kind {
		case sample.RefBackend:
			if l.backend(r.Name) == nil {
				l.errs.Errorf(r.pos, l.nearBackend(r.Name), "unable to find backend '%s' referenced by %s", r.Name, r.fetch)
			}
		case sample.RefFrontend:
			if !slices.ContainsFunc(l.proxies, func(p *proxy) bool { return p.kind&inFrontend != 0 && p.name.Text == r.Name }) {
				l.errs.Errorf(r.pos, "", "unable to find frontend '%s' referenced by %s", r.Name, r.fetch)
			}
		case sample.RefServer:
			l.checkServerRef(r)
		case sample.RefUserlist:
			l.checkUserlistRef(r)
		}
	}
}

func (l *lowerer) checkServerRef(r exprRef) {
	name, server, _ := strings.Cut(r.Name, "/")
	b := l.backend(name)
	if b == nil {
		l.errs.Errorf(r.pos, l.nearBackend(name), "unable to find backend '%s' referenced by %s", name, r.fetch)
		return
	}
	if _, ok := b.serverNames[server]; !ok && !b.broken {
		var names []string
		for _, s := range b.servers {
			names = append(names, s.Name)
		}
		l.errs.Errorf(r.pos, didYouMean(server, names), "unable to find server '%s' in backend '%s' referenced by %s", server, name, r.fetch)
	}
}
