package haproxy

import (
	"math"

	"baton/lb/spec"
)

// optionKeywords are the `option` lines that change traffic or logs. The check
// options are in checks.go, those for later in later.go.
var optionKeywords = []keyword[*proxy]{
	{"option abortonclose", back, true, Done, func(p *proxy, a *args) { p.abortOnClose = !a.no }, "a client that closes gives up what it waits for"},
	{"option allbackups", back, true, Done, optionAllBackups, "use all backup servers, not the first alone"},
	{"option forwardfor", inAll, false, Done, optionForwardFor, "add X-Forwarded-For; except, header, if-none"},
	{"option http-keep-alive", inAll, true, Done, optionKeepAlive, "keep both sides open (default)"},
	{"option http-server-close", inAll, true, Done, optionServerClose, "close the server's side after a response"},
	{"option httpclose", inAll, true, Done, optionClose, "close both sides after a response"},
	{"option independent-streams", inAll, true, Done, func(p *proxy, a *args) { p.common.Independent = !a.no }, "what is sent to a side is no sign that it lives"},
	{"option log-health-checks", back, true, Done, optionLogChecks, "log every change of a check's outcome"},
	{"option nolinger", inAll, true, Done, func(p *proxy, a *args) { p.common.NoLinger = !a.no }, "connections end by a reset, with what was still to be sent"},
	{"option redispatch", back, true, Done, optionRedispatch, "retry on another server"},
}

func optionAllBackups(p *proxy, a *args) { p.allBackups = !a.no }

func optionLogChecks(p *proxy, a *args) { p.common.LogHealthChecks = !a.no }

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
