package probe

import (
	"bytes"
	"strconv"
	"strings"

	"baton/lb/health"
	"baton/lb/spec"
)

// httpRequest writes the request as HAProxy does: names in lower case, and
// `connection: close` where the version's default is another.
func (x *exchange) httpRequest(h *spec.CheckRequest) []byte {
	uri, _ := x.text(&h.URI)
	body, _ := x.text(&h.Body)
	var b bytes.Buffer
	if len(uri) == 0 {
		uri = []byte("/")
	}
	b.WriteString(h.Method + " ")
	b.Write(uri)
	b.WriteString(" " + h.Version + "\r\n")
	connection := false
	for i := range h.Headers {
		name := strings.ToLower(h.Headers[i].Name)
		switch name {
		case "content-length", "transfer-encoding":
			continue // the body decides
		case "connection":
			connection = true
		}
		value, _ := x.text(&h.Headers[i].Value)
		if value = oneLine(value); len(value) > 0 {
			b.WriteString(name + ": " + string(value) + "\r\n")
		}
	}
	if x.plan.SendState && x.target.Facts != nil {
		b.WriteString("x-haproxy-server-state: " + x.target.Facts.State() + "\r\n")
	}
	switch {
	case len(body) > 0, h.Method == "POST", h.Method == "PUT", h.Method == "PATCH":
		b.WriteString("content-length: " + strconv.Itoa(len(body)) + "\r\n")
	}
	if !connection && h.Version != "HTTP/1.0" {
		b.WriteString("connection: close\r\n")
	}
	b.WriteString("\r\n")
	b.Write(body)
	return b.Bytes()
}

// oneLine keeps what a sample says from adding header lines.
func oneLine(value []byte) []byte {
	if i := bytes.IndexAny(value, "\r\n"); i >= 0 {
		return value[:i]
	}
	return value
}

// judgeHTTP judges an HTTP response.
func (x *exchange) judgeHTTP(s *spec.CheckStep, last bool) (health.Result, verdict) {
	b, e := x.buf[:x.n], s.Expect
	p, ok := parse(b)
	switch {
	case !ok:
		return health.Result{Status: health.L7Invalid}, failed
	case !p.complete && last:
		return health.Result{Status: health.L7Invalid}, failed
	case !p.complete:
		return health.Result{}, undecided
	}
	body, ended, ok := p.body(b[p.size:], x.head)
	if !ok {
		return health.Result{Status: health.L7Invalid}, failed
	}
	ended = ended || last
	if x.plan.DisableOn404 && p.status == 404 {
		return health.Result{Status: health.L7OKConditional, Code: p.status}, failed
	}
	if e.Kind <= spec.ExpectFullHeader {
		if x.headHolds(e, &p) == e.Not {
			return x.failure(s, p.status, p.reason), failed
		}
		return x.success(s, p.status), met
	}
	if len(body) < e.MinRecv && !ended {
		return health.Result{}, undecided
	}
	found, problem := x.find(e, body)
	switch {
	case problem != "":
		return health.Result{Status: health.L7Invalid, Info: problem}, failed
	case found && e.Not:
		return x.failure(s, p.status, "HTTP check matched unwanted content"), failed
	case found:
		return x.success(s, p.status), met
	case !ended && e.MinRecv == spec.AnyLength:
		return health.Result{}, undecided
	case len(body) == 0:
		return x.failure(s, p.status, "HTTP content check could not find a response body"), failed
	case e.Not:
		return x.success(s, p.status), met
	}
	return x.failure(s, p.status, "HTTP content check did not match"), failed
}

// headHolds looks for what e wants of status and headers.
func (x *exchange) headHolds(e *spec.Expect, p *response) bool {
	switch e.Kind {
	case spec.ExpectStatus:
		return within(e.Ranges, p.status)
	case spec.ExpectStatusRegex:
		return e.Regex.MatchString(strconv.Itoa(p.status))
	}
	for _, f := range p.fields {
		if !x.matches(e.Name, f.name, true) {
			continue
		}
		if e.Value == nil {
			return true
		}
		if e.Kind == spec.ExpectFullHeader {
			if x.matches(e.Value, f.value, false) {
				return true
			}
			continue
		}
		for part := range strings.SplitSeq(f.value, ",") {
			if x.matches(e.Value, strings.TrimSpace(part), false) {
				return true
			}
		}
	}
	return false
}

func (x *exchange) matches(m *spec.HeaderMatch, got string, fold bool) bool {
	if m.How == spec.HeaderRegex {
		return m.Regex.MatchString(got)
	}
	b, _ := x.text(&m.Text)
	want := string(b)
	if fold {
		got, want = strings.ToLower(got), strings.ToLower(want)
	}
	switch m.How {
	case spec.HeaderBegin:
		return strings.HasPrefix(got, want)
	case spec.HeaderEnd:
		return strings.HasSuffix(got, want)
	case spec.HeaderContain:
		return strings.Contains(got, want)
	}
	return got == want
}

func within(ranges []spec.IntRange, n int) bool {
	for _, r := range ranges {
		if r.Lo <= int64(n) && int64(n) <= r.Hi {
			return true
		}
	}
	return false
}
