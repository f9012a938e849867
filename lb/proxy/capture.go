package proxy

import (
	"bytes"

	"baton/lb/http1"
	"baton/lb/spec"
)

// captures are copies of what the frontend's `capture` lines name: the messages
// are gone when the log is written.
type captures struct {
	request, response             [][]byte // by line; nil: the message had none
	requestCookie, responseCookie []byte   // name=value; empty: none
	text                          []byte   // what these point into
}

// begin makes the slots of an exchange.
func (c *captures) begin(sp *spec.Frontend) {
	c.text = c.text[:0]
	c.request, c.response = slots(c.request, len(sp.RequestHeaders)), slots(c.response, len(sp.ResponseHeaders))
	c.requestCookie, c.responseCookie = nil, nil
}

func slots(old [][]byte, n int) [][]byte {
	if n == 0 {
		return nil
	}
	if cap(old) < n {
		return make([][]byte, n)
	}
	old = old[:n]
	clear(old)
	return old
}

// keep copies at most limit bytes. Growing the text leaves earlier copies where they
// are.
func (c *captures) keep(b []byte, limit int) []byte {
	start := len(c.text)
	c.text = append(c.text, b[:min(len(b), limit)]...)
	return c.text[start:len(c.text):len(c.text)]
}

// headers fills the slots of one message: the last line of each name counts.
func (c *captures) headers(to [][]byte, lines []spec.Capture, m *http1.Message, b []byte) {
	for slot := range lines {
		if lines[slot].Name == "" { // for a rule to fill
			continue
		}
		last := -1
		for i := m.Find(b, lines[slot].Name, 0); i >= 0; i = m.Find(b, lines[slot].Name, i+1) {
			last = i
		}
		if last >= 0 {
			to[slot] = c.keep(m.Fields[last].Value.Of(b), lines[slot].Len)
		}
	}
}

func (s *httpSession) captureRequest() {
	sp, x := s.fe.Spec, s.x
	if len(sp.RequestHeaders) > 0 {
		x.captures.headers(x.captures.request, sp.RequestHeaders, &x.req, s.in.B[:s.n])
	}
	if sp.Cookie == nil {
		return
	}
	b := s.in.B[:s.n]
	for i := x.req.Find(b, "cookie", 0); i >= 0; i = x.req.Find(b, "cookie", i+1) {
		for rest := x.req.Fields[i].Value.Of(b); len(rest) > 0; {
			var pair []byte
			pair, rest, _ = bytes.Cut(rest, []byte(";"))
			if pair = bytes.Trim(pair, " \t"); bytes.HasPrefix(pair, []byte(sp.Cookie.Name)) {
				x.captures.requestCookie = x.captures.keep(pair, sp.Cookie.Len)
				return
			}
		}
	}
}

func (s *httpSession) captureResponse() {
	sp, x := s.fe.Spec, s.x
	b := x.down.buf.B[:]
	if len(sp.ResponseHeaders) > 0 {
		x.captures.headers(x.captures.response, sp.ResponseHeaders, x.res, b)
	}
	if sp.Cookie == nil {
		return
	}
	for i := x.res.Find(b, "set-cookie", 0); i >= 0; i = x.res.Find(b, "set-cookie", i+1) {
		pair, _, _ := bytes.Cut(x.res.Fields[i].Value.Of(b), []byte(";"))
		if pair = bytes.Trim(pair, " \t"); bytes.HasPrefix(pair, []byte(sp.Cookie.Name)) {
			x.captures.responseCookie = x.captures.keep(pair, sp.Cookie.Len)
			return
		}
	}
}
