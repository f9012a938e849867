package haproxy

import (
	"slices"
	"time"

	"baton/lb/sample"
	"baton/lb/spec"
)

// tcpRuleKeywords are the rules of chapter 4.2 that look at connections and their bytes.
var tcpRuleKeywords = []keyword[*proxy]{
	{"tcp-request connection", inFrontend | inNamed, false, Done, parseTCPConnection, "rules on connections as they are accepted; see the actions"},
	{"tcp-request session", inFrontend | inNamed, false, Done, parseTCPSession, "rules on connections after the PROXY header; see the actions"},
	{"tcp-request content", both | inNamed, false, Done, parseTCPContent, "rules on what the client sends first, in mode http on each request; see the actions"},
	{"tcp-request inspect-delay", both | inNamed, false, Done, parseInspectDelay, "how long content rules wait for bytes"},
	{"tcp-response content", inBackend | inNamed, false, Done, parseTCPResponse, "rules on what the server sends first, in mode http on each response; see the actions"},
	{"tcp-response inspect-delay", inBackend | inNamed, false, Done, parseResInspectDelay, "how long they wait for bytes"},
}

// tcpConnectionActions are the actions of tcp-request connection.
var tcpConnectionActions = slices.Concat([]keyword[*ruleLine]{
	{"expect-netscaler-cip", 0, false, Refused, nil, "let the appliance send a PROXY header and write expect-proxy"},
	{"expect-proxy", 0, false, Done, actionExpectProxy, "layer4: the connection has to begin with a PROXY header"},
}, tcpActions)

// tcpContentActions are the actions of tcp-request content.
var tcpContentActions = slices.Concat([]keyword[*ruleLine]{
	{"capture", 0, false, Done, actionCapture, "keep a sample for the log"},
	{"do-resolve", 0, false, Done, actionDoResolve, "the address of a name, by a resolvers section"},
	{"send-spoe-group", 0, false, Refused, nil, "no SPOE"},
	{"set-bc-mark", 0, false, Done, actionSetServerMark, "netfilter's mark of packets to the server; needs CAP_NET_ADMIN"},
	{"set-bc-tos", 0, false, Done, actionSetServerTOS, "type of service of packets to the server"},
	{"set-log-level", 0, false, Done, actionSetLogLevel, "the level of the log line, or silent"},
	{"set-nice", 0, false, Warned, niceValue, "all connections have one priority in the scheduler"},
	{"set-priority-class", 0, false, Done, actionExpr(spec.ActionSetPriorityClass), "which requests leave a queue first"},
	{"set-priority-offset", 0, false, Done, actionExpr(spec.ActionSetPriorityOffset), "milliseconds by which a request counts as older or younger in a queue"},
	{"set-retries", 0, false, Done, actionSetRetries, "another number of retries"},
	{"switch-mode", 0, false, Done, actionSwitchMode, "http: the connection goes on in HTTP; proto h1"},
	{"use-service", 0, false, Refused, nil, "no services: no Lua and no metrics page yet"},
}, tcpActions)

// tcpActions are those that all tcp-request rules have.
var tcpActions = []keyword[*ruleLine]{
	{"accept", 0, false, Done, actionAllow, "end the rules"},
	{"do-log", 0, false, Done, tcpDoLog, "write a log line now; profile"},
	{"reject", 0, false, Done, actionPlain(spec.ActionReject), "close the connection"},
	{"sc-inc-gpc", 0, false, Refused, nil, "no stick tables yet"},
	{"sc-inc-gpc0", 0, false, Refused, nil, "no stick tables yet"},
	{"sc-inc-gpc1", 0, false, Refused, nil, "no stick tables yet"},
	{"sc-set-gpt", 0, false, Refused, nil, "no stick tables yet"},
	{"sc-set-gpt0", 0, false, Refused, nil, "no stick tables yet"},
	{"set-dst", 0, false, Done, actionExpr(spec.ActionSetDst), "the address that the client is taken to have asked for"},
	{"set-dst-port", 0, false, Done, actionExpr(spec.ActionSetDstPort), "and its port"},
	{"set-fc-mark", 0, false, Done, actionSetMark, "netfilter's mark of packets to the client; needs CAP_NET_ADMIN"},
	{"set-fc-tos", 0, false, Done, actionSetTOS, "type of service of packets to the client"},
	{"set-mark", 0, false, Done, actionSetMark, "the older name of set-fc-mark"},
	{"set-src", 0, false, Done, actionExpr(spec.ActionSetSrc), "the client's address"},
	{"set-src-port", 0, false, Done, actionExpr(spec.ActionSetSrcPort), "the client's port"},
	{"set-tos", 0, false, Done, actionSetTOS, "the older name of set-fc-tos"},
	{"set-var", 0, false, Done, actionSetVar, "give a variable the value of a sample expression"},
	{"set-var-fmt", 0, false, Done, actionSetVarFmt, "give a variable the value of a format"},
	{"silent-drop", 0, false, Done, actionSilentDrop, "forget the connection without telling the client; rst-ttl"},
	{"track-sc0", 0, false, Refused, nil, "no stick tables yet"},
	{"track-sc1", 0, false, Refused, nil, "no stick tables yet"},
	{"track-sc2", 0, false, Refused, nil, "no stick tables yet"},
	{"unset-var", 0, false, Done, actionUnsetVar, "unset a variable"},
}

// tcpResponseActions are the actions of tcp-response content.
var tcpResponseActions = []keyword[*ruleLine]{
	{"accept", 0, false, Done, actionAllow, "end the rules"},
	{"close", 0, false, Done, actionPlain(spec.ActionClose), "close the server's connection; the client gets what has come"},
	{"do-log", 0, false, Done, tcpDoLog, "write a log line now; profile"},
	{"reject", 0, false, Done, actionPlain(spec.ActionReject), "close both connections; the client gets nothing"},
	{"sc-inc-gpc", 0, false, Refused, nil, "no stick tables yet"},
	{"sc-inc-gpc0", 0, false, Refused, nil, "no stick tables yet"},
	{"sc-inc-gpc1", 0, false, Refused, nil, "no stick tables yet"},
	{"sc-set-gpt", 0, false, Refused, nil, "no stick tables yet"},
	{"sc-set-gpt0", 0, false, Refused, nil, "no stick tables yet"},
	{"send-spoe-group", 0, false, Refused, nil, "no SPOE"},
	{"set-log-level", 0, false, Done, actionSetLogLevel, "the level of the log line, or silent"},
	{"set-fc-mark", 0, false, Done, actionSetMark, "netfilter's mark of packets to the client; needs CAP_NET_ADMIN"},
	{"set-fc-tos", 0, false, Done, actionSetTOS, "type of service of packets to the client"},
	{"set-mark", 0, false, Done, actionSetMark, "the older name of set-fc-mark"},
	{"set-nice", 0, false, Warned, niceValue, "all connections have one priority in the scheduler"},
	{"set-tos", 0, false, Done, actionSetTOS, "the older name of set-fc-tos"},
	{"set-var", 0, false, Done, actionSetVar, "give a variable the value of a sample expression"},
	{"set-var-fmt", 0, false, Done, actionSetVarFmt, "give a variable the value of a format"},
	{"silent-drop", 0, false, Done, actionSilentDrop, "forget the client's connection without telling the client; rst-ttl"},
	{"unset-var", 0, false, Done, actionUnsetVar, "unset a variable"},
}

func niceValue(_ *ruleLine, a *args) { a.integer("a nice value", -1024, 1024) }

func parseTCPConnection(p *proxy, a *args) {
	p.tcpRule(a, tcpConnectionActions, onConnection, &p.common.TCPConnection)
}

func parseTCPSession(p *proxy, a *args) {
	p.tcpRule(a, tcpActions, onSession, &p.common.TCPSession)
}

func parseTCPContent(p *proxy, a *args) {
	p.tcpRule(a, tcpContentActions, onContent, &p.common.TCPContent)
}

func (p *proxy) tcpRule(a *args, table []keyword[*ruleLine], when moment, to *[]spec.HTTPRule) {
	if r := a.rule(p, table, when, new(bool)); r != nil {
		if (when == onConnection || when == onSession) && r.Var.Scope > sample.ScopeSess {
			p.l.errs.Warnf(a.words[0].Pos, "use the scope sess or proc", "variable '%s' is not set here, as in HAProxy: there is no request yet", r.Var)
		} else {
			*to = append(*to, *r)
		}
	}
	p.hasRules(a.words[0].Pos)
}

func parseTCPResponse(p *proxy, a *args) {
	p.tcpRule(a, tcpResponseActions, onResContent, &p.tcpResponse)
}

func parseResInspectDelay(p *proxy, a *args) {
	p.resInspectDelay, _ = a.duration(time.Millisecond)
}

func parseInspectDelay(p *proxy, a *args) {
	p.common.InspectDelay, _ = a.duration(time.Millisecond)
}

// actionSwitchMode reads `switch-mode http [proto NAME]`.
func actionSwitchMode(r *ruleLine, a *args) {
	r.rule.Action = spec.ActionSwitchMode
	if w, ok := a.next("a mode: http"); ok && w.Text != "http" {
		a.fail(w, "tcp-request content switch-mode http", "'switch-mode' expects a valid mode, not '%s'", w.Text)
	}
	if a.accept("proto") {
		if w, ok := a.next("a protocol: h1"); ok && w.Text != "h1" {
			a.fail(w, "leave it out, or write h1", "protocol '%s' is not supported yet", w.Text)
		}
	}
	if r.p.kind&(inFrontend|inDefaults) == 0 {
		a.fail(a.words[0], "write it in the frontend", "'tcp-request content switch-mode' not allowed because %s '%s' has no frontend capability", r.p.word, r.p.name.Text)
	}
}

// switchesMode reports whether a rule may make HTTP of the proxy's connections.
func (p *proxy) switchesMode() bool {
	return slices.ContainsFunc(p.common.TCPContent, func(r spec.HTTPRule) bool { return r.Action == spec.ActionSwitchMode })
}

func actionExpectProxy(r *ruleLine, a *args) {
	r.rule.Action = spec.ActionExpectProxy
	if !a.accept("layer4") {
		a.fail(a.last(), "tcp-request connection expect-proxy layer4", "'expect-proxy' expects 'layer4'")
	}
}
