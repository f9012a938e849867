package probe

import (
	"bytes"
	"errors"
	"io"
	"net"
	"strconv"
	"strings"

	"baton/lb/health"
	"baton/lb/spec"
)

// maxResponse is how much of a response is looked at: HAProxy's default tune.bufsize.
const maxResponse = 16384

// exchange sends the request and judges the response as it comes.
func exchange(c net.Conn, h *spec.HTTPCheck) health.Result {
	if _, err := c.Write(request(h)); err != nil {
		return exchangeFailure(err)
	}
	buf := make([]byte, maxResponse)
	for n := 0; ; {
		m, err := c.Read(buf[n:])
		n += m
		eof := errors.Is(err, io.EOF)
		if err != nil && !eof {
			return exchangeFailure(err)
		}
		if r, done := judge(buf[:n], eof || n == len(buf), h); done {
			return r
		}
	}
}

// request writes the request as HAProxy does: names in lower case, and `connection:
// close` where the version's default is another.
func request(h *spec.HTTPCheck) []byte {
	var b bytes.Buffer
	b.WriteString(h.Method + " " + h.URI + " " + h.Version + "\r\n")
	connection := false
	for _, f := range h.Headers {
		name := strings.ToLower(f.Name)
		switch name {
		case "content-length", "transfer-encoding":
			continue // the body decides
		case "connection":
			connection = true
		}
		b.WriteString(name + ": " + f.Value + "\r\n")
	}
	switch {
	case h.Body != "", h.Method == "POST", h.Method == "PUT", h.Method == "PATCH":
		b.WriteString("content-length: " + strconv.Itoa(len(h.Body)) + "\r\n")
	}
	if !connection && h.Version != "HTTP/1.0" {
		b.WriteString("connection: close\r\n")
	}
	b.WriteString("\r\n" + h.Body)
	return b.Bytes()
}

// judge looks at what has come; last means that nothing more will. done is false
// while more could change the verdict.
func judge(b []byte, last bool, h *spec.HTTPCheck) (r health.Result, done bool) {
	p, ok := parse(b)
	switch {
	case !ok:
		return health.Result{Status: health.L7Invalid}, true
	case !p.complete:
		return health.Result{Status: health.L7Invalid}, last
	}
	body, ended, ok := p.body(b[p.size:], h.Method == "HEAD")
	if !ok {
		return health.Result{Status: health.L7Invalid}, true
	}
	expect := h.Expect
	if len(expect) == 0 {
		expect = []spec.Expect{{Kind: spec.ExpectStatus, Ranges: []spec.IntRange{{Lo: 200, Hi: 399}}}}
	}
	for i := range expect {
		if r, done := judgeOne(&expect[i], &p, body, ended || last); !done || !r.Passed() {
			return r, done
		}
	}
	return health.Result{Status: health.L7OK, Code: p.status}, true
}

func judgeOne(e *spec.Expect, p *response, body []byte, ended bool) (r health.Result, done bool) {
	passed := health.Result{Status: health.L7OK}
	if e.Kind == spec.ExpectStatus {
		if within(e.Ranges, p.status) == e.Not {
			return health.Result{Status: health.L7Status, Code: p.status, Info: p.reason}, true
		}
		return passed, true
	}
	found := bytes.Contains(body, []byte(e.Text))
	switch {
	case found && e.Not:
		return health.Result{Status: health.L7Invalid, Info: "HTTP check matched unwanted content"}, true
	case found:
		return passed, true
	case !ended:
		return health.Result{}, false
	case len(body) == 0:
		return health.Result{Status: health.L7Invalid, Info: "HTTP content check could not find a response body"}, true
	case e.Not:
		return passed, true
	}
	return health.Result{Status: health.L7Invalid, Info: "HTTP content check did not match"}, true
}

func within(ranges []spec.IntRange, n int) bool {
	for _, r := range ranges {
		if r.Lo <= int64(n) && int64(n) <= r.Hi {
			return true
		}
	}
	return false
}
