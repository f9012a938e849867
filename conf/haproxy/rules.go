package haproxy

import (
	"slices"
	"strings"

	"baton/conf"
	"baton/internal/diag"
	"baton/lb/spec"
)

// ruleKeywords are the lines that hold conditions' tests and HTTP rules.
var ruleKeywords = []keyword[*proxy]{
	{"acl", both | inNamed, false, Done, parseACL, "a named test"},
	{"http-request", both | inNamed, false, Done, parseHTTPRequest, "rules on requests; see the actions"},
	{"http-response", both | inNamed, false, Done, parseHTTPResponse, "rules on responses; see the actions"},
	{"redirect", both, false, Done, parseRedirect, "answer with a redirect: location, prefix or scheme"},
}

// ruleLine is one http-request or http-response line being read.
type ruleLine struct {
	p    *proxy
	when moment
	rule spec.HTTPRule
}

// httpRequestActions are the actions of chapter 4.2, http-request.
var httpRequestActions = []keyword[*ruleLine]{
	{"add-acl", 0, false, Refused, nil, ""},
	{"add-header", 0, false, Done, actionAddHeader, "append a header; the value is literal"},
	{"allow", 0, false, Done, actionAllow, "end the rules"},
	{"auth", 0, false, Refused, nil, ""},
	{"cache-use", 0, false, Refused, nil, ""},
	{"capture", 0, false, Refused, nil, ""},
	{"del-acl", 0, false, Refused, nil, ""},
	{"del-header", 0, false, Done, actionDelHeader, "remove a header"},
	{"del-map", 0, false, Refused, nil, ""},
	{"deny", 0, false, Done, actionDeny, "answer with an error, 403 by default"},
	{"disable-l7-retry", 0, false, Refused, nil, ""},
	{"do-resolve", 0, false, Refused, nil, ""},
	{"early-hint", 0, false, Refused, nil, ""},
	{"normalize-uri", 0, false, Refused, nil, ""},
	{"redirect", 0, false, Done, actionRedirect, "answer with a redirect; the target is literal"},
	{"reject", 0, false, Refused, nil, ""},
	{"replace-header", 0, false, Refused, nil, ""},
	{"replace-path", 0, false, Refused, nil, ""},
	{"replace-pathq", 0, false, Refused, nil, ""},
	{"replace-uri", 0, false, Refused, nil, ""},
	{"replace-value", 0, false, Refused, nil, ""},
	{"return", 0, false, Refused, nil, ""},
	{"sc-inc-gpc", 0, false, Refused, nil, ""},
	{"sc-inc-gpc0", 0, false, Refused, nil, ""},
	{"sc-inc-gpc1", 0, false, Refused, nil, ""},
	{"sc-set-gpt", 0, false, Refused, nil, ""},
	{"sc-set-gpt0", 0, false, Refused, nil, ""},
	{"send-spoe-group", 0, false, Refused, nil, ""},
	{"set-dst", 0, false, Refused, nil, ""},
	{"set-dst-port", 0, false, Refused, nil, ""},
	{"set-header", 0, false, Done, actionSetHeader, "replace a header; the value is literal"},
	{"set-log-level", 0, false, Refused, nil, ""},
	{"set-map", 0, false, Refused, nil, ""},
	{"set-mark", 0, false, Refused, nil, ""},
	{"set-method", 0, false, Refused, nil, ""},
	{"set-nice", 0, false, Refused, nil, ""},
	{"set-path", 0, false, Refused, nil, ""},
	{"set-pathq", 0, false, Refused, nil, ""},
	{"set-priority-class", 0, false, Refused, nil, ""},
	{"set-priority-offset", 0, false, Refused, nil, ""},
	{"set-query", 0, false, Refused, nil, ""},
	{"set-src", 0, false, Refused, nil, ""},
	{"set-src-port", 0, false, Refused, nil, ""},
	{"set-timeout", 0, false, Refused, nil, ""},
	{"set-tos", 0, false, Refused, nil, ""},
	{"set-uri", 0, false, Refused, nil, ""},
	{"set-var", 0, false, Done, actionSetVar, "give a variable the value of a sample expression"},
	{"set-var-fmt", 0, false, Refused, nil, ""},
	{"silent-drop", 0, false, Refused, nil, ""},
	{"strict-mode", 0, false, Refused, nil, ""},
	{"tarpit", 0, false, Refused, nil, ""},
	{"track-sc0", 0, false, Refused, nil, "no stick tables yet"},
	{"track-sc1", 0, false, Refused, nil, "no stick tables yet"},
	{"track-sc2", 0, false, Refused, nil, "no stick tables yet"},
	{"unset-var", 0, false, Done, actionUnsetVar, "unset a variable"},
	{"use-service", 0, false, Refused, nil, ""},
	{"wait-for-body", 0, false, Refused, nil, ""},
	{"wait-for-handshake", 0, false, Refused, nil, ""},
}

// httpResponseActions are the actions of chapter 4.2, http-response.
var httpResponseActions = []keyword[*ruleLine]{
	{"add-acl", 0, false, Refused, nil, ""},
	{"add-header", 0, false, Done, actionAddHeader, "append a header; the value is literal"},
	{"allow", 0, false, Done, actionAllow, "end the rules"},
	{"cache-store", 0, false, Refused, nil, ""},
	{"capture", 0, false, Refused, nil, ""},
	{"del-acl", 0, false, Refused, nil, ""},
	{"del-header", 0, false, Done, actionDelHeader, "remove a header"},
	{"del-map", 0, false, Refused, nil, ""},
	{"deny", 0, false, Done, actionDeny, "answer with an error instead, 502 by default"},
	{"redirect", 0, false, Done, actionRedirect, "answer with a redirect instead"},
	{"replace-header", 0, false, Refused, nil, ""},
	{"replace-value", 0, false, Refused, nil, ""},
	{"return", 0, false, Refused, nil, ""},
	{"sc-inc-gpc", 0, false, Refused, nil, ""},
	{"sc-inc-gpc0", 0, false, Refused, nil, ""},
	{"sc-inc-gpc1", 0, false, Refused, nil, ""},
	{"sc-set-gpt", 0, false, Refused, nil, ""},
	{"sc-set-gpt0", 0, false, Refused, nil, ""},
	{"send-spoe-group", 0, false, Refused, nil, ""},
	{"set-header", 0, false, Done, actionSetHeader, "replace a header; the value is literal"},
	{"set-log-level", 0, false, Refused, nil, ""},
	{"set-map", 0, false, Refused, nil, ""},
	{"set-mark", 0, false, Refused, nil, ""},
	{"set-nice", 0, false, Refused, nil, ""},
	{"set-status", 0, false, Refused, nil, ""},
	{"set-tos", 0, false, Refused, nil, ""},
	{"set-var", 0, false, Done, actionSetVar, "give a variable the value of a sample expression"},
	{"set-var-fmt", 0, false, Refused, nil, ""},
	{"silent-drop", 0, false, Refused, nil, ""},
	{"strict-mode", 0, false, Refused, nil, ""},
	{"track-sc0", 0, false, Refused, nil, "no stick tables yet"},
	{"track-sc1", 0, false, Refused, nil, "no stick tables yet"},
	{"track-sc2", 0, false, Refused, nil, "no stick tables yet"},
	{"unset-var", 0, false, Done, actionUnsetVar, "unset a variable"},
	{"wait-for-body", 0, false, Refused, nil, ""},
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
	if a.failed {
		return nil
	}
	if r.rule.Cond == nil && slices.Contains([]spec.Action{spec.ActionAllow, spec.ActionDeny, spec.ActionRedirect}, r.rule.Action) {
		*final = true
	}
	return &r.rule
}

func actionAddHeader(r *ruleLine, a *args) { r.header(a, spec.ActionAddHeader) }

func actionSetHeader(r *ruleLine, a *args) { r.header(a, spec.ActionSetHeader) }

func (r *ruleLine) header(a *args, action spec.Action) {
	r.rule.Action = action
	if name, ok := a.next("a header name and a value"); ok && a.headerName(name) {
		r.rule.Name = name.Text
	}
	if value, ok := a.need("a header name and a value"); ok {
		r.rule.Value = a.literal(value)
	}
}

func actionDelHeader(r *ruleLine, a *args) {
	r.rule.Action = spec.ActionDelHeader
	if name, ok := a.next("a header name"); ok && a.headerName(name) {
		r.rule.Name = name.Text
	}
	if a.accept("-m") {
		if w, ok := a.next("a matching method"); ok && w.Text != "str" {
			a.fail(w, "", "'del-header -m %s' is known, not supported yet", w.Text)
		}
	}
}

func actionAllow(r *ruleLine, _ *args) { r.rule.Action = spec.ActionAllow }

// denyStatuses are those that HAProxy has a built-in page for.
var denyStatuses = []int{200, 400, 401, 403, 404, 405, 407, 408, 410, 413, 421, 422, 425, 429, 500, 501, 502, 503, 504}

func actionDeny(r *ruleLine, a *args) {
	r.rule.Action, r.rule.Status = spec.ActionDeny, 403
	if r.when == onResponse {
		r.rule.Status = 502
	}
	for a.more() {
		switch a.peek() {
		case "deny_status", "status":
			a.i++
			n, ok := a.integer("a status", 100, 599)
			if ok && !slices.Contains(denyStatuses, n) {
				a.fail(a.last(), "", "unexpected status code '%d'", n)
			}
			r.rule.Status = n
		case "content-type", "errorfile", "errorfiles", "file", "lf-file", "string", "lf-string", "hdr", "default-errorfiles":
			a.fail(a.words[a.i], "", "'%s' of deny is known, not supported yet", a.peek())
		default:
			return
		}
	}
}

func actionRedirect(r *ruleLine, a *args) {
	a.redirect(&r.rule, true)
}

// parseRedirect reads the `redirect` keyword, whose target is literal.
func parseRedirect(p *proxy, a *args) {
	rule := spec.HTTPRule{Pos: a.words[0].Pos}
	a.redirect(&rule, false)
	rule.Cond = a.cond(p, onRequest)
	if !a.failed {
		p.redirects = append(p.redirects, rule)
	}
}

// redirect reads the form, the target and the code. In http-request rules the
// target is a log-format string.
func (a *args) redirect(rule *spec.HTTPRule, format bool) {
	rule.Action, rule.Code = spec.ActionRedirect, 302
	words := []string{"location", "prefix", "scheme", "code"}
	for a.more() && a.peek() != "if" && a.peek() != "unless" {
		w, _ := a.next("")
		switch w.Text {
		case "location", "prefix", "scheme":
			target, ok := a.next("a value")
			if ok && strings.ContainsAny(target.Text, "\r\n") {
				a.fail(target, "", "a redirect cannot contain a line break")
			}
			rule.Kind = spec.RedirectKind(slices.Index(words, w.Text))
			rule.Target = target.Text
			if format {
				rule.Target = a.literal(target)
			}
		case "code":
			n, ok := a.integer("a status", 100, 599)
			if ok && !slices.Contains([]int{301, 302, 303, 307, 308}, n) {
				a.fail(a.last(), "", "unsupported HTTP code '%d' (must be one of 301, 302, 303, 307 or 308)", n)
			}
			rule.Code = n
		case "drop-query", "append-slash", "ignore-empty", "set-cookie", "clear-cookie":
			a.fail(w, "", "'%s' of redirect is known, not supported yet", w.Text)
		default:
			a.fail(w, didYouMean(w.Text, words), "redirect expects %s, not '%s'", quoted(words), w.Text)
		}
	}
	if rule.Target == "" {
		a.fail(a.last(), "redirect scheme https, for example", "redirect expects 'location', 'prefix' or 'scheme' and a value")
	}
}

// literal refuses values that are made per request. %% is a percent sign.
func (a *args) literal(w conf.Word) string {
	rest := strings.ReplaceAll(w.Text, "%%", "")
	if i := strings.IndexByte(rest, '%'); i >= 0 {
		a.fail(w, "write %% for a percent sign", "log-format variables ('%s') are known, not supported yet here", rest[i:min(i+4, len(rest))])
	}
	if strings.ContainsAny(rest, "\r\n") {
		a.fail(w, "", "a header value cannot contain a line break")
	}
	return strings.ReplaceAll(w.Text, "%%", "%")
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
