package haproxy

import (
	"math"

	"baton/lb/spec"
)

// optionKeywords are the `option` lines that change traffic or logs. The check
// options are in checks.go, those for later in later.go.
var optionKeywords = []keyword[*proxy]{
	{"option allbackups", back, true, Done, optionAllBackups, "use all backup servers, not the first alone"},
	{"option dontlog-normal", front, true, Done, optionDontLogNormal, "log failures only"},
	{"option dontlognull", front, true, Done, optionDontLogNull, "do not log connections without data"},
	{"option forwardfor", inAll, false, Done, optionForwardFor, "add X-Forwarded-For; except, header, if-none"},
	{"option http-keep-alive", inAll, true, Done, optionKeepAlive, "keep both sides open (default)"},
	{"option http-server-close", inAll, true, Done, optionServerClose, "close the server's side after a response"},
	{"option httpclose", inAll, true, Done, optionClose, "close both sides after a response"},
	{"option httplog", front, false, Done, optionHTTPLog, "HTTP log lines"},
	{"option log-health-checks", back, true, Done, optionLogChecks, "log every change of a check's outcome"},
	{"option log-separate-errors", front, true, Done, optionLogErrors, "log failures at level err"},
	{"option redispatch", back, true, Done, optionRedispatch, "retry on another server"},
	{"option tcplog", inAll, false, Done, optionTCPLog, "TCP log lines"},
}

func optionAllBackups(p *proxy, a *args) { p.allBackups = !a.no }

func optionDontLogNormal(p *proxy, a *args) { p.common.DontLogNormal = !a.no }

func optionDontLogNull(p *proxy, a *args) { p.common.DontLogNull = !a.no }

func optionLogChecks(p *proxy, a *args) { p.common.LogHealthChecks = !a.no }

func optionLogErrors(p *proxy, a *args) { p.common.LogSeparateErrors = !a.no }

func optionKeepAlive(p *proxy, a *args) { p.connMode(spec.KeepAlive, a.no) }

func optionServerClose(p *proxy, a *args) { p.connMode(spec.ServerClose, a.no) }

func optionClose(p *proxy, a *args) { p.connMode(spec.Close, a.no) }

// connMode sets one of three exclusive modes; the last line wins. `no` undoes
// that mode alone.
func (p *proxy) connMode(m spec.ConnMode, no bool) {
	switch {
	case !no:
		p.common.ConnMode = m
	case p.common.ConnMode == m:
		p.common.ConnMode = spec.KeepAlive
	}
}

func optionHTTPLog(p *proxy, a *args) {
	if a.peek() == "clf" {
		a.fail(a.words[a.i], "", "'option httplog clf' is known, not supported yet")
		return
	}
	p.common.LogFormat, p.httplog = spec.LogHTTP, a.words[0].Pos
}

func optionTCPLog(p *proxy, a *args) {
	if a.peek() == "clf" {
		a.fail(a.words[a.i], "", "'option tcplog clf' is known, not supported yet")
		return
	}
	p.common.LogFormat = spec.LogTCP
}

// optionRedispatch keeps -1 for the last retry; 0 is as good as `no`.
func optionRedispatch(p *proxy, a *args) {
	switch {
	case a.no:
		p.redispatch = 0
	case !a.more():
		p.redispatch = -1
	default:
		p.redispatch, _ = a.integer("an interval", math.MinInt32, math.MaxInt32)
	}
}

func optionForwardFor(p *proxy, a *args) {
	p.common.ForwardFor = a.addressHeader("option forwardfor", "X-Forwarded-For", []string{"except", "header", "if-none"})
}
