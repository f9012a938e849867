package haproxy

import (
	"math"
	"regexp"
	"slices"
	"strings"
	"time"

	"baton/lb/http1"
	"baton/lb/logfmt"
	"baton/lb/pattern"
	"baton/lb/sample"
	"baton/lb/spec"
)

// at is where the expressions of this line are evaluated.
func (r *ruleLine) at() sample.Places { return r.p.places(r.when) }

// header reads `NAME FORMAT`.
func (r *ruleLine) header(a *args, action spec.Action) {
	r.rule.Action = action
	if name, ok := a.next("a header name and a value"); ok && a.headerName(name) {
		r.rule.Name = name.Text
	}
	r.value(a, "a header name and a value")
}

// value reads the format of what the action writes.
func (r *ruleLine) value(a *args, expects string) {
	w, ok := a.need(expects)
	if !ok {
		return
	}
	if f := a.value(r.p, w, r.at()); f != nil {
		r.write(f)
	}
}

// write makes what a format writes the action's value.
func (r *ruleLine) write(f *logfmt.Format) {
	if text, ok := f.Constant(); ok {
		r.rule.Value = text
		return
	}
	r.rule.Format = f
}

// headerMatches are the methods of `del-header NAME -m METHOD`.
var headerMatches = map[string]pattern.Method{"str": 0, "beg": pattern.Beg, "end": pattern.End, "sub": pattern.Sub, "reg": pattern.Reg}

func actionDelHeader(r *ruleLine, a *args) {
	r.rule.Action = spec.ActionDelHeader
	name, ok := a.next("a header name")
	if !ok {
		return
	}
	r.rule.Name = name.Text
	if a.accept("-m") {
		w, ok := a.next("a matching method")
		m, known := headerMatches[w.Text]
		if ok && !known {
			a.fail(w, "str, beg, end, sub or reg", "'del-header' cannot match names by '%s'", w.Text)
		}
		r.rule.Names = m
	}
	switch {
	case a.failed:
	case r.rule.Names == pattern.Reg:
		re, err := pattern.CompileRegex(name.Text, true)
		if err != nil {
			a.fail(name, "", "%v", err)
		}
		r.rule.Regexp = re
	case r.rule.Names == 0:
		a.headerName(name)
	}
}

// actionReplace reads `[NAME] REGEX FORMAT`.
func actionReplace(action spec.Action) func(*ruleLine, *args) {
	return func(r *ruleLine, a *args) {
		r.rule.Action = action
		expects := "<match-regex> and <replace-fmt>"
		if action == spec.ActionReplaceHeader || action == spec.ActionReplaceValue {
			expects = "<name>, <match-regex> and <replace-fmt>"
			if name, ok := a.need(expects); ok && a.headerName(name) {
				r.rule.Name = name.Text
			}
		}
		w, ok := a.need(expects)
		if !ok {
			return
		}
		var re *regexp.Regexp
		var err error
		if re, err = pattern.CompileRegex(w.Text, false); err != nil {
			a.fail(w, "", "%v", err)
			return
		}
		r.rule.Regexp = re
		f, ok := a.need(expects)
		if !ok {
			return
		}
		// The format leaves \1 and its like as they are: they are filled in last.
		format := a.value(r.p, f, r.at())
		if format == nil {
			return
		}
		if r.rule.Value, ok = format.Constant(); !ok {
			r.rule.Format = format
		}
	}
}

// actionSet reads one format.
func actionSet(action spec.Action, expects string) func(*ruleLine, *args) {
	return func(r *ruleLine, a *args) {
		r.rule.Action = action
		r.value(a, expects)
	}
}

func actionSetStatus(r *ruleLine, a *args) {
	r.rule.Action = spec.ActionSetStatus
	r.rule.Status, _ = a.integer("a status", 100, 999)
	if a.accept("reason") {
		if w, ok := a.next("a reason"); ok {
			r.rule.Value = w.Text
		}
	} else {
		r.rule.Value = http1.StatusText(r.rule.Status)
	}
}

func actionReturn(r *ruleLine, a *args) {
	r.rule.Action = spec.ActionReturn
	if reply, ok := a.reply(r.p, 200, r.at()); ok {
		// Without a source there is no page to look up: an answer of a status alone.
		reply.Parts = reply.Parts || reply.Page == nil && a.lastSource() == ""
		r.rule.Reply, r.rule.Status = reply, reply.Status
	}
}

func actionDeny(r *ruleLine, a *args) {
	status := 403
	if r.when == onResponse {
		status = 502
	}
	r.refusal(a, spec.ActionDeny, status)
}

func actionTarpit(r *ruleLine, a *args) { r.refusal(a, spec.ActionTarpit, 500) }

func (r *ruleLine) refusal(a *args, action spec.Action, status int) {
	r.rule.Action = action
	reply, ok := a.reply(r.p, status, r.at())
	if !ok {
		return
	}
	r.rule.Status = reply.Status
	if reply.Parts || reply.Page != nil {
		r.rule.Reply = reply
	} else if !http1.IsBuiltin(reply.Status) {
		a.fail(a.last(), "give it a page: content-type text/plain string TEXT", "unexpected status code '%d'", reply.Status)
	}
}

func actionPlain(action spec.Action) func(*ruleLine, *args) {
	return func(r *ruleLine, _ *args) { r.rule.Action = action }
}

// actionSilentDrop reads `silent-drop [rst-ttl TTL]`.
func actionSilentDrop(r *ruleLine, a *args) {
	r.rule.Action = spec.ActionSilentDrop
	if a.accept("rst-ttl") {
		r.rule.Number, _ = a.integer("a number of hops", 1, math.MaxUint8)
	}
}

func actionAuth(r *ruleLine, a *args) {
	r.rule.Action = spec.ActionAuth
	if a.accept("realm") {
		if w, ok := a.next("a realm"); ok {
			r.rule.Value = w.Text
		}
	}
	if strings.ContainsAny(r.rule.Value, "\"\\\r\n") {
		a.fail(a.last(), "", "a realm cannot contain quotes, backslashes or line breaks")
	}
}

// actionCapture reads `SAMPLE [len N | id N]`.
func actionCapture(r *ruleLine, a *args) {
	r.rule.Action = spec.ActionCapture
	if r.rule.Expr = a.exprWords(r.p, r.at()); r.rule.Expr == nil {
		return
	}
	slots := &r.p.captures.request
	if r.when == onResponse {
		slots = &r.p.captures.response
	}
	switch {
	case a.accept("len") && r.when != onResponse && r.p.kind&inFrontend != 0:
		r.rule.Len, _ = a.integer("a length", 1, math.MaxInt32)
		r.rule.Slot = len(*slots)
		*slots = append(slices.Clip(*slots), spec.Capture{Len: r.rule.Len})
	case a.accept("id"):
		r.rule.Slot, _ = a.integer("the number of a capture slot", 0, math.MaxInt32)
		if !a.failed && r.p.kind&inFrontend != 0 && r.rule.Slot >= len(*slots) {
			a.fail(a.last(), "declare it: declare capture "+map[bool]string{true: "request", false: "response"}[r.when != onResponse]+" len N",
				"there is no capture slot %d", r.rule.Slot)
		} else if !a.failed && r.rule.Slot < len(*slots) {
			r.rule.Len = (*slots)[r.rule.Slot].Len
		}
		if r.rule.Len == 0 {
			r.rule.Len = math.MaxInt32
		}
	default:
		a.fail(a.last(), "", "'capture' expects a sample and `len N` in a frontend's http-request, or `id N`")
	}
}

// parseDeclareCapture reads `declare capture request|response len N`.
func parseDeclareCapture(p *proxy, a *args) {
	w, ok := a.next("request or response")
	if !ok {
		return
	}
	if !a.accept("len") {
		a.fail(a.last(), "", "'declare capture' expects `request len N` or `response len N`")
		return
	}
	n, _ := a.integer("a length", 1, math.MaxInt32)
	switch w.Text {
	case "request":
		p.captures.request = append(slices.Clip(p.captures.request), spec.Capture{Len: n})
	case "response":
		p.captures.response = append(slices.Clip(p.captures.response), spec.Capture{Len: n})
	default:
		a.fail(w, "", "'declare capture' expects request or response, not '%s'", w.Text)
	}
}

// actionExpr reads one sample expression.
func actionExpr(action spec.Action) func(*ruleLine, *args) {
	return func(r *ruleLine, a *args) {
		r.rule.Action = action
		r.rule.Expr = a.exprWords(r.p, r.at())
	}
}

var levelNames = []string{"silent", "emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"}

func actionSetLogLevel(r *ruleLine, a *args) {
	r.rule.Action = spec.ActionSetLogLevel
	w, ok := a.next("a level")
	if i := slices.Index(levelNames, w.Text); ok && i >= 0 {
		r.rule.Level = spec.LogLevelNone + spec.LogLevel(i)
	} else if ok {
		a.fail(w, didYouMean(w.Text, levelNames), "unknown log level '%s': %s", w.Text, strings.Join(levelNames, ", "))
	}
}

// actionWaitForBody reads `time T [at-least BYTES]`.
func actionWaitForBody(r *ruleLine, a *args) {
	r.rule.Action = spec.ActionWaitForBody
	for a.more() && a.peek() != "if" && a.peek() != "unless" {
		switch w, _ := a.next(""); w.Text {
		case "time":
			r.rule.Time, _ = a.duration(time.Millisecond)
		case "at-least":
			r.rule.Len, _ = a.size("a size", 0, math.MaxInt32)
		default:
			a.fail(w, "", "'wait-for-body' expects time and at-least, not '%s'", w.Text)
		}
	}
	if r.rule.Time == 0 {
		a.fail(a.last(), "wait-for-body time 5s", "'wait-for-body' expects a time")
	}
}

// actionSetVarFmt reads `set-var-fmt(NAME[,CONDITION...]) FORMAT`.
func actionSetVarFmt(r *ruleLine, a *args) {
	r.rule.Action = spec.ActionSetVar
	r.rule.VarConds = r.variable(a)
	if w, ok := a.next("a format"); ok {
		syntax := logfmt.Syntax{HTTP: true, Value: true, Verbatim: true}
		if f := r.p.compileFormat(w, w.Text, syntax, r.at()); f != nil {
			r.write(f)
		} else {
			a.failed = true
		}
	}
}

// httpAfterActions are the actions of http-after-response.
var httpAfterActions = []keyword[*ruleLine]{
	{"add-header", 0, false, Done, actionAddHeader, "append a header"},
	{"allow", 0, false, Done, actionAllow, "end the rules"},
	{"capture", 0, false, Done, actionCapture, "keep a sample for the log"},
	{"del-acl", 0, false, Done, actionList(spec.ActionDelMap), "remove a pattern from the list of a file"},
	{"del-header", 0, false, Done, actionDelHeader, "remove headers; -m"},
	{"del-map", 0, false, Done, actionList(spec.ActionDelMap), "remove a key from the map of a file"},
	{"do-log", 0, false, Done, actionDoLog(logfmt.HTTPAfterRes), "write a log line now; profile"},
	{"replace-header", 0, false, Done, actionReplace(spec.ActionReplaceHeader), "rewrite the values of a header"},
	{"replace-value", 0, false, Done, actionReplace(spec.ActionReplaceValue), "rewrite each comma-separated value of a header"},
	{"sc-add-gpc", 0, false, Refused, nil, "no stick tables yet"},
	{"sc-inc-gpc", 0, false, Refused, nil, "no stick tables yet"},
	{"sc-set-gpt", 0, false, Refused, nil, "no stick tables yet"},
	{"set-header", 0, false, Done, actionSetHeader, "replace a header"},
	{"set-log-level", 0, false, Done, actionSetLogLevel, "the level of the log line, or silent"},
	{"set-map", 0, false, Done, actionList(spec.ActionSetMap), "give a key of a file's map a value, added where it is not there"},
	{"set-status", 0, false, Done, actionSetStatus, "another status"},
	{"set-var", 0, false, Done, actionSetVar, "give a variable the value of a sample expression"},
	{"set-var-fmt", 0, false, Done, actionSetVarFmt, "give a variable the value of a format"},
	{"strict-mode", 0, false, Done, actionStrictMode, "whether a rewrite that fails ends the exchange with 500, or changes nothing"},
	{"unset-var", 0, false, Done, actionUnsetVar, "unset a variable"},
}

func parseHTTPAfter(p *proxy, a *args) {
	pos := a.words[0].Pos
	if r := a.rule(p, httpAfterActions, onResponse, new(bool)); r != nil {
		p.common.HTTPAfter = append(p.common.HTTPAfter, *r)
	}
	p.hasRules(pos)
}
