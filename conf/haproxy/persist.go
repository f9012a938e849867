package haproxy

import (
	"strings"

	"baton/lb/spec"
)

// persistKeywords are the lines that tie clients to servers.
var persistKeywords = []keyword[*proxy]{
	{"cookie", back, false, Done, parseCookie, "persistence by a cookie; see the cookie options"},
	{"dynamic-cookie-key", back, false, Done, parseCookieKey, "the key of cookies made of servers' addresses"},
	{"force-persist", inBackend, false, Done, parsePersistRule, "if it holds, a cookie's server is taken also when it is down"},
	{"ignore-persist", inBackend, false, Done, parsePersistRule, "if it holds, no notice is taken of the cookie"},
	{"option persist", back, true, Done, func(p *proxy, a *args) { p.persistDown = !a.no }, "a cookie's server is taken also when it is down"},
	{"persist", back, false, Done, parsePersistRDP, "rdp-cookie: persistence by the cookie of an RDP connection request, msts by default"},
}

func parseCookieKey(p *proxy, a *args) {
	if w, ok := a.next("a secret key"); ok {
		p.cookieKey = w.Text
	}
}

// parsePersistRule reads force-persist and ignore-persist: of both, the first that holds
// counts.
func parsePersistRule(p *proxy, a *args) {
	keyword := a.words[0]
	if a.peek() != "if" && a.peek() != "unless" {
		a.fail(keyword, "", "'%s' requires either 'if' or 'unless' followed by a condition", keyword.Text)
		return
	}
	cond := a.cond(p, onRequest)
	if !a.failed {
		p.persist = append(p.persist, spec.Persist{Force: keyword.Text == "force-persist", Cond: cond})
	}
}

// The cookie of a terminal server's token (persist) and that of a user's name (balance).
const (
	rdpToken = "msts"
	rdpUser  = "mstshash"
)

// parsePersistRDP reads `persist rdp-cookie[(NAME)]`.
func parsePersistRDP(p *proxy, a *args) {
	w, ok := a.next("rdp-cookie")
	if !ok {
		return
	}
	if method, _, _ := strings.Cut(w.Text, "("); method != "rdp-cookie" {
		a.fail(w, didYouMean(method, []string{"rdp-cookie"}), "unknown persist method '%s'", w.Text)
		return
	}
	name, ok := rdpName(w.Text, rdpToken)
	if !ok {
		a.fail(w, "write rdp-cookie or rdp-cookie(NAME)", "'persist rdp-cookie(name)' requires an rdp cookie name")
		return
	}
	p.rdpCookie = name
}

// rdpName is what stands in the parentheses of rdp-cookie(NAME), or the name without any.
func rdpName(word, name string) (string, bool) {
	_, arg, paren := strings.Cut(word, "(")
	if !paren {
		return name, true
	}
	arg, closed := strings.CutSuffix(arg, ")")
	return arg, closed && arg != ""
}

// checkPersistence reports what a backend's mode does not allow.
func (p *proxy) checkPersistence() {
	switch {
	case p.kind&inBackend == 0:
		return
	case p.common.Mode == spec.HTTP:
		if p.cookie != nil && p.cookie.Dynamic && p.cookieKey == "" {
			p.l.errs.Warnf(p.pos, "add `dynamic-cookie-key SECRET`", "%s '%s' has dynamic cookies without a key, so its servers have none", p.word, p.name.Text)
		}
		return
	}
	for _, s := range p.servers {
		if s.Cookie != "" || s.Redir != "" {
			p.l.errs.Errorf(s.Pos, "add `mode http`", "%s '%s': server '%s' cannot have cookie or redirect prefix in non-HTTP mode", p.word, p.name.Text, s.Name)
		}
	}
	if p.cookie != nil {
		p.l.errs.Warnf(p.pos, "add `mode http`", "'cookie' ignored for %s '%s' because it is not in 'mode http'", p.word, p.name.Text)
		p.cookie = nil
	}
}

// balanceRDP reads `balance rdp-cookie[(NAME)]`.
func balanceRDP(b *balanceLine, a *args) {
	name, ok := rdpName(b.word.Text, rdpUser)
	switch {
	case a.more():
		a.fail(a.words[a.i], "", "'balance rdp-cookie' takes no argument, not '%s'", a.peek())
		return
	case !ok:
		a.fail(b.word, "write balance rdp-cookie or balance rdp-cookie(NAME)", "'balance rdp-cookie' lacks a cookie name in its parentheses")
		return
	}
	b.Algorithm, b.Name = spec.ByRDPCookie, name
}
