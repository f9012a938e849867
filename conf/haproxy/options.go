package haproxy

import (
	"math"
	"net/netip"
	"slices"

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
	f := &spec.ForwardFor{Header: "X-Forwarded-For"}
	options := []string{"except", "header", "if-none"}
	for a.more() {
		w, _ := a.next("")
		switch w.Text {
		case "if-none":
			f.IfNone = true
		case "header":
			if name, ok := a.next("a header name"); ok && a.headerName(name) {
				f.Header = name.Text
			}
		case "except":
			// A later `except` takes the place of an earlier one of its family.
			if net, ok := a.next("an address or network"); ok {
				prefix, ok := parseNetwork(net.Text)
				if !ok {
					a.fail(net, "write an address or network such as 10.0.0.0/8", "'%s' is not a valid IPv4 or IPv6 network", net.Text)
				}
				f.Except = slices.DeleteFunc(f.Except, func(q netip.Prefix) bool { return q.Addr().Is4() == prefix.Addr().Is4() })
				f.Except = append(f.Except, prefix)
			}
		default:
			a.fail(w, didYouMean(w.Text, options), "'option forwardfor' only supports %s, not '%s'", quoted(options), w.Text)
		}
	}
	p.common.ForwardFor = f
}
