package haproxy

import (
	"math"
	"strings"
	"time"

	"baton/conf"
	"baton/lb/spec"
)

// cookieOptions are the words behind `cookie NAME`.
var cookieOptions = []keyword[*cookieLine]{
	{"attr", 0, false, Done, cookieAttr, "an attribute of the inserted cookie"},
	{"domain", 0, false, Done, cookieDomain, "a domain of the inserted cookie"},
	{"dynamic", 0, false, Done, func(c *cookieLine, _ *args) { c.Dynamic = true }, "servers without a cookie get one made of their address and dynamic-cookie-key"},
	{"httponly", 0, false, Done, func(c *cookieLine, _ *args) { c.flags += "; HttpOnly" }, "the inserted cookie is not for scripts"},
	{"indirect", 0, false, Done, func(c *cookieLine, _ *args) { c.Indirect = true }, "no cookie for clients that have a valid one; with insert, none for servers"},
	{"insert", 0, false, Done, cookieMode(spec.CookieInsert), "baton gives clients a cookie of its own"},
	{"maxidle", 0, false, Done, func(c *cookieLine, a *args) { c.MaxIdle = a.seconds() }, "how long after the last visit an inserted cookie is taken"},
	{"maxlife", 0, false, Done, func(c *cookieLine, a *args) { c.MaxLife = a.seconds() }, "how long after the first visit an inserted cookie is taken"},
	{"nocache", 0, false, Done, func(c *cookieLine, _ *args) { c.NoCache = true }, "a cacheable response with an inserted cookie becomes private"},
	{"postonly", 0, false, Done, func(c *cookieLine, _ *args) { c.PostOnly = true }, "cookies are inserted in answers to POST alone"},
	{"prefix", 0, false, Done, cookieMode(spec.CookiePrefix), "the server's own cookie gets the server's value before it"},
	{"preserve", 0, false, Done, func(c *cookieLine, _ *args) { c.Preserve = true }, "a cookie that the server sets stays"},
	{"rewrite", 0, false, Done, cookieMode(spec.CookieRewrite), "the server's own cookie gets the server's value"},
	{"secure", 0, false, Done, func(c *cookieLine, _ *args) { c.flags += "; Secure" }, "the inserted cookie is for TLS alone"},
}

// cookieLine is a `cookie` line being read.
type cookieLine struct {
	spec.Cookie
	domains, flags, attrs string
}

// parseCookie reads `cookie NAME [rewrite|insert|prefix] ...` (chapter 4.2).
func parseCookie(p *proxy, a *args) {
	name, ok := a.next("a cookie name")
	if !ok {
		return
	}
	if !isToken(name.Text) {
		a.fail(name, "", "'%s' is not a cookie name", name.Text)
		return
	}
	c := &cookieLine{Cookie: spec.Cookie{Name: name.Text}}
	readOptions(a, cookieOptions, c, "cookie option")
	switch {
	case a.failed:
		return
	case c.Mode == spec.CookieRewrite && c.Indirect:
		a.fail(name, "remove one of them", "cookie 'rewrite' and 'indirect' modes are incompatible")
		return
	case c.Preserve && c.Mode != spec.CookieInsert && !c.Indirect:
		a.fail(name, "add `insert`", "cookie 'preserve' requires at least 'insert' or 'indirect'")
		return
	}
	c.Suffix = "; path=/" + c.domains + c.flags + c.attrs
	p.cookie = &c.Cookie
}

func cookieMode(m spec.CookieMode) func(*cookieLine, *args) {
	return func(c *cookieLine, a *args) {
		if c.Mode != spec.CookieRead && c.Mode != m {
			a.fail(a.last(), "choose one of them", "cookie 'rewrite', 'insert' and 'prefix' modes are incompatible")
		}
		c.Mode = m
	}
}

func cookieAttr(c *cookieLine, a *args) {
	if v, ok := a.cookieText(); ok {
		c.attrs += "; " + v.Text
	}
}

func cookieDomain(c *cookieLine, a *args) {
	v, ok := a.cookieText()
	if !ok {
		return
	}
	if !strings.Contains(strings.TrimPrefix(v.Text, "."), ".") {
		a.errs.Warnf(v.Pos, "", "domain '%s' contains no embedded dot, this configuration may not work properly (see RFC6265#5.2.3)", v.Text)
	}
	c.domains += "; domain=" + v.Text
}

// cookieText reads what may stand in a Set-Cookie line.
func (a *args) cookieText() (conf.Word, bool) {
	v, ok := a.next("a value")
	if ok && strings.ContainsFunc(v.Text, func(r rune) bool { return r < ' ' || r == ';' || r > '~' }) {
		a.fail(v, "", "'%s' cannot stand in a cookie", v.Text)
	}
	return v, ok && !a.failed
}

// seconds reads a time whose unit is the second where none is given.
func (a *args) seconds() time.Duration {
	w, ok := a.next("a time, for example 30m or 8h")
	if !ok {
		return 0
	}
	if n, ok := parseInt(w.Text, 0, math.MaxInt32); ok {
		return time.Duration(n) * time.Second
	}
	d, problem := parseTime(w.Text)
	if problem != "" {
		a.fail(w, timeHint, "'%s' is not a time: %s", w.Text, problem)
	}
	return d.Truncate(time.Second)
}

func serverCookie(s *server, a *args) {
	w, ok := a.next("the cookie's value for this server")
	if ok && strings.ContainsFunc(w.Text, func(r rune) bool { return r <= ' ' || r == ';' || r == ',' || r == '"' || r > '~' }) {
		a.fail(w, "", "'%s' cannot stand in a cookie", w.Text)
	}
	s.Cookie = w.Text
}

func serverRedir(s *server, a *args) {
	w, ok := a.next("a prefix, such as http://images.example.com")
	if ok && strings.ContainsFunc(w.Text, func(r rune) bool { return r <= ' ' || r > '~' }) {
		a.fail(w, "", "'%s' cannot stand in a location", w.Text)
	}
	s.Redir = w.Text
}
