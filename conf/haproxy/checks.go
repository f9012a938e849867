package haproxy

import (
	"slices"
	"strings"

	"baton/conf"
	"baton/lb/spec"
)

// checkKeywords set up HTTP health checks.
var checkKeywords = []keyword[*proxy]{
	{"http-check comment", back, false, Refused, nil, ""},
	{"http-check connect", back, false, Refused, nil, ""},
	{"http-check disable-on-404", back, false, Refused, nil, ""},
	{"http-check expect", back, false, Done, parseCheckExpect, "what the answer must hold; see the kinds"},
	{"http-check send", back, false, Done, parseCheckSend, "request line, headers and body of the check"},
	{"http-check send-state", back, false, Refused, nil, ""},
	{"http-check set-var", back, false, Refused, nil, ""},
	{"http-check unset-var", back, false, Refused, nil, ""},
	{"option httpchk", back, false, Done, optionHTTPCheck, "check by an HTTP request"},
}

// httpCheck collects the lines that make a spec.HTTPCheck. They may come in any
// order: what http-check send names goes before option httpchk.
type httpCheck struct {
	option *spec.HTTPCheck // option httpchk
	send   *spec.HTTPCheck // http-check send: empty fields are not named
	expect []spec.Expect
}

func (c httpCheck) clip() httpCheck {
	c.expect = slices.Clip(c.expect)
	return c
}

func (c httpCheck) build() *spec.HTTPCheck {
	if c.option == nil {
		return nil
	}
	out := *c.option
	out.Expect = c.expect
	if c.send == nil {
		return &out
	}
	for _, f := range []struct{ to, from *string }{
		{&out.Method, &c.send.Method},
		{&out.URI, &c.send.URI},
		{&out.Version, &c.send.Version},
		{&out.Body, &c.send.Body},
	} {
		if *f.from != "" {
			*f.to = *f.from
		}
	}
	out.Headers = slices.Concat(out.Headers, c.send.Headers)
	return &out
}

func optionHTTPCheck(p *proxy, a *args) {
	c := &spec.HTTPCheck{Method: "OPTIONS", URI: "/", Version: "HTTP/1.0"}
	switch len(a.words) - a.i {
	case 0:
	case 1:
		c.URI = a.uri()
	default:
		c.Method, c.URI = a.method(), a.uri()
		if a.more() {
			w, _ := a.next("")
			a.checkVersion(w, c)
		}
	}
	p.httpchk.option = c
}

// checkVersion reads the version and what people hid behind it before
// http-check send existed: header lines after \r\n, a body after \r\n\r\n.
func (a *args) checkVersion(w conf.Word, c *spec.HTTPCheck) {
	version, rest, hidden := strings.Cut(w.Text, "\r\n")
	c.Version = a.version(w, version)
	if !hidden {
		return
	}
	a.errs.Warnf(w.Pos, "write `http-check send hdr NAME VALUE`", "headers after the version of 'option httpchk' are deprecated")
	head, body, _ := strings.Cut(rest+"\r\n", "\r\n\r\n")
	if body != "" {
		c.Body = strings.TrimSuffix(body, "\r\n")
	}
	for line := range strings.SplitSeq(strings.TrimSuffix(head, "\r\n"), "\r\n") {
		if line == "" {
			continue
		}
		name, value, found := strings.Cut(line, ":")
		value = strings.Trim(value, " \t")
		if !found || !isToken(name) || strings.ContainsAny(value, "\r\n") {
			a.fail(w, `the form is NAME:\ VALUE, lines joined by \r\n`, "'%s' is not a header line", line)
			return
		}
		c.Headers = append(c.Headers, spec.Header{Name: name, Value: value})
	}
}

func (a *args) version(w conf.Word, version string) string {
	if version != "HTTP/1.0" && version != "HTTP/1.1" {
		a.fail(w, "HTTP/1.0 or HTTP/1.1", "unknown HTTP version '%s'", version)
	}
	return version
}

func (a *args) method() string {
	w, ok := a.next("a method")
	if ok && !isToken(w.Text) {
		a.fail(w, "", "'%s' is not a method", w.Text)
	}
	return w.Text
}

func (a *args) uri() string {
	w, ok := a.next("a URI")
	if ok && strings.ContainsFunc(w.Text, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		a.fail(w, "write %20 for a blank", "a URI cannot contain blanks or control characters")
	}
	return w.Text
}

// ownCheckRule drops inherited http-check lines before the first own one.
func (p *proxy) ownCheckRule() {
	if !p.ownCheckRules {
		p.ownCheckRules = true
		p.httpchk.send, p.httpchk.expect = nil, nil
	}
}

func parseCheckSend(p *proxy, a *args) {
	p.ownCheckRule()
	if p.httpchk.send != nil {
		a.fail(a.last(), "put everything on one line", "a sequence of 'http-check send' is known, not supported yet")
		return
	}
	c := &spec.HTTPCheck{}
	words := []string{"meth", "uri", "ver", "hdr", "body"}
	for a.more() {
		w, _ := a.next("")
		switch w.Text {
		case "meth":
			c.Method = a.method()
		case "uri":
			c.URI = a.uri()
		case "ver":
			if v, ok := a.next("a version"); ok {
				c.Version = a.version(v, v.Text)
			}
		case "hdr":
			a.checkHeader(c)
		case "body":
			if v, ok := a.next("a text"); ok {
				c.Body = v.Text
			}
		case "uri-lf", "body-lf", "comment":
			a.fail(w, "", "'%s' of http-check send is known, not supported yet", w.Text)
		default:
			a.fail(w, didYouMean(w.Text, words), "'http-check send' only supports %s, not '%s'", quoted(words), w.Text)
		}
	}
	p.httpchk.send = c
}

// checkHeader reads a name and a value. Content-Length and Transfer-Encoding are
// made from the body; HAProxy ignores them too.
func (a *args) checkHeader(c *spec.HTTPCheck) {
	name, ok := a.next("a header name and a value")
	if !ok || !a.headerName(name) {
		return
	}
	v, ok := a.next("a header value")
	if !ok {
		return
	}
	value := a.literal(v)
	if strings.EqualFold(name.Text, "Content-Length") || strings.EqualFold(name.Text, "Transfer-Encoding") {
		a.errs.Warnf(name.Pos, "remove it", "'%s' has no effect: it follows from the body", name.Text)
		return
	}
	c.Headers = append(c.Headers, spec.Header{Name: name.Text, Value: value})
}

// expectLine is an http-check expect line being read.
type expectLine struct{ spec.Expect }

// expectKeywords are the words after http-check expect [!].
var expectKeywords = []keyword[*expectLine]{
	{"comment", 0, false, Refused, nil, ""},
	{"error-status", 0, false, Refused, nil, ""},
	{"fhdr", 0, false, Refused, nil, ""},
	{"hdr", 0, false, Refused, nil, ""},
	{"min-recv", 0, false, Refused, nil, ""},
	{"ok-status", 0, false, Refused, nil, ""},
	{"on-error", 0, false, Refused, nil, ""},
	{"on-success", 0, false, Refused, nil, ""},
	{"rstatus", 0, false, Refused, nil, "write the codes: status 200-299,301"},
	{"rstring", 0, false, Refused, nil, ""},
	{"status", 0, false, Done, expectStatus, "codes and ranges of codes"},
	{"status-code", 0, false, Refused, nil, ""},
	{"string", 0, false, Done, expectString, "a text in the body"},
	{"string-lf", 0, false, Refused, nil, ""},
	{"tout-status", 0, false, Refused, nil, ""},
}

func parseCheckExpect(p *proxy, a *args) {
	p.ownCheckRule()
	e := &expectLine{}
	w, ok := a.next("a kind, such as 'status' or 'string'")
	if !ok {
		return
	}
	if strings.HasPrefix(w.Text, "!") {
		e.Not = true
		w.Text = w.Text[1:]
		w.Pos.Col++
		if w.Text == "" {
			if w, ok = a.next("a kind, such as 'status' or 'string'"); !ok {
				return
			}
		}
	}
	k, _ := find(expectKeywords, []conf.Word{w})
	if k == nil {
		var names []string
		for i := range expectKeywords {
			names = append(names, expectKeywords[i].name)
		}
		a.fail(w, didYouMean(w.Text, names), "'http-check expect' does not know '%s'", w.Text)
		return
	}
	k.run(e, a)
	if !a.failed {
		p.httpchk.expect = append(p.httpchk.expect, e.Expect)
	}
}

func expectStatus(e *expectLine, a *args) {
	e.Kind = spec.ExpectStatus
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
		e.Ranges = append(e.Ranges, spec.IntRange{Lo: int64(first), Hi: int64(last)})
	}
}

func expectString(e *expectLine, a *args) {
	e.Kind = spec.ExpectString
	if w, ok := a.next("a text"); ok {
		e.Text = w.Text
	}
}

// literal refuses values that are made anew each time. %% is a percent sign.
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
