package haproxy

import (
	"math"
	"slices"
	"strings"
	"time"

	"baton/conf"
	"baton/lb/sample"
	"baton/lb/spec"
)

// proxyKeywords is the table of defaults, frontend, listen and backend sections.
func proxyKeywords() []keyword[*proxy] {
	return slices.Concat(
		basicKeywords, balanceKeywords, socketKeywords, timeoutKeywords, optionKeywords, logKeywords, checkKeywords, stateKeywords, ruleKeywords, tcpRuleKeywords,
		errorKeywords, reuseKeywords, httpOptionKeywords, persistKeywords, laterKeywords,
	)
}

const (
	both  = inFrontend | inBackend // not in defaults
	front = inDefaults | inFrontend
	back  = inDefaults | inBackend
)

// basicKeywords are the lines that are neither options, timeouts, checks nor rules.
var basicKeywords = []keyword[*proxy]{
	{"backlog", front, false, Done, parseBacklog, "hint for the kernel's queue of connections not accepted yet"},
	{"bind", inFrontend, false, Done, parseBind, "listening addresses; see the bind options"},
	{"default-server", back, false, Done, parseDefaultServer, "presets for the server lines that follow"},
	{"default_backend", front, false, Done, parseDefaultBackend, "backend when no use_backend matched"},
	{"description", both, false, Warned, parseDescription, "it is not shown anywhere yet"},
	{"disabled", inAll, false, Done, parseDisabled, "the proxy is not started"},
	{"enabled", inAll, false, Done, parseEnabled, "undoes an inherited `disabled`"},
	{"fullconn", back, false, Done, parseFullconn, "load at which servers with a minconn reach their maxconn"},
	{"id", both, false, Done, parseProxyID, "numeric identifier"},
	{"log", inAll, true, Done, parseProxyLog, "where to send logs; `log global` takes the global section's"},
	{"maxconn", front, false, Done, parseMaxconn, "most connections at a time"},
	{"mode", inAll, false, Done, parseMode, "tcp (default) or http"},
	{"monitor fail", inFrontend, false, Done, parseMonitorFail, "condition that turns the monitor's answer into 503"},
	{"monitor-uri", front, false, Done, parseMonitorURI, "URI that the proxy answers itself with 200 or 503"},
	{"retries", back, false, Done, parseRetries, "attempts to connect after the first failed"},
	{"server", inBackend, false, Done, parseServer, "a server; see the server options"},
	{"server-template", inBackend, false, Done, parseServerTemplate, "several servers of one name"},
	{"use_backend", inFrontend, false, Done, parseUseBackend, "backend for requests that match"},
}

func parseBacklog(p *proxy, a *args) {
	p.backlog, _ = a.integer("a number of connections", 1, math.MaxInt32)
}

func parseMaxconn(p *proxy, a *args) {
	p.maxconn, _ = a.integer("a number of connections", 0, math.MaxInt32)
}

func parseFullconn(p *proxy, a *args) {
	p.fullconn, _ = a.integer("a number of connections", 1, math.MaxInt32)
}

func parseRetries(p *proxy, a *args) {
	p.retries, _ = a.integer("a number of attempts", 0, math.MaxInt32)
}

func parseProxyID(p *proxy, a *args) { p.common.ID, _ = a.integer("an identifier", 1, math.MaxInt32) }

func parseDisabled(p *proxy, _ *args) { p.common.Disabled = true }

func parseEnabled(p *proxy, _ *args) { p.common.Disabled = false }

func parseDescription(p *proxy, a *args) { p.common.Description = a.text("a text") }

// text reads the rest of the line as one text.
func (a *args) text(what string) string {
	if _, ok := a.next(what); !ok {
		return ""
	}
	words := []string{a.last().Text}
	for ; a.more(); a.i++ {
		words = append(words, a.words[a.i].Text)
	}
	return strings.Join(words, " ")
}

func parseMode(p *proxy, a *args) {
	w, ok := a.next("'tcp' or 'http'")
	switch {
	case !ok:
	case w.Text == "tcp":
		p.common.Mode = spec.TCP
	case w.Text == "http":
		p.common.Mode = spec.HTTP
	case w.Text == "log":
		a.fail(w, "write a log line for each server, with sample to share the lines out", "'mode log' is known, not supported yet")
	case w.Text == "health":
		a.fail(w, "use `monitor-uri`", "'mode health' doesn't exist any more")
	default:
		a.fail(w, didYouMean(w.Text, []string{"tcp", "http"}), "unknown proxy mode '%s'", w.Text)
	}
}

func parseDefaultBackend(p *proxy, a *args) {
	if w, ok := a.next("a backend name"); ok && staticName(a, w) {
		p.defaultBackend = w
	}
}

// staticName refuses names that are made per request.
func staticName(a *args, w conf.Word) bool {
	if strings.Contains(w.Text, "%[") {
		a.fail(w, "name the backend", "a log-format backend name is known, not supported yet")
		return false
	}
	return true
}

// parseUseBackend reads `use_backend NAME [if COND]`; the name may be made of sample
// expressions, per request.
func parseUseBackend(p *proxy, a *args) {
	w, ok := a.next("a backend name")
	if !ok {
		return
	}
	u := useBackend{name: w}
	if strings.Contains(w.Text, "%[") {
		if u.format = a.value(p, w, sample.AtSwitch); u.format == nil {
			return
		}
		if !u.format.OnlySamples() {
			a.fail(w, "use expressions: %[req.hdr(host)]", "aliases in a backend name are known, not supported yet")
			return
		}
	}
	if cond := a.cond(p, onSwitch); !a.failed {
		u.cond = cond
	}
	// Also after a mistake: it is worth telling when the backend is not there either.
	p.useBackends = append(p.useBackends, u)
}

func parseMonitorURI(p *proxy, a *args) {
	if w, ok := a.next("a URI"); ok {
		p.monitorURI = w.Text
	}
}

func parseMonitorFail(p *proxy, a *args) {
	if !a.more() {
		a.fail(a.last(), "monitor fail if COND", "'monitor fail' requires either 'if' or 'unless' followed by a condition")
		return
	}
	if cond := a.cond(p, onSwitch); cond != nil {
		p.monitorFail = append(p.monitorFail, cond)
	}
}

// timeoutKeywords bound phases and inactivity.
var timeoutKeywords = []keyword[*proxy]{
	{"timeout check", back, false, Done, parseTimeoutCheck, "read timeout of health checks after the connection stands"},
	{"timeout client", front, false, Done, parseTimeoutClient, "inactivity on the client's side"},
	{"timeout client-fin", front, false, Done, parseTimeoutClientFin, "inactivity of a client whose server has closed"},
	{"timeout connect", back, false, Done, parseTimeoutConnect, "time to connect to a server"},
	{"timeout http-keep-alive", inAll, false, Done, parseTimeoutKeepAlive, "wait for a next request"},
	{"timeout http-request", inAll, false, Done, parseTimeoutRequest, "time for a whole request head"},
	{"timeout queue", back, false, Done, parseTimeoutQueue, "time in the queue for a server"},
	{"timeout server", back, false, Done, parseTimeoutServer, "inactivity on the server's side"},
	{"timeout server-fin", back, false, Done, parseTimeoutServerFin, "inactivity of a server whose client has closed"},
	{"timeout tarpit", inAll, false, Done, parseTimeoutTarpit, "how long the tarpit action holds a request, default timeout connect"},
	{"timeout tunnel", back, false, Done, parseTimeoutTunnel, "inactivity of a tunnel, both sides"},
}

func (a *args) timeout(d *time.Duration) { *d, _ = a.duration(0) }

func parseTimeoutCheck(p *proxy, a *args)     { a.timeout(&p.common.Timeouts.Check) }
func parseTimeoutClient(p *proxy, a *args)    { a.timeout(&p.common.Timeouts.Client) }
func parseTimeoutClientFin(p *proxy, a *args) { a.timeout(&p.common.Timeouts.ClientFin) }
func parseTimeoutConnect(p *proxy, a *args)   { a.timeout(&p.common.Timeouts.Connect) }
func parseTimeoutRequest(p *proxy, a *args)   { a.timeout(&p.common.Timeouts.HTTPRequest) }
func parseTimeoutServer(p *proxy, a *args)    { a.timeout(&p.common.Timeouts.Server) }
func parseTimeoutServerFin(p *proxy, a *args) { a.timeout(&p.common.Timeouts.ServerFin) }
func parseTimeoutTunnel(p *proxy, a *args)    { a.timeout(&p.common.Timeouts.Tunnel) }

func parseTimeoutKeepAlive(p *proxy, a *args) {
	p.keepAliveSet = true
	a.timeout(&p.common.Timeouts.HTTPKeepAlive)
}

func parseTimeoutQueue(p *proxy, a *args) {
	p.queueSet = true
	a.timeout(&p.common.Timeouts.Queue)
}

func parseTimeoutTarpit(p *proxy, a *args) {
	p.tarpitSet = true
	a.timeout(&p.common.Timeouts.Tarpit)
}
