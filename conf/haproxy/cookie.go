package haproxy

import (
	"slices"
	"strings"

	"baton/lb/spec"
)

// cookieOptions are the words behind `cookie NAME`; the last of each group are refused.
var cookieOptions = []string{
	"insert", "indirect", "nocache", "postonly", "preserve", "httponly", "secure", "domain", "attr",
	"rewrite", "prefix", "dynamic", "maxidle", "maxlife",
}

// parseCookie reads `cookie NAME insert [indirect] [nocache] ...` (chapter 4.2).
func parseCookie(p *proxy, a *args) {
	name, ok := a.next("a cookie name")
	if !ok {
		return
	}
	if !isToken(name.Text) {
		a.fail(name, "", "'%s' is not a cookie name", name.Text)
		return
	}
	c := &spec.Cookie{Name: name.Text}
	insert := false
	var domains, flags, attrs string
	for a.more() && !a.failed {
		w, _ := a.next("")
		switch w.Text {
		case "insert":
			insert = true
		case "indirect":
			c.Indirect = true
		case "nocache":
			c.NoCache = true
		case "postonly":
			c.PostOnly = true
		case "preserve":
			c.Preserve = true
		case "httponly":
			flags += "; HttpOnly"
		case "secure":
			flags += "; Secure"
		case "domain", "attr":
			v, ok := a.next("a value")
			if ok && strings.ContainsFunc(v.Text, func(r rune) bool { return r < ' ' || r == ';' || r > '~' }) {
				a.fail(v, "", "'%s' cannot stand in a cookie", v.Text)
			}
			if w.Text == "domain" {
				domains += "; domain=" + v.Text
			} else {
				attrs += "; " + v.Text
			}
		default:
			if slices.Contains(cookieOptions, w.Text) {
				a.fail(w, "`insert` is supported", "'cookie ... %s' is known, not supported yet", w.Text)
			} else {
				a.fail(w, didYouMean(w.Text, cookieOptions), "unknown cookie option '%s'", w.Text)
			}
		}
	}
	if !a.failed && !insert {
		a.fail(name, "add `insert`", "'cookie %s' without insert is known, not supported yet", name.Text)
	}
	if a.failed {
		return
	}
	c.Suffix = "; path=/" + domains + flags + attrs
	p.cookie = c
}

func serverCookie(s *server, a *args) {
	w, ok := a.next("the cookie's value for this server")
	if ok && strings.ContainsFunc(w.Text, func(r rune) bool { return r <= ' ' || r == ';' || r == ',' || r == '"' || r > '~' }) {
		a.fail(w, "", "'%s' cannot stand in a cookie", w.Text)
	}
	s.Cookie = w.Text
}
