package haproxy

import (
	"slices"
	"strings"

	"baton/conf"
	"baton/internal/diag"
	"baton/lb/spec"
)

// checkKeywords say what health checks do.
var checkKeywords = []keyword[*proxy]{
	{"external-check command", back, false, Done, parseExternalCommand, "what `option external-check` runs"},
	{"external-check path", back, false, Done, parseExternalPath, "the variable PATH of the command"},
	{"http-check", back, false, Done, parseHTTPCheck, "steps of HTTP checks; see the rules"},
	{"option external-check", back, false, Done, optionExternalCheck, "check by the exit status of a command"},
	{"option httpchk", back, false, Done, optionHTTPCheck, "check by HTTP requests"},
	{"option ldap-check", back, false, Done, optionLDAPCheck, "check by an anonymous LDAPv3 bind"},
	{"option mysql-check", back, false, Done, optionMySQLCheck, "check by the MySQL handshake; user, pre-41"},
	{"option pgsql-check", back, false, Done, optionPgSQLCheck, "check by the begin of a PostgreSQL login; user"},
	{"option redis-check", back, false, Done, optionRedisCheck, "check by a PING to Redis"},
	{"option smtpchk", back, false, Done, optionSMTPCheck, "check by an SMTP greeting"},
	{"option spop-check", back, false, Refused, nil, "there is no SPOE; `option tcp-check` tests the port"},
	{"option ssl-hello-chk", back, false, Done, optionHelloCheck, "check by an SSLv3 client hello"},
	{"option tcp-check", back, false, Done, optionTCPCheck, "check by a dialogue of tcp-check steps"},
	{"tcp-check", back, false, Done, parseTCPCheck, "steps of TCP checks; see the rules"},
}

// checks collects the lines that make a spec.CheckPlan.
type checks struct {
	option   checkOption // the one that came last
	protocol []spec.CheckStep
	request  *spec.CheckRequest // of option httpchk
	tcp      checkRules
	http     checkRules

	disableOn404, sendState bool

	external spec.External
}

// checkOption is which `option` chose the checks.
type checkOption uint8

const (
	checkConnect checkOption = iota // none: a connection is enough
	checkTCP
	checkHTTP
	checkProtocol
	checkExternal
)

// checkRules are the lines of tcp-check or of http-check.
type checkRules struct {
	steps   []spec.CheckStep
	lines   int      // read so far, comments included
	comment string   // of a line `comment`: it belongs to the next step
	own     diag.Pos // the section's first line; the zero value: they are inherited
}

// clip makes a copy for a proxy that inherits.
func (c checks) clip() checks {
	c.tcp.steps, c.tcp.own = slices.Clip(c.tcp.steps), diag.Pos{}
	c.http.steps, c.http.own = slices.Clip(c.http.steps), diag.Pos{}
	return c
}

// add appends a step to the rules, whose own lines replace inherited ones.
func (r *checkRules) add(s spec.CheckStep) {
	s.Number = r.lines
	if s.Comment == "" {
		s.Comment = r.comment
	}
	r.comment = ""
	r.steps = append(r.steps, s)
}

// line counts a line of the rules in.
func (r *checkRules) line(pos diag.Pos) {
	if r.own == (diag.Pos{}) {
		*r = checkRules{own: pos}
	}
	r.lines++
}

// first returns the first step that is more than a variable.
func first(steps []spec.CheckStep) (i int) {
	for i < len(steps) && steps[i].SetVar != nil {
		i++
	}
	return i
}

// connected reports whether the steps begin with a connect of their own.
func connected(steps []spec.CheckStep) bool {
	i := first(steps)
	return i < len(steps) && steps[i].Connect != nil
}

// plan is what the checks come to; nil: a connection is enough.
func (c *checks) plan() *spec.CheckPlan {
	var plan spec.CheckPlan
	switch c.option {
	case checkConnect:
		return nil
	case checkTCP:
		plan = spec.CheckPlan{Kind: spec.CheckTCP, Steps: c.tcp.steps}
	case checkHTTP:
		plan = spec.CheckPlan{Kind: spec.CheckHTTP, Steps: c.httpSteps(), DisableOn404: c.disableOn404, SendState: c.sendState}
	case checkProtocol:
		plan = spec.CheckPlan{Kind: spec.CheckProtocol, Steps: c.protocol}
	case checkExternal:
		external := c.external
		return &spec.CheckPlan{Kind: spec.CheckExternal, External: &external}
	}
	if !connected(plan.Steps) {
		plan.Steps = slices.Insert(slices.Clone(plan.Steps), first(plan.Steps), spec.CheckStep{Connect: &spec.CheckConnect{Default: true}})
	}
	return &plan
}

// httpSteps fills in what option httpchk says and the lines leave out: the first
// request, and the expectation after the last one.
func (c *checks) httpSteps() []spec.CheckStep {
	steps := slices.Clone(c.http.steps)
	isRequest := func(s spec.CheckStep) bool { return s.Request != nil }
	if i := slices.IndexFunc(steps, isRequest); i >= 0 {
		steps[i].Request = joinRequests(c.request, steps[i].Request)
	} else {
		i := first(steps)
		if connected(steps) {
			i++
		}
		steps = slices.Insert(steps, i, spec.CheckStep{Request: c.request})
	}
	for i := range steps {
		if r := steps[i].Request; r != nil {
			steps[i].Request = joinRequests(defaultRequest(), r)
		}
	}
	end := len(steps)
	for i, s := range steps {
		switch {
		case s.Request != nil:
			end = i
		case s.Expect != nil:
			end = len(steps)
		}
	}
	if end < len(steps) {
		fine := &spec.Expect{Kind: spec.ExpectStatus, Ranges: []spec.IntRange{{Lo: 200, Hi: 399}}, MinRecv: spec.AnyLength}
		steps = append(steps, spec.CheckStep{Expect: fine})
	}
	return steps
}

func defaultRequest() *spec.CheckRequest {
	return &spec.CheckRequest{Method: "OPTIONS", URI: spec.CheckText{Text: "/"}, Version: "HTTP/1.0"}
}

// joinRequests takes what own names, and the rest from base.
func joinRequests(base, own *spec.CheckRequest) *spec.CheckRequest {
	out := *base
	if own.Method != "" {
		out.Method = own.Method
	}
	if own.Version != "" {
		out.Version = own.Version
	}
	if own.URI != (spec.CheckText{}) {
		out.URI = own.URI
	}
	if own.Body != (spec.CheckText{}) {
		out.Body = own.Body
	}
	out.Headers = slices.Concat(base.Headers, own.Headers)
	return &out
}

// validateChecks reports lines that the checks don't use.
func (p *proxy) validateChecks() {
	if p.kind&inBackend == 0 {
		return
	}
	c := &p.checks
	unused := func(r *checkRules, option checkOption, what, name string) {
		if r.own != (diag.Pos{}) && c.option != option {
			p.l.errs.Warnf(p.pos, "add `"+name+"`", "%s '%s' uses %s rules without '%s', so the rules are ignored", p.word, p.name.Text, what, name)
		}
	}
	if c.external.Command != "" && c.option != checkExternal {
		p.l.errs.Warnf(p.pos, "add `option external-check`", "'external-check command' is ignored for %s '%s'", p.word, p.name.Text)
	}
	unused(&c.http, checkHTTP, "http-check", "option httpchk")
	unused(&c.tcp, checkTCP, "tcp-check", "option tcp-check")
}

// checkPorts reports servers that have no port to be checked at, where that does not
// depend on steps that could not be read.
func (p *proxy) checkPorts() {
	steps := p.checks.option == checkTCP || p.checks.option == checkHTTP
	if p.kind&inBackend == 0 || steps && p.broken {
		return
	}
	plan := p.checks.plan()
	for _, s := range p.servers {
		onSocket := s.Socket != "" && !s.check.Addr.IsValid() // where no port counts
		if s.checked && !s.broken && !onSocket && s.Port == 0 && s.check.Port == 0 && !strings.HasPrefix(s.Host, "_") && !plansPort(plan) {
			p.l.errs.Errorf(s.Pos, "give the address or the check a port", "server '%s' has neither service port nor check port", s.Name)
		}
		if s.checked && !s.broken && s.Host == "0.0.0.0" && !s.check.Addr.IsValid() {
			p.l.errs.Errorf(s.Pos, "say where to send checks: addr ADDRESS", "server '%s' is wherever the client wants to go, which cannot be checked", s.Name)
		}
	}
}

// plansPort reports whether every connect of a plan says where it goes.
func plansPort(plan *spec.CheckPlan) bool {
	if plan == nil {
		return false
	}
	return !slices.ContainsFunc(plan.Steps, func(s spec.CheckStep) bool {
		return s.Connect != nil && s.Connect.Port == 0 && s.Connect.PortExpr == nil
	})
}

// checkExternal refuses external checks that are not allowed or have no command.
func (p *proxy) checkExternal() {
	c := &p.checks
	if p.kind&inBackend == 0 || c.option != checkExternal {
		return
	}
	if !p.l.cfg.Global.ExternalCheck {
		p.l.errs.Errorf(p.pos, "write `external-check` in the global section", "%s '%s': 'option external-check' is not allowed", p.word, p.name.Text)
	}
	if c.external.Command == "" && !p.broken {
		p.l.errs.Errorf(p.pos, "write `external-check command FILE`", "%s '%s': 'option external-check' has no command", p.word, p.name.Text)
	}
}

func optionExternalCheck(p *proxy, _ *args) { p.checks.option = checkExternal }

func parseExternalCommand(p *proxy, a *args) {
	if w, ok := a.next("a command"); ok {
		p.checks.external.Command = w.Text
	}
}

func parseExternalPath(p *proxy, a *args) {
	if w, ok := a.next("a list of folders"); ok {
		p.checks.external.Path = w.Text
	}
}

// parseGlobalExternal reads [preserve-env].
func parseGlobalExternal(l *lowerer, a *args) {
	l.cfg.Global.ExternalCheck, l.cfg.Global.ExternalEnv = true, a.accept("preserve-env")
}

func optionTCPCheck(p *proxy, _ *args) { p.checks.option = checkTCP }

func optionHTTPCheck(p *proxy, a *args) {
	c := defaultRequest()
	switch len(a.words) - a.i {
	case 0:
	case 1:
		c.URI.Text = a.uri()
	default:
		c.Method, c.URI.Text = a.method(), a.uri()
		if a.more() {
			w, _ := a.next("")
			a.checkVersion(w, c)
		}
	}
	p.checks.option, p.checks.request = checkHTTP, c
}

// checkVersion reads the version and what people hid behind it before
// http-check send existed: header lines after \r\n, a body after \r\n\r\n.
func (a *args) checkVersion(w conf.Word, c *spec.CheckRequest) {
	version, rest, hidden := strings.Cut(w.Text, "\r\n")
	c.Version = a.version(w, version)
	if !hidden {
		return
	}
	a.errs.Warnf(w.Pos, "write `http-check send hdr NAME VALUE`", "headers after the version of 'option httpchk' are deprecated")
	head, body, _ := strings.Cut(rest+"\r\n", "\r\n\r\n")
	if body != "" {
		c.Body.Text = strings.TrimSuffix(body, "\r\n")
	}
	for line := range strings.SplitSeq(strings.TrimSuffix(head, "\r\n"), "\r\n") {
		if line == "" {
			continue
		}
		name, value, found := strings.Cut(line, ":")
		value = strings.Trim(value, " \t")
		if !found || !isToken(name) || strings.ContainsAny(value, "\r\n") {
			a.fail(w, `the form is NAME:\ VALUE, lines joined by \r\n`, "'%s' is not a header line", line)
			return
		}
		c.Headers = append(c.Headers, spec.CheckHeader{Name: name, Value: spec.CheckText{Text: value}})
	}
}

func (a *args) version(w conf.Word, version string) string {
	if version != "HTTP/1.0" && version != "HTTP/1.1" {
		a.fail(w, "HTTP/1.0 or HTTP/1.1", "unknown HTTP version '%s'", version)
	}
	return version
}

func (a *args) method() string {
	w, ok := a.next("a method")
	if ok && !isToken(w.Text) {
		a.fail(w, "", "'%s' is not a method", w.Text)
	}
	return w.Text
}

func (a *args) uri() string {
	w, ok := a.next("a URI")
	if ok && strings.ContainsFunc(w.Text, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		a.fail(w, "write %20 for a blank", "a URI cannot contain blanks or control characters")
	}
	return w.Text
}
