package haproxy

import (
	"math"
	"slices"
	"strings"

	"baton/conf"
	"baton/lb/pattern"
	"baton/lb/sample"
	"baton/lb/spec"
)

// expectLine is an expect line being read.
type expectLine struct {
	*checkLine
	step   spec.CheckStep
	expect spec.Expect
	done   bool // the kind and its pattern have been read: only options may follow
}

// httpExpectKeywords are the words after http-check expect.
var httpExpectKeywords = slices.Concat(expectOptions, []keyword[*expectLine]{
	{"fhdr", 0, false, Done, expectHeader(spec.ExpectFullHeader), "a header, its whole value; name, name-lf, value, value-lf, -m"},
	{"hdr", 0, false, Done, expectHeader(spec.ExpectHeader), "a header, its values between commas; name, name-lf, value, value-lf, -m"},
	{"rstatus", 0, false, Done, expectRegex(spec.ExpectStatusRegex), "a regular expression for the status"},
	{"rstring", 0, false, Done, expectRegex(spec.ExpectRegex), "a regular expression for the body"},
	{"status", 0, false, Done, expectStatus, "codes and ranges of codes"},
	{"string", 0, false, Done, expectText(spec.ExpectString, false, false), "a text in the body"},
	{"string-lf", 0, false, Done, expectText(spec.ExpectString, false, true), "the same made by a format"},
})

// tcpExpectKeywords are the words after tcp-check expect.
var tcpExpectKeywords = slices.Concat(expectOptions, []keyword[*expectLine]{
	{"binary", 0, false, Done, expectText(spec.ExpectBinary, true, false), "bytes, in hexadecimal digits"},
	{"binary-lf", 0, false, Done, expectText(spec.ExpectBinary, true, true), "the same made by a format"},
	{"rbinary", 0, false, Done, expectRegex(spec.ExpectBinaryRegex), "a regular expression for the answer in hexadecimal digits"},
	{"rstring", 0, false, Done, expectRegex(spec.ExpectRegex), "a regular expression for the answer"},
	{"string", 0, false, Done, expectText(spec.ExpectString, false, false), "a text in the answer"},
	{"string-lf", 0, false, Done, expectText(spec.ExpectString, false, true), "the same made by a format"},
})

// expectOptions may stand before the kind, and behind its pattern.
var expectOptions = []keyword[*expectLine]{
	{"comment", 0, false, Done, func(e *expectLine, a *args) { e.step.Comment, _ = a.comment() }, "told in the log of a failure"},
	{"error-status", 0, false, Done, expectErrorStatus, "status of a failure: L7OKC, L7RSP, L7STS, L6RSP, L4CON"},
	{"min-recv", 0, false, Done, expectMinRecv, "bytes that must have come before there is a verdict, which is then final"},
	{"ok-status", 0, false, Done, expectOKStatus, "status of a success at the end: L7OK, L7OKC, L6OK, L4OK"},
	{"on-error", 0, false, Done, expectOnError, "what the log tells of a failure: a format"},
	{"on-success", 0, false, Done, expectOnSuccess, "what the log tells of a success at the end: a format"},
	{"status-code", 0, false, Done, expectStatusCode, "the code in log and statistics: a sample expression"},
	{"tout-status", 0, false, Done, expectTimeoutStatus, "status of a timeout: L7TOUT, L6TOUT, L4TOUT"},
}

func checkExpect(r *checkLine, a *args) {
	steps := r.rules.steps
	if n := len(steps); r.http && n > 0 && steps[n-1].Connect != nil {
		a.fail(a.words[0], "put an `http-check send` between them", "'http-check expect' at step %d follows a connect without a request", r.rules.lines)
		return
	}
	table := tcpExpectKeywords
	if r.http {
		table = httpExpectKeywords
	}
	e := &expectLine{checkLine: r, expect: spec.Expect{MinRecv: spec.AnyLength}}
	for !a.failed && (a.more() || !e.done) {
		w, ok := a.next("a kind, such as 'string'")
		if !ok {
			return
		}
		if strings.HasPrefix(w.Text, "!") && !e.expect.Not && !e.done {
			e.expect.Not = true
			if w.Text = w.Text[1:]; w.Text == "" {
				continue
			}
			w.Pos.Col++
		}
		a.expectWord(table, e, w)
	}
	if !a.failed {
		e.step.Expect = &e.expect
		r.rules.add(e.step)
	}
}

func (a *args) expectWord(table []keyword[*expectLine], e *expectLine, w conf.Word) {
	k, _ := find(table, []conf.Word{w})
	option := k != nil && slices.ContainsFunc(expectOptions, func(o keyword[*expectLine]) bool { return o.name == k.name })
	switch {
	case e.done && !option:
		a.fail(w, "only options follow the pattern: put quotes round one with blanks, write a line for each of several", "unexpected argument '%s'", w.Text)
	case k == nil:
		var names []string
		for i := range table {
			names = append(names, table[i].name)
		}
		a.fail(w, didYouMean(w.Text, names), "'%s expect' does not know '%s'", a.words[0].Text, w.Text)
	case e.expect.Not && option && !e.done:
		a.fail(w, "put it before the exclamation mark", "'%s' after '!'", w.Text)
	default:
		k.run(e, a)
	}
}

func expectStatus(e *expectLine, a *args) {
	e.expect.Kind, e.done = spec.ExpectStatus, true
	w, ok := a.next("status codes")
	if !ok {
		return
	}
	for part := range strings.SplitSeq(w.Text, ",") {
		low, high, isRange := strings.Cut(part, "-")
		first, ok1 := parseInt(low, 100, 999)
		last, ok2 := first, true
		if isRange {
			last, ok2 = parseInt(high, 100, 999)
		}
		if !ok1 || !ok2 || last < first {
			a.fail(w, "codes and ranges joined by commas: 200-299,301", "'%s' is not a status code or range", part)
			return
		}
		e.expect.Ranges = append(e.expect.Ranges, spec.IntRange{Lo: int64(first), Hi: int64(last)})
	}
}

func expectText(k spec.ExpectKind, isHex, isFormat bool) func(*expectLine, *args) {
	return func(e *expectLine, a *args) {
		e.expect.Kind, e.done = k, true
		if w, ok := a.next("a text"); ok {
			e.expect.Text = a.checkText(e.p, w, isHex, isFormat)
		}
	}
}

func expectRegex(k spec.ExpectKind) func(*expectLine, *args) {
	return func(e *expectLine, a *args) {
		e.expect.Kind, e.done = k, true
		w, ok := a.next("a regular expression")
		if !ok {
			return
		}
		var err error
		if e.expect.Regex, err = pattern.CompileRegex(w.Text, false); err != nil {
			a.fail(w, "", "%s", err.Error())
		}
	}
}

// expectHeader reads `hdr name NAME [value VALUE]`.
func expectHeader(k spec.ExpectKind) func(*expectLine, *args) {
	return func(e *expectLine, a *args) {
		e.expect.Kind, e.done = k, true
		if a.peek() != "name" && a.peek() != "name-lf" {
			a.fail(a.last(), "hdr name server value nginx, for example", "'%s' expects 'name' or 'name-lf' and a header's name", a.last().Text)
			return
		}
		e.expect.Name = a.headerMatch(e.p, true)
		if a.peek() == "value" || a.peek() == "value-lf" {
			e.expect.Value = a.headerMatch(e.p, false)
		}
	}
}

var headerMethods = []string{"str", "beg", "end", "sub", "reg"}

// headerMatch reads `name|value[-lf] [-m METHOD] PATTERN`.
func (a *args) headerMatch(p *proxy, fold bool) *spec.HeaderMatch {
	w, _ := a.next("")
	m := &spec.HeaderMatch{}
	if a.accept("-m") {
		how, ok := a.next("a method")
		if !ok {
			return nil
		}
		i := slices.Index(headerMethods, how.Text)
		if i < 0 {
			a.fail(how, didYouMean(how.Text, headerMethods), "'-m' only supports %s, not '%s'", quoted(headerMethods), how.Text)
			return nil
		}
		m.How = spec.HeaderHow(i)
	}
	v, ok := a.next("a text")
	if !ok {
		return nil
	}
	isFormat := strings.HasSuffix(w.Text, "-lf")
	switch {
	case m.How != spec.HeaderRegex:
		m.Text = a.checkText(p, v, false, isFormat)
	case isFormat:
		a.fail(w, "", "'%s' cannot be a regular expression", w.Text)
	default:
		var err error
		if m.Regex, err = pattern.CompileRegex(v.Text, fold); err != nil {
			a.fail(v, "", "%s", err.Error())
		}
	}
	return m
}

func expectMinRecv(e *expectLine, a *args) {
	e.expect.MinRecv, _ = a.integer("a number of bytes", spec.AnyLength, math.MaxInt32)
}

func expectOKStatus(e *expectLine, a *args) {
	e.expect.OKStatus = a.oneOf("a status", "L7OK", "L7OKC", "L6OK", "L4OK")
}

func expectErrorStatus(e *expectLine, a *args) {
	e.expect.ErrorStatus = a.oneOf("a status", "L7OKC", "L7RSP", "L7STS", "L6RSP", "L4CON")
}

func expectTimeoutStatus(e *expectLine, a *args) {
	e.expect.TimeoutStatus = a.oneOf("a status", "L7TOUT", "L6TOUT", "L4TOUT")
}

// oneOf reads one of some words.
func (a *args) oneOf(what string, words ...string) string {
	w, ok := a.next(what)
	if ok && !slices.Contains(words, w.Text) {
		a.fail(w, didYouMean(w.Text, words), "'%s' only supports %s, not '%s'", a.words[a.i-2].Text, quoted(words), w.Text)
	}
	return w.Text
}

func expectOnSuccess(e *expectLine, a *args) {
	if w, ok := a.next("a format"); ok {
		e.expect.OnSuccess = a.checkFormat(e.p, w)
	}
}

func expectOnError(e *expectLine, a *args) {
	if w, ok := a.next("a format"); ok {
		e.expect.OnError = a.checkFormat(e.p, w)
	}
}

func expectStatusCode(e *expectLine, a *args) {
	if w, ok := a.next("a sample expression"); ok {
		e.expect.StatusCode = a.expr(e.p, w, sample.AtCheck)
	}
}
