package lb

import (
	"iter"

	"baton/internal/sys"
	"baton/lb/proxy"
	"baton/lb/spec"
)

// eachRule goes over the rules of all proxies.
func eachRule(cfg *spec.Config) iter.Seq[*spec.HTTPRule] {
	return func(yield func(*spec.HTTPRule) bool) {
		all := func(c *spec.Common) bool {
			for _, list := range [][]spec.HTTPRule{c.TCPConnection, c.TCPSession, c.TCPContent, c.HTTPReq, c.HTTPRes, c.HTTPAfter} {
				for i := range list {
					if !yield(&list[i]) {
						return false
					}
				}
			}
			return true
		}
		for _, fe := range cfg.Frontends {
			if !all(&fe.Common) {
				return
			}
		}
		for _, b := range cfg.Backends {
			if !all(&b.Common) {
				return
			}
		}
	}
}

// ruleResolvers are the resolvers that rules ask.
func (l *LB) ruleResolvers() map[*spec.Resolvers]proxy.Resolver {
	all := make(map[*spec.Resolvers]proxy.Resolver)
	for r := range eachRule(l.cfg) {
		if r.Action == spec.ActionDoResolve {
			all[r.Resolvers] = l.resolver(r.Resolvers)
		}
	}
	return all
}

// checkMarks says once what rules that mark packets would try in vain.
func (l *LB) checkMarks() {
	for r := range eachRule(l.cfg) {
		if r.Action != spec.ActionSetMark && r.Action != spec.ActionSetServerMark {
			continue
		}
		if err := sys.CanMark(); err != nil {
			l.log.Warn("packets are not marked: it takes CAP_NET_ADMIN", "rule", r.Pos, "error", err)
		}
		return
	}
}
