package haproxy

import (
	"maps"
	"slices"
	"strings"

	"baton/conf"
	"baton/internal/diag"
	"baton/lb/pattern"
	"baton/lb/sample"
	"baton/lb/spec"
)

// moment is when a condition is evaluated, which decides what it can look at.
type moment uint8

const (
	onRequest  moment = iota // http-request, redirect: mode http alone
	onSwitch                 // use_backend, monitor fail: also in mode tcp
	onResponse               // http-response: the request's head is gone

	onConnection // tcp-request connection
	onSession    // tcp-request session
	onContent    // tcp-request content
	onResContent // tcp-response content

	onServer // use-server
)

// pendingCond is a condition whose named ACLs are filled in at the end of its
// section, because later `acl` lines may add alternatives.
type pendingCond struct {
	cond  *spec.Cond
	when  moment
	words map[*spec.Term]conf.Word // Text is the name of an own ACL, "" for what is complete
}

// predefined are the ACLs of chapter 7.4. A proxy's own ACL of the same name
// goes before them.
var predefined = map[string]string{
	"FALSE":          "always_false",
	"HTTP_1.0":       "req.ver 1.0",
	"HTTP_1.1":       "req.ver 1.1",
	"HTTP_CONTENT":   "hdr(content-length) -m int gt 0",
	"HTTP_2.0":       "req.ver 2.0",
	"HTTP_URL_ABS":   "url_reg ^[^/:]*://",
	"HTTP_URL_SLASH": "url_beg /",
	"HTTP_URL_STAR":  "url *",
	"LOCALHOST":      "src 127.0.0.1/8 ::1",
	"METH_CONNECT":   "method CONNECT",
	"METH_DELETE":    "method DELETE",
	"METH_GET":       "method GET HEAD",
	"METH_HEAD":      "method HEAD",
	"METH_OPTIONS":   "method OPTIONS",
	"METH_POST":      "method POST",
	"METH_PUT":       "method PUT",
	"METH_TRACE":     "method TRACE",
	"HTTP":           "req.proto_http",
	"RDP_COOKIE":     "req.rdp_cookie_cnt gt 0",
	"REQ_CONTENT":    "req.len gt 0",
	"TRUE":           "always_true",
	"WAIT_END":       "wait_end",
}

// predefinedTest compiles a predefined ACL.
func predefinedTest(p *proxy, name string) spec.Test {
	a := args{errs: &p.l.errs}
	for _, text := range strings.Fields(predefined[name]) {
		a.words = append(a.words, conf.Word{Text: text})
	}
	t := a.test(p)
	if a.failed {
		panic("BUG: predefined ACL " + name + " does not compile")
	}
	return t
}

// parseACL reads `acl NAME CRITERION [flags] [operator] VALUE...`.
func parseACL(p *proxy, a *args) {
	name, ok := a.next("a name and a criterion")
	if !ok {
		return
	}
	if bad := badNameByte(name.Text); bad != "" {
		a.fail(name, "letters, digits and - _ . : are allowed", "character '%s' is not permitted in acl name '%s'", bad, name.Text)
		return
	}
	if strings.EqualFold(name.Text, "or") {
		a.fail(name, "choose another name", "acl name 'or' will never match: it means a disjunction in conditions")
		return
	}
	pos := name.Pos
	t := a.test(p)
	// A broken ACL is declared all the same, so that its uses are not errors too.
	if a.failed {
		t = never()
	}
	p.acls = append(p.acls, spec.ACL{Name: name.Text, Test: t, Pos: pos})
	p.hasRules(pos)
}

// cond reads `if COND` or `unless COND` up to the end of the line, nil when the
// line ends here.
func (a *args) cond(p *proxy, when moment) *spec.Cond {
	if !a.more() {
		return nil
	}
	w, _ := a.next("")
	if w.Text != "if" && w.Text != "unless" {
		a.fail(w, "", "unexpected '%s': only 'if' and 'unless' may follow here", w.Text)
		return nil
	}
	c := &spec.Cond{Unless: w.Text == "unless", Pos: w.Pos, Or: [][]spec.Term{nil}}
	pending := &pendingCond{cond: c, when: when}
	words := make(map[[2]int]conf.Word)
	for a.more() {
		last := len(c.Or) - 1
		if strings.EqualFold(a.peek(), "or") || a.peek() == "||" {
			or, _ := a.next("")
			if len(c.Or[last]) == 0 {
				a.fail(or, "", "no ACL before '%s'", or.Text)
				return nil
			}
			c.Or = append(c.Or, nil)
			continue
		}
		term, name := a.term(p)
		if a.failed {
			return nil
		}
		words[[2]int{last, len(c.Or[last])}] = name
		c.Or[last] = append(c.Or[last], term)
	}
	if len(c.Or[len(c.Or)-1]) == 0 {
		a.fail(a.last(), "", "no ACL after '%s'", a.last().Text)
		return nil
	}
	pending.words = make(map[*spec.Term]conf.Word, len(words))
	for at, w := range words {
		pending.words[&c.Or[at[0]][at[1]]] = w
	}
	p.conds = append(p.conds, pending)
	return c
}

// term reads one [!]ACL or [!]{ anonymous }. name is where it stands, and the
// name of an own ACL, whose tests are filled in later.
func (a *args) term(p *proxy) (t spec.Term, name conf.Word) {
	w, _ := a.next("")
	for strings.HasPrefix(w.Text, "!") {
		t.Not = !t.Not
		w.Text = w.Text[1:]
		w.Pos.Col++
		if w.Text == "" {
			var ok bool
			if w, ok = a.next("an ACL"); !ok {
				return t, name
			}
		}
	}
	if w.Text == "{" {
		t.Any = []spec.Test{a.anonymous(p, w)}
		return t, conf.Word{Pos: w.Pos}
	}
	if slices.ContainsFunc(p.acls, func(acl spec.ACL) bool { return acl.Name == w.Text }) {
		return t, w
	}
	if _, known := predefined[w.Text]; known {
		t.Any = []spec.Test{predefinedTest(p, w.Text)}
		return t, conf.Word{Pos: w.Pos}
	}
	hint := didYouMean(w.Text, p.aclNames())
	if hint == "" {
		hint = "declare it on an earlier line: acl " + strings.Trim(w.Text, "{}") + " CRITERION VALUE"
		if strings.ContainsAny(w.Text, "{}") {
			hint = "put spaces round the braces"
		}
	}
	a.fail(w, hint, "no such ACL: '%s'", w.Text)
	return t, name
}

func (p *proxy) aclNames() []string {
	names := slices.Sorted(maps.Keys(predefined))
	for _, acl := range p.acls {
		names = append(names, acl.Name)
	}
	return names
}

// anonymous reads the words up to the closing brace as a test.
func (a *args) anonymous(p *proxy, opening conf.Word) spec.Test {
	n := slices.IndexFunc(a.words[a.i:], func(w conf.Word) bool { return w.Text == "}" && !w.Quoted })
	switch {
	case n < 0:
		a.fail(opening, "braces are words of their own: { CRITERION VALUE }", "missing closing '}' in condition")
		return spec.Test{}
	case n == 0:
		a.fail(opening, "", "missing criterion between '{' and '}'")
		return spec.Test{}
	}
	inner := &args{words: a.words[a.i : a.i+n], errs: a.errs}
	t := inner.test(p)
	a.i += n + 1
	a.failed = a.failed || inner.failed
	return t
}

// resolveConds fills in the named ACLs of the section's conditions.
func (p *proxy) resolveConds() {
	for _, pending := range p.conds {
		for _, terms := range pending.cond.Or {
			for i := range terms {
				t := &terms[i]
				name := pending.words[t]
				for _, acl := range p.acls {
					if name.Text != "" && acl.Name == name.Text {
						t.Any = append(t.Any, acl.Test)
					}
				}
				p.restrict(pending.when, t, name.Pos)
			}
		}
	}
	p.conds = nil
}

// restrict deals with tests that look at what is not there: such a test never
// matches, as in HAProxy; in mode tcp there is no HTTP at all.
func (p *proxy) restrict(when moment, t *spec.Term, pos diag.Pos) {
	for i, test := range t.Any {
		switch e := test.Expr; {
		case e.Places()&p.places(when) == 0:
			p.l.errs.Warnf(pos, restrictHints[when],
				"acl will never match because '%s' is incompatible with %s rules", e.Fetch(), momentNames[when])
			t.Any[i] = never()
		case e.Raw() && p.common.Mode == spec.HTTP:
			p.l.errs.Warnf(pos, "look at the request itself: path, req.hdr, req.body",
				"acl will never match because '%s' looks at raw bytes, which mode http does not have", e.Fetch())
			t.Any[i] = never()
		case when == onSwitch && e.HTTP() && p.common.Mode == spec.TCP:
			if len(p.common.TCPContent) == 0 {
				p.l.errs.Warnf(pos, "add `mode http`, or `tcp-request inspect-delay` and `tcp-request content accept if HTTP`",
					"'%s' needs a request, and nothing waits for one in mode tcp", e.Fetch())
			}
		case when == onServer && e.HTTP() && p.common.Mode == spec.TCP:
			p.l.errs.Errorf(pos, "add `mode http`", "'%s' needs 'mode http'", e.Fetch())
		}
	}
}

var momentNames = map[moment]string{
	onRequest: "http-request", onSwitch: "use_backend", onResponse: "http-response",
	onConnection: "tcp-request connection", onSession: "tcp-request session", onContent: "tcp-request content",
	onResContent: "tcp-response content",
	onServer:     "use-server",
}

var restrictHints = map[moment]string{
	onRequest:  "the response, the server and, in a frontend, the backend are not known yet",
	onSwitch:   "the response, the server and the backend are not known yet",
	onResponse: "the request is gone when the response is processed",

	onConnection: "nothing but the connection's addresses is known yet",
	onSession:    "nothing but the connection is known yet",
	onContent:    "the response, the server and, in a frontend, the backend are not known yet",
	onResContent: "the request is gone when the response is processed",
	onServer:     "the response and the server are not known yet",
}

// places are where the conditions of this proxy are evaluated. Those of a listen
// section run in its frontend alone, but name its backend.
func (p *proxy) places(when moment) sample.Places {
	switch when {
	case onSwitch:
		return sample.AtSwitch
	case onResponse:
		return sample.AtResponse
	case onConnection:
		return sample.AtConnection
	case onSession:
		return sample.AtSession
	case onResContent:
		return sample.AtResContent
	case onServer:
		return sample.AtServerChoice
	}
	front, back := sample.AtRequest, sample.AtBackendRequest
	if when == onContent {
		front, back = sample.AtContent, sample.AtBackendContent
	}
	at := sample.Places(0)
	if p.kind&inFrontend != 0 {
		at |= front
	}
	if p.kind&inBackend != 0 {
		at |= back
	}
	if p.kind == inDefaults {
		at = front | back
	}
	return at
}

// never is a test that never matches.
func never() spec.Test {
	e, bad := sample.Parse("always_false", sample.Options{})
	if bad != nil {
		panic("BUG: always_false: " + bad.Msg)
	}
	return spec.Test{Expr: e, Match: pattern.Bool}
}
