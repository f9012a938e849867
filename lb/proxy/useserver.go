package proxy

import (
	"baton/lb/logfmt"
	"baton/lb/rules"
	"baton/lb/sample"
)

// serverSwitch is one use-server line.
type serverSwitch struct {
	cond   rules.Cond
	name   string
	format *logfmt.Format // makes the name; nil: name is it
}

// pin follows use-server: the server that the first rule that holds names. One that is
// down is passed over, unless persistence goes to such servers too. A name that is made of
// samples and means no server ends the search, as the manual has it: the algorithm chooses.
func (k *link) pin(w *Worker, ctx *sample.Ctx) {
	b := k.backend
	k.pinned, k.persist, k.forced = nil, nil, false
	force, _ := b.persistence(ctx)
	k.anyState = force || b.Spec.PersistDown
	for i := range b.useServers {
		u := &b.useServers[i]
		if !u.cond(ctx) {
			continue
		}
		s := b.server(u.name)
		if u.format != nil {
			w.rec.Sample = ctx
			w.value = u.format.Append(w.value[:0], &w.rec)
			if s = b.server(string(w.value)); s == nil {
				return
			}
		}
		if s.Usable() || k.anyState {
			k.pinned, k.persist, k.forced = s, s, force
			return
		}
	}
}

func (b *Backend) server(name string) *Server {
	for _, s := range b.Servers {
		if s.Spec.Name == name {
			return s
		}
	}
	return nil
}

// yield notes that a use-server rule goes before the cookie.
func (a *affinity) yield(k *link) {
	if k.pinned == nil {
		return
	}
	if k.persist, a.named = k.pinned, nil; a.request != 'N' {
		a.request = 'U'
	}
}
