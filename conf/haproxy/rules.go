package haproxy

import (
	"slices"
	"strings"

	"baton/conf"
	"baton/internal/diag"
	"baton/lb/logfmt"
	"baton/lb/sample"
	"baton/lb/spec"
)

// ruleKeywords are the lines that hold conditions' tests and HTTP rules.
var ruleKeywords = []keyword[*proxy]{
	{"acl", both | inNamed, false, Done, parseACL, "a named test"},
	{"http-request", both | inNamed, false, Done, parseHTTPRequest, "rules on requests; see the actions"},
	{"declare capture", inFrontend, false, Done, parseDeclareCapture, "a slot for http-request capture"},
	{"http-after-response", both | inNamed, false, Done, parseHTTPAfter, "rules on all responses, baton's own too; see the actions"},
	{"http-response", both | inNamed, false, Done, parseHTTPResponse, "rules on responses; see the actions"},
	{"redirect", both, false, Done, parseRedirect, "answer with a redirect: location, prefix or scheme"},
	{"use-server", inBackend, false, Done, parseUseServer, "the server of requests that match, if it is up"},
}

// ruleLine is one http-request or http-response line being read.
type ruleLine struct {
	p    *proxy
	when moment
	rule spec.HTTPRule
}

// httpRequestActions are the actions of chapter 4.2, http-request.
var httpRequestActions = []keyword[*ruleLine]{
	{"add-acl", 0, false, Done, actionList(spec.ActionAddACL), "add a pattern to the list of a file"},
	{"add-header", 0, false, Done, actionAddHeader, "append a header"},
	{"allow", 0, false, Done, actionAllow, "end the rules"},
	{"auth", 0, false, Done, actionAuth, "ask for a user and password"},
	{"cache-use", 0, false, Refused, nil, "no cache: put one between"},
	{"capture", 0, false, Done, actionCapture, "keep a sample for the log"},
	{"del-acl", 0, false, Done, actionList(spec.ActionDelMap), "remove a pattern from the list of a file"},
	{"del-header", 0, false, Done, actionDelHeader, "remove headers; -m"},
	{"del-map", 0, false, Done, actionList(spec.ActionDelMap), "remove a key from the map of a file"},
	{"deny", 0, false, Done, actionDeny, "answer with an error, 403 by default"},
	{"disable-l7-retry", 0, false, Done, actionPlain(spec.ActionDisableRetry), "this request is not sent again"},
	{"do-log", 0, false, Done, actionDoLog(logfmt.HTTPReq), "write a log line now; profile"},
	{"do-resolve", 0, false, Done, actionDoResolve, "the address of a name, by a resolvers section"},
	{"early-hint", 0, false, Done, actionEarlyHint, "a header of a 103 response that goes ahead; rules in a row make one"},
	{"normalize-uri", 0, false, Done, actionNormalizeURI, "one of the normalizers of path and query"},
	{"pause", 0, false, Done, actionPause, "wait"},
	{"redirect", 0, false, Done, actionRedirect, "answer with a redirect"},
	{"reject", 0, false, Done, actionPlain(spec.ActionReject), "close without an answer"},
	{"replace-header", 0, false, Done, actionReplace(spec.ActionReplaceHeader), "rewrite the values of a header"},
	{"replace-path", 0, false, Done, actionReplace(spec.ActionReplacePath), "rewrite the path"},
	{"replace-pathq", 0, false, Done, actionReplace(spec.ActionReplacePathQ), "rewrite path and query"},
	{"replace-uri", 0, false, Done, actionReplace(spec.ActionReplaceURI), "rewrite the target"},
	{"replace-value", 0, false, Done, actionReplace(spec.ActionReplaceValue), "rewrite each comma-separated value of a header"},
	{"return", 0, false, Done, actionReturn, "answer with what the line says"},
	{"sc-add-gpc", 0, false, Refused, nil, "no stick tables yet"},
	{"sc-inc-gpc", 0, false, Refused, nil, "no stick tables yet"},
	{"sc-inc-gpc0", 0, false, Refused, nil, "no stick tables yet"},
	{"sc-inc-gpc1", 0, false, Refused, nil, "no stick tables yet"},
	{"sc-set-gpt", 0, false, Refused, nil, "no stick tables yet"},
	{"sc-set-gpt0", 0, false, Refused, nil, "no stick tables yet"},
	{"send-spoe-group", 0, false, Refused, nil, "no SPOE"},
	{"set-bc-mark", 0, false, Done, actionSetServerMark, "netfilter's mark of packets to the server; needs CAP_NET_ADMIN"},
	{"set-bc-tos", 0, false, Done, actionSetServerTOS, "type of service of packets to the server"},
	{"set-dst", 0, false, Done, actionExpr(spec.ActionSetDst), "another destination address, for rules, logs and options"},
	{"set-dst-port", 0, false, Done, actionExpr(spec.ActionSetDstPort), "another destination port"},
	{"set-fc-mark", 0, false, Done, actionSetMark, "netfilter's mark of packets to the client; needs CAP_NET_ADMIN"},
	{"set-fc-tos", 0, false, Done, actionSetTOS, "type of service of packets to the client"},
	{"set-header", 0, false, Done, actionSetHeader, "replace a header"},
	{"set-log-level", 0, false, Done, actionSetLogLevel, "the level of the log line, or silent"},
	{"set-map", 0, false, Done, actionList(spec.ActionSetMap), "give a key of a file's map a value, added where it is not there"},
	{"set-mark", 0, false, Done, actionSetMark, "the older name of set-fc-mark"},
	{"set-method", 0, false, Done, actionSet(spec.ActionSetMethod, "a format"), "another method"},
	{"set-nice", 0, false, Warned, niceValue, "all requests have one priority in the scheduler"},
	{"set-path", 0, false, Done, actionSet(spec.ActionSetPath, "a format"), "another path; the query stays"},
	{"set-pathq", 0, false, Done, actionSet(spec.ActionSetPathQ, "a format"), "another path and query"},
	{"set-priority-class", 0, false, Done, actionExpr(spec.ActionSetPriorityClass), "which requests leave a queue first"},
	{"set-priority-offset", 0, false, Done, actionExpr(spec.ActionSetPriorityOffset), "milliseconds by which a request counts as older or younger in a queue"},
	{"set-query", 0, false, Done, actionSet(spec.ActionSetQuery, "a format"), "another query"},
	{"set-retries", 0, false, Done, actionSetRetries, "another number of retries"},
	{"set-src", 0, false, Done, actionExpr(spec.ActionSetSrc), "another client address"},
	{"set-src-port", 0, false, Done, actionExpr(spec.ActionSetSrcPort), "another client port"},
	{"set-timeout", 0, false, Done, actionSetTimeout, "another timeout client, connect, queue, server, tarpit or tunnel"},
	{"set-tos", 0, false, Done, actionSetTOS, "the older name of set-fc-tos"},
	{"set-uri", 0, false, Done, actionSet(spec.ActionSetURI, "a format"), "another target"},
	{"set-var", 0, false, Done, actionSetVar, "give a variable the value of a sample expression"},
	{"set-var-fmt", 0, false, Done, actionSetVarFmt, "give a variable the value of a format"},
	{"silent-drop", 0, false, Done, actionSilentDrop, "forget the connection; the client is told nothing; rst-ttl"},
	{"strict-mode", 0, false, Done, actionStrictMode, "whether a rewrite that fails ends the exchange with 500, or changes nothing"},
	{"tarpit", 0, false, Done, actionTarpit, "answer with an error after timeout tarpit"},
	{"track-sc0", 0, false, Refused, nil, "no stick tables yet"},
	{"track-sc1", 0, false, Refused, nil, "no stick tables yet"},
	{"track-sc2", 0, false, Refused, nil, "no stick tables yet"},
	{"unset-var", 0, false, Done, actionUnsetVar, "unset a variable"},
	{"use-service", 0, false, Refused, nil, "no services: no Lua and no metrics page yet"},
	{"wait-for-body", 0, false, Done, actionWaitForBody, "wait for the request's body"},
	{"wait-for-handshake", 0, false, Warned, nil, "nothing is read before the handshake as it is"},
}

// httpResponseActions are the actions of chapter 4.2, http-response.
var httpResponseActions = []keyword[*ruleLine]{
	{"add-acl", 0, false, Done, actionList(spec.ActionAddACL), "add a pattern to the list of a file"},
	{"add-header", 0, false, Done, actionAddHeader, "append a header"},
	{"allow", 0, false, Done, actionAllow, "end the rules"},
	{"cache-store", 0, false, Refused, nil, "no cache: put one between"},
	{"capture", 0, false, Done, actionCapture, "keep a sample for the log"},
	{"del-acl", 0, false, Done, actionList(spec.ActionDelMap), "remove a pattern from the list of a file"},
	{"del-header", 0, false, Done, actionDelHeader, "remove headers; -m"},
	{"del-map", 0, false, Done, actionList(spec.ActionDelMap), "remove a key from the map of a file"},
	{"deny", 0, false, Done, actionDeny, "answer with an error instead, 502 by default"},
	{"do-log", 0, false, Done, actionDoLog(logfmt.HTTPRes), "write a log line now; profile"},
	{"pause", 0, false, Done, actionPause, "wait"},
	{"redirect", 0, false, Done, actionRedirect, "answer with a redirect instead"},
	{"replace-header", 0, false, Done, actionReplace(spec.ActionReplaceHeader), "rewrite the values of a header"},
	{"replace-value", 0, false, Done, actionReplace(spec.ActionReplaceValue), "rewrite each comma-separated value of a header"},
	{"return", 0, false, Done, actionReturn, "answer with what the line says"},
	{"sc-add-gpc", 0, false, Refused, nil, "no stick tables yet"},
	{"sc-inc-gpc", 0, false, Refused, nil, "no stick tables yet"},
	{"sc-inc-gpc0", 0, false, Refused, nil, "no stick tables yet"},
	{"sc-inc-gpc1", 0, false, Refused, nil, "no stick tables yet"},
	{"sc-set-gpt", 0, false, Refused, nil, "no stick tables yet"},
	{"sc-set-gpt0", 0, false, Refused, nil, "no stick tables yet"},
	{"send-spoe-group", 0, false, Refused, nil, "no SPOE"},
	{"set-fc-mark", 0, false, Done, actionSetMark, "netfilter's mark of packets to the client; needs CAP_NET_ADMIN"},
	{"set-fc-tos", 0, false, Done, actionSetTOS, "type of service of packets to the client"},
	{"set-header", 0, false, Done, actionSetHeader, "replace a header"},
	{"set-log-level", 0, false, Done, actionSetLogLevel, "the level of the log line, or silent"},
	{"set-map", 0, false, Done, actionList(spec.ActionSetMap), "give a key of a file's map a value, added where it is not there"},
	{"set-mark", 0, false, Done, actionSetMark, "the older name of set-fc-mark"},
	{"set-nice", 0, false, Warned, niceValue, "all requests have one priority in the scheduler"},
	{"set-status", 0, false, Done, actionSetStatus, "another status"},
	{"set-timeout", 0, false, Done, actionSetTimeout, "another timeout client, server or tunnel"},
	{"set-tos", 0, false, Done, actionSetTOS, "the older name of set-fc-tos"},
	{"set-var", 0, false, Done, actionSetVar, "give a variable the value of a sample expression"},
	{"set-var-fmt", 0, false, Done, actionSetVarFmt, "give a variable the value of a format"},
	{"silent-drop", 0, false, Done, actionSilentDrop, "forget the connection; the client is told nothing; rst-ttl"},
	{"strict-mode", 0, false, Done, actionStrictMode, "whether a rewrite that fails ends the exchange with 500, or changes nothing"},
	{"track-sc0", 0, false, Refused, nil, "no stick tables yet"},
	{"track-sc1", 0, false, Refused, nil, "no stick tables yet"},
	{"track-sc2", 0, false, Refused, nil, "no stick tables yet"},
	{"unset-var", 0, false, Done, actionUnsetVar, "unset a variable"},
	{"wait-for-body", 0, false, Done, actionWaitForBody, "wait for the response's body"},
}

func parseHTTPRequest(p *proxy, a *args) {
	pos := a.words[0].Pos
	if len(p.redirects) > 0 {
		p.l.errs.Warnf(pos, "put it before the redirect to read in the order of execution",
			"a 'http-request' rule placed after a 'redirect' rule will still be processed before")
	}
	if r := a.rule(p, httpRequestActions, onRequest, &p.reqFinal); r != nil {
		p.common.HTTPReq = append(p.common.HTTPReq, *r)
	}
	p.hasRules(pos)
}

func parseHTTPResponse(p *proxy, a *args) {
	pos := a.words[0].Pos
	if r := a.rule(p, httpResponseActions, onResponse, &p.resFinal); r != nil {
		p.common.HTTPRes = append(p.common.HTTPRes, *r)
	}
	p.hasRules(pos)
}

// hasRules remembers where a named defaults section has its first rule.
func (p *proxy) hasRules(pos diag.Pos) {
	if p.kind == inDefaults && p.rules.Line == 0 {
		p.rules = pos
	}
}

// rule reads an action, its arguments and its condition.
func (a *args) rule(p *proxy, table []keyword[*ruleLine], when moment, final *bool) *spec.HTTPRule {
	keyword := a.last()
	if _, ok := a.next("an action"); !ok {
		return nil
	}
	k, _ := find(table, a.words[a.i-1:a.i])
	if k == nil {
		var names []string
		for i := range table {
			names = append(names, table[i].name)
		}
		a.fail(a.last(), didYouMean(a.last().Text, names), "unknown %s action '%s'", keyword.Text, a.last().Text)
		return nil
	}
	if *final && k.status == Done {
		p.l.errs.Warnf(keyword.Pos, "give that one a condition", "a previous '%s' action is final and has no condition attached, so this one never runs", keyword.Text)
	}
	r := &ruleLine{p: p, when: when, rule: spec.HTTPRule{Pos: keyword.Pos}}
	k.run(r, a)
	if a.failed {
		return nil
	}
	r.rule.Cond = a.cond(p, when)
	if a.failed || k.status == Warned { // one without effect leaves no rule
		return nil
	}
	if r.rule.Cond == nil && slices.Contains([]spec.Action{spec.ActionAllow, spec.ActionDeny, spec.ActionRedirect, spec.ActionReturn, spec.ActionTarpit, spec.ActionReject, spec.ActionSilentDrop, spec.ActionAuth}, r.rule.Action) {
		*final = true
	}
	return &r.rule
}

func actionAddHeader(r *ruleLine, a *args) { r.header(a, spec.ActionAddHeader) }

func actionSetHeader(r *ruleLine, a *args) { r.header(a, spec.ActionSetHeader) }

func actionAllow(r *ruleLine, _ *args) { r.rule.Action = spec.ActionAllow }

func actionRedirect(r *ruleLine, a *args) {
	a.redirect(r.p, &r.rule, r.at())
}

// parseRedirect reads the `redirect` keyword, whose target is literal.
func parseRedirect(p *proxy, a *args) {
	rule := spec.HTTPRule{Pos: a.words[0].Pos}
	a.redirect(p, &rule, 0)
	rule.Cond = a.cond(p, onRequest)
	if !a.failed {
		p.redirects = append(p.redirects, rule)
	}
}

// redirect reads the form, the target and the code. In http-request rules (at is not
// 0) the target is a format.
func (a *args) redirect(p *proxy, rule *spec.HTTPRule, at sample.Places) {
	rule.Action, rule.Code = spec.ActionRedirect, 302
	words := []string{"location", "prefix", "scheme", "code", "drop-query", "append-slash", "ignore-empty", "set-cookie", "clear-cookie"}
	for a.more() && a.peek() != "if" && a.peek() != "unless" {
		w, _ := a.next("")
		switch w.Text {
		case "location", "prefix", "scheme":
			target, ok := a.next("a value")
			if ok && strings.ContainsAny(target.Text, "\r\n") {
				a.fail(target, "", "a redirect cannot contain a line break")
			}
			rule.Kind = spec.RedirectKind(slices.Index(words, w.Text))
			if at&sample.AtResponse != 0 && rule.Kind != spec.RedirectLocation {
				a.fail(w, "write a location", "a response can only be redirected by 'location', not by '%s'", w.Text)
			}
			rule.Target = target.Text
			if at != 0 {
				if f := a.value(p, target, at); f != nil {
					if rule.Target, ok = f.Constant(); !ok {
						rule.Format = f
					}
				}
			}
		case "code":
			n, ok := a.integer("a status", 100, 599)
			if ok && !slices.Contains([]int{301, 302, 303, 307, 308}, n) {
				a.fail(a.last(), "", "unsupported HTTP code '%d' (must be one of 301, 302, 303, 307 or 308)", n)
			}
			rule.Code = n
		case "drop-query":
			rule.DropQuery = true
		case "append-slash":
			rule.AppendSlash = true
		case "ignore-empty":
			rule.IgnoreEmpty = true
		case "set-cookie", "clear-cookie":
			c, ok := a.next("a cookie")
			if !ok {
				break
			}
			if strings.ContainsAny(c.Text, "\r\n; ") {
				a.fail(c, "write NAME=VALUE", "'%s' is not a cookie", c.Text)
			}
			rule.Cookie = c.Text + "; path=/;"
			if w.Text == "clear-cookie" {
				rule.Cookie = c.Text + "; path=/; Max-Age=0;"
			}
		default:
			a.fail(w, didYouMean(w.Text, words), "redirect expects %s, not '%s'", quoted(words[:4]), w.Text)
		}
	}
	if rule.Target == "" && rule.Format == nil {
		a.fail(a.last(), "redirect scheme https, for example", "redirect expects 'location', 'prefix' or 'scheme' and a value")
	}
}

func (a *args) headerName(w conf.Word) bool {
	if !isToken(w.Text) {
		a.fail(w, "", "'%s' is not a header name", w.Text)
		return false
	}
	return true
}

// isToken tells whether s is a token of RFC 9110 section 5.6.2.
func isToken(s string) bool {
	const others = "!#$%&'*+-.^_`|~"
	for _, r := range s {
		if !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune(others, r)) {
			return false
		}
	}
	return s != ""
}
