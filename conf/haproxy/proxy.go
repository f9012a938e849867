package haproxy

import (
	"slices"
	"time"

	"baton/conf"
	"baton/internal/diag"
	"baton/lb/logfmt"
	"baton/lb/spec"
)

// settings is what a defaults section can preset, so what is copied when a
// proxy inherits. Slices in it are clipped on copying: appends never reach back.
type settings struct {
	common spec.Common // Name, Pos, Logs, ACLs and Redirects stay empty here
	logs   []logLine
	lines  lineFormats
	logTag string

	queueSet, tarpitSet, keepAliveSet bool // `timeout` was given, if only as 0

	maxconn, backlog int
	rateLimit        int
	monitorURI       string
	defaultBackend   conf.Word

	balance spec.Balance

	clientAlive, serverAlive spec.Keepalive
	source                   *spec.Source
	tcpResponse              []spec.HTTPRule
	resInspectDelay          time.Duration

	retries    int
	retryOn    spec.RetryOn
	reuse      spec.Reuse
	redispatch int
	allBackups bool

	abortOnClose bool
	fullconn     int
	checks       checks
	state        stateFile
	server       server // default-server

	cookie      *spec.Cookie
	cookieKey   string
	persistDown bool
	rdpCookie   string
}

func builtin() settings {
	return settings{
		retries: 3, // chapter 4.2, retries
		server: server{
			Server: spec.Server{Weight: 1},
			check:  spec.Check{Inter: defaultInter, Rise: 2, Fall: 3, ErrorLimit: 10},
			agent:  spec.Agent{Inter: defaultInter},
		},
	}
}

// proxy is a defaults, frontend, backend or listen section being read.
type proxy struct {
	l    *lowerer
	kind section
	word string // "frontend"
	name conf.Word
	pos  diag.Pos
	settings

	binds       []spec.Bind
	servers     []*server
	serverNames map[string]diag.Pos
	useBackends []useBackend
	useServers  []spec.UseServer
	monitorFail []*spec.Cond
	redirects   []spec.HTTPRule
	persist     []spec.Persist

	acls  []spec.ACL
	conds []*pendingCond

	rules    diag.Pos // defaults: the first ACL-bearing rule, for those that may not inherit it
	reqFinal bool     // an unconditional final http-request rule has been seen
	resFinal bool
	httplog  diag.Pos
	captures captures
	compiled compiledFormats
	broken   bool // the section holds errors: what it lacks may stand in those lines
}

type useBackend struct {
	name   conf.Word
	format *logfmt.Format // the name, made per request; nil: it is literal
	cond   *spec.Cond
}

// inherit copies the presets of a defaults section.
func (p *proxy) inherit(d *proxy) {
	if d.rules.Line != 0 {
		switch {
		case p.kind == inFrontend|inBackend:
			p.l.errs.Errorf(p.pos, "use a frontend and a backend, or a defaults section without rules",
				"a listen section cannot inherit from a defaults section defining TCP/HTTP rules (at %s)", d.rules)
			return
		case p.kind != inDefaults:
			for _, q := range p.l.proxies {
				if q.rules == d.rules && q.kind != p.kind {
					p.l.errs.Errorf(p.pos, "write one defaults section for each",
						"frontends and backends cannot inherit from the same defaults section if it defines TCP/HTTP rules (at %s)", d.rules)
					return
				}
			}
		}
	}
	p.rules = d.rules
	p.settings = d.settings
	p.logs = slices.Clip(p.logs)
	p.common.HTTPReq = slices.Clip(p.common.HTTPReq)
	p.common.HTTPRes = slices.Clip(p.common.HTTPRes)
	p.common.Errors = slices.Clip(p.common.Errors)
	p.common.HTTPAfter = slices.Clip(p.common.HTTPAfter)
	p.common.TCPConnection = slices.Clip(p.common.TCPConnection)
	p.common.TCPSession = slices.Clip(p.common.TCPSession)
	p.common.TCPContent = slices.Clip(p.common.TCPContent)
	p.tcpResponse = slices.Clip(p.tcpResponse)
	p.checks = d.checks.clip()
}

// admits tells whether a keyword may stand in this section, with HAProxy's
// distinction: outside defaults a keyword of the other side is ignored with a
// warning, but a server of a frontend is an error.
func (p *proxy) admits(k *keyword[*proxy], a *args) bool {
	word := a.words[0]
	switch {
	case p.kind == inDefaults && k.in&inDefaults == 0 && k.in&inNamed == 0:
		p.l.errs.Errorf(word.Pos, "move it to the sections that need it", "'%s' not allowed in 'defaults' section", k.name)
		return false
	case p.kind == inDefaults && k.in&inNamed != 0 && p.name.Text == "":
		p.l.errs.Errorf(word.Pos, "name the section: defaults NAME", "'%s' not allowed in anonymous 'defaults' section", k.name)
		return false
	case p.kind == inDefaults || k.in&p.kind != 0:
		return true
	}
	lacks := "frontend"
	if p.kind == inFrontend {
		lacks = "backend"
	}
	if hint, ok := misplaced[k.name]; ok {
		p.l.errs.Errorf(word.Pos, hint, "'%s' not allowed because %s '%s' has no %s capability", k.name, p.word, p.name.Text, lacks)
		return false
	}
	hint := "remove it"
	if k.name == "maxconn" {
		hint = "maybe you want 'fullconn' instead"
	}
	p.l.errs.Warnf(word.Pos, hint, "'%s' ignored because %s '%s' has no %s capability", k.name, p.word, p.name.Text, lacks)
	return false
}

// misplaced are the keywords that HAProxy refuses, with what to do about it, in a section
// that others are ignored in: without them it would serve or let in what it should not.
var misplaced = map[string]string{
	"declare capture":            "declare it in the frontend",
	"default-server":             "servers belong to a backend or listen section",
	"server":                     "servers belong to a backend or listen section",
	"server-template":            "servers belong to a backend or listen section",
	"tcp-request connection":     "move it to the frontend: connections are accepted there",
	"tcp-request session":        "move it to the frontend: connections are accepted there",
	"tcp-response content":       "move it to the backend: servers answer there",
	"tcp-response inspect-delay": "move it to the backend: servers answer there",
}

// validate reports what is only known when all sections have been read.
func (p *proxy) validate() {
	p.checkMode()
	p.compileFormats()
	p.checkBalance()
	p.checkPersistence()
	p.checkBackends()
	p.checkPorts()
	p.checkProtocols()
	p.checkUseServers()
	p.checkAgents()
	p.checkExternal()
	if p.common.Disabled || p.broken {
		return
	}
	p.checkTimeouts()
	if p.kind == inFrontend && len(p.binds) == 0 {
		p.l.errs.Warnf(p.pos, "declare it as a backend if this was intended", "frontend '%s' has no 'bind' directive", p.name.Text)
	}
	p.validateChecks()
}

// checkMode drops what works in mode http alone, as HAProxy does, unless a rule may change
// the mode.
func (p *proxy) checkMode() {
	if p.common.Mode == spec.HTTP {
		return
	}
	ignored := func(what string) {
		p.l.errs.Warnf(p.pos, "add `mode http`", "%s ignored for %s '%s' because it is not in 'mode http'", what, p.word, p.name.Text)
	}
	if p.kind&inFrontend != 0 {
		if p.monitorURI != "" {
			ignored("'monitor-uri'")
		}
		p.withoutHTTPLog()
	}
	p.monitorURI = ""
	if p.switchesMode() {
		if p.kind&inBackend != 0 && p.defaultBackend.Text == "" && p.kind != inDefaults {
			p.l.errs.Warnf(p.pos, "choose a backend in mode http for them", "%s '%s': connections that 'switch-mode http' changes cannot go to its own servers, which are in mode tcp", p.word, p.name.Text)
		}
		return
	}
	if len(p.common.HTTPReq) > 0 {
		ignored("'http-request' rules")
	}
	if len(p.common.HTTPRes) > 0 {
		ignored("'http-response' rules")
	}
	if len(p.common.HTTPAfter) > 0 {
		ignored("'http-after-response' rules")
	}
	if len(p.redirects) > 0 {
		ignored("'redirect' rules")
	}
	if p.common.ForwardFor != nil {
		ignored("'option forwardfor'")
	}
	p.common.HTTPReq, p.common.HTTPRes, p.common.HTTPAfter, p.redirects, p.common.ForwardFor = nil, nil, nil, nil, nil
	p.common.ConnMode = spec.KeepAlive
}

func (p *proxy) checkTimeouts() {
	var missing []string
	t := p.common.Timeouts
	if p.kind&inFrontend != 0 && t.Client == 0 {
		missing = append(missing, "client")
	}
	if p.kind&inBackend != 0 && len(p.servers) > 0 {
		if t.Connect == 0 {
			missing = append(missing, "connect")
		}
		if t.Server == 0 {
			missing = append(missing, "server")
		}
	}
	if len(missing) > 0 {
		p.l.errs.Warnf(p.pos, "without them a peer that goes silent is kept for ever",
			"missing timeouts for %s '%s': set %s to a non-zero value", p.word, p.name.Text, quoted(missing))
	}
}

// checkBackends follows default_backend and use_backend.
func (p *proxy) checkBackends() {
	if p.kind&inFrontend == 0 {
		return
	}
	for _, u := range p.useBackends {
		if u.format == nil {
			p.checkBackend("use_backend", u.name)
		}
	}
	if p.defaultBackend.Text != "" {
		p.checkBackend("default_backend", p.defaultBackend)
	}
}

func (p *proxy) checkBackend(keyword string, name conf.Word) {
	b := p.l.backend(name.Text)
	switch {
	case b == nil:
		p.l.errs.Errorf(name.Pos, p.l.nearBackend(name.Text), "%s '%s': unable to find required %s '%s'", p.word, p.name.Text, keyword, name.Text)
	case b == p:
		p.l.errs.Errorf(name.Pos, "a listen section uses its own servers without it", "%s '%s': loop detected for %s '%s'", p.word, p.name.Text, keyword, name.Text)
	case p.common.Mode == spec.HTTP && b.common.Mode == spec.TCP:
		p.l.errs.Errorf(name.Pos, "give both the same mode", "http %s '%s' tries to use incompatible tcp %s '%s' as its %s",
			p.word, p.name.Text, b.word, b.name.Text, keyword)
	}
}

// fill returns the part that both halves share.
func (p *proxy) fill() spec.Common {
	c := p.common
	c.Name, c.Pos = p.name.Text, p.pos
	c.Logs = p.resolveLogs()
	t := &c.Timeouts
	if !p.queueSet {
		t.Queue = t.Connect
	}
	if !p.tarpitSet {
		t.Tarpit = t.Connect
	}
	if !p.keepAliveSet {
		t.HTTPKeepAlive = t.HTTPRequest
	}
	return c
}

func (p *proxy) frontend() *spec.Frontend {
	f := &spec.Frontend{
		Keepalive: p.clientAlive,
		Common:    p.fill(), Binds: p.binds, Maxconn: p.maxconn, RateLimit: p.rateLimit, Backlog: p.backlog,
		DefaultBackend: p.defaultBackend.Text, MonitorURI: p.monitorURI, Listen: p.kind&inBackend != 0,
	}
	f.ACLs, f.Redirects = p.acls, p.redirects
	for _, u := range p.useBackends {
		f.UseBackends = append(f.UseBackends, spec.UseBackend{Backend: u.name.Text, Format: u.format, Cond: u.cond, Pos: u.name.Pos})
	}
	for _, c := range p.monitorFail {
		f.MonitorFail = append(f.MonitorFail, *c)
	}
	p.logging(f)
	if f.Listen && f.DefaultBackend == "" {
		f.DefaultBackend = f.Name
	}
	return f
}

func (p *proxy) backend() *spec.Backend {
	b := &spec.Backend{
		ServerKeepalive: p.serverAlive, Source: p.source, TCPResponse: p.tcpResponse, ResInspectDelay: p.resInspectDelay,
		Common: p.fill(), Balance: p.balance, Retries: p.retries, RetryOn: p.retryOn, Reuse: p.reuse, Redispatch: p.redispatch,
		AbortOnClose: p.abortOnClose, AllBackups: p.allBackups, Fullconn: p.fullconn, Checks: p.checks.plan(), Listen: p.kind&inFrontend != 0,
		Cookie: p.cookie, CookieKey: p.cookieKey, Persist: p.persist, PersistDown: p.persistDown, RDPCookie: p.rdpCookie,
	}
	if b.Listen {
		b.HTTPReq, b.HTTPRes, b.HTTPAfter = nil, nil, nil
		b.TCPConnection, b.TCPSession, b.TCPContent = nil, nil, nil
	} else {
		b.ACLs, b.Redirects = p.acls, p.redirects
	}
	b.UseServers = p.useServers
	for _, s := range p.servers {
		b.Servers = append(b.Servers, s.build())
	}
	return b
}
