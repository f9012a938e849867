package haproxy

import (
	"strings"

	"baton/lb/sample"
	"baton/lb/spec"
)

// parseUseServer reads `use-server NAME if COND`; the name may be made of sample
// expressions, per request.
func parseUseServer(p *proxy, a *args) {
	w, ok := a.need("the name of a server and a condition")
	if !ok {
		return
	}
	u := spec.UseServer{Server: w.Text, Pos: w.Pos}
	if strings.Contains(w.Text, "%") {
		if u.Format = a.value(p, w, sample.AtServerChoice); u.Format == nil {
			return
		}
		if !u.Format.OnlySamples() {
			a.fail(w, "use expressions: %[req.hdr(x-server)]", "aliases in a server name are known, not supported yet")
			return
		}
	}
	if !a.more() {
		a.fail(a.last(), "use-server "+w.Text+" if COND", "'use-server' requires either 'if' or 'unless' followed by a condition")
		return
	}
	if u.Cond = a.cond(p, onServer); !a.failed {
		p.useServers = append(p.useServers, u)
	}
}

// checkUseServers refuses rules that name servers which are not there.
func (p *proxy) checkUseServers() {
	for _, u := range p.useServers {
		if _, ok := p.serverNames[u.Server]; u.Format != nil || ok {
			continue
		}
		var names []string
		for _, s := range p.servers {
			names = append(names, s.Name)
		}
		p.l.errs.Errorf(u.Pos, didYouMean(u.Server, names), "%s '%s': unable to find server '%s' referenced in a 'use-server' rule", p.word, p.name.Text, u.Server)
	}
}
