package proxy

import (
	"bytes"
	"time"

	"baton/lb/balance"
	"baton/lb/engine"
	"baton/lb/http1"
	"baton/lb/sample"
	"baton/lb/spec"
)

// key is what the backend's algorithm hashes of a request. It is taken once, before a
// server is chosen: what is in the buffer may be gone when a server is tried again.
// It reports false when the request had to be answered on the way.
func (s *httpSession) key(t *engine.Task) (k balance.Key, ok bool) {
	x := s.x
	c := &x.backend.Spec.Balance
	switch c.Algorithm {
	case spec.SourceHash:
		return balance.AddrKey(c, s.src.Addr()), true
	case spec.ByURI:
		in := s.in.B[:s.n]
		target := x.req.Target.Of(in)
		var path []byte
		if x.req.Path.Len > 0 {
			path = in[x.req.Path.Off : x.req.Target.Off+x.req.Target.Len]
		}
		return balance.KeyOf(c, balance.URI(c, target, path)), true
	case spec.ByParam:
		return s.paramKey(t, c)
	case spec.ByExpr:
		if !s.settle(t) {
			return balance.Key{}, false
		}
		return exprKey(s.ctx(), c), true
	case spec.ByHeader:
		if !s.settle(t) {
			return balance.Key{}, false
		}
		v := s.firstValue(c.Name)
		if len(v) == 0 {
			break
		}
		if c.DomainOnly {
			v = balance.Domain(v)
		}
		return balance.KeyOf(c, v), true
	}
	return balance.Key{}, true
}

// exprKey is the key of `balance hash`; without a sample there is none.
func exprKey(ctx *sample.Ctx, c *spec.Balance) balance.Key {
	v, ok := c.Expr.Eval(ctx)
	if !ok {
		return balance.Key{}
	}
	return balance.KeyOf(c, ctx.AsBytes(v))
}

// firstValue returns the first comma-separated value of the first header of that
// name, which is in lower case as in the buffer; empty: there is none.
func (s *httpSession) firstValue(name string) []byte {
	in := s.in.B[:s.n]
	for i := range s.x.req.N {
		f := &s.x.req.Fields[i]
		if f.Known != http1.Removed && string(f.Name.Of(in)) == name {
			v, _, _ := bytes.Cut(f.Value.Of(in), comma)
			return bytes.TrimSpace(v)
		}
	}
	return nil
}

var (
	comma        = []byte{','}
	questionMark = []byte{'?'}
)

// paramKey looks in the query and, with check_post, in the body of a POST. A client
// that waits to be told to send its body is not kept waiting.
func (s *httpSession) paramKey(t *engine.Task, c *spec.Balance) (k balance.Key, ok bool) {
	x := s.x
	_, query, _ := bytes.Cut(x.req.Target.Of(s.in.B[:s.n]), questionMark)
	if v, found := balance.Param(query, c.Name); found {
		return balance.KeyOf(c, v), true
	}
	if !c.CheckPost || x.req.Method != http1.MethodPost || x.unasked() {
		return balance.Key{}, true
	}
	if !s.bufferBody(t) {
		return balance.Key{}, false
	}
	body := s.in.B[x.req.HeadLen : x.req.HeadLen+x.bodyIn]
	if x.req.Framing == http1.Chunked {
		body, _, _ = http1.CutChunk(body)
	}
	if v, found := balance.Param(body, c.Name); found {
		return balance.KeyOf(c, v), true
	}
	return balance.Key{}, true
}

// wholeBody is bufferBody for a client that may wait to be told to send (option
// http-buffer-request).
func (s *httpSession) wholeBody(t *engine.Task) bool { return s.tellToSend(t) && s.bufferBody(t) }

// tellToSend tells a client that waits for a 100 response to go on; the server is not
// asked any more then.
func (s *httpSession) tellToSend(t *engine.Task) bool {
	x := s.x
	if x.unasked() {
		const goOn = "HTTP/1.1 100 Continue\r\n\r\n"
		out := t.Loop().Get()
		err := s.client.Write(t, append(out.B[:0], goOn...), nil, after(t.Now(), s.clientTimeout()))
		t.Loop().Put(out)
		if err != nil {
			s.fail(t, -1, termination{'C', 'R'})
			return false
		}
		x.told, x.sent, x.req.Expect100 = true, x.sent+int64(len(goOn)), false
		for i := x.req.FindKnown(http1.Expect, 0); i >= 0; i = x.req.FindKnown(http1.Expect, i+1) {
			x.req.Fields[i].Known = http1.Removed
		}
	}
	return true
}

// waitForBody follows the action of that name: it waits for the body, or for enough of
// it, no longer than limit; what has not come then is relayed as ever.
func (s *httpSession) waitForBody(t *engine.Task, limit time.Duration, enough int) bool {
	if !s.tellToSend(t) {
		return false
	}
	x := s.x
	for until := t.Now().Add(limit); !x.up.ended && s.n < maxHead && (enough == 0 || x.bodyIn < enough); {
		n, err := s.client.Read(t, s.in.B[s.n:maxHead], until)
		if err == engine.ErrTimeout {
			s.incomplete(t, 408, termination{'c', 'R'})
			return false
		}
		if err != nil {
			s.brokenOff()
			return false
		}
		s.n += n
		if s.frameBody(); x.up.garbled {
			s.incomplete(t, 400, termination{'P', 'R'})
			return false
		}
	}
	return true
}

// bufferBody waits until all of the request's body is in the buffer, or no more fits.
// It reports false when the request had to be refused.
func (s *httpSession) bufferBody(t *engine.Task) bool {
	x := s.x
	to := &s.fe.Spec.Timeouts
	deadline := after(x.start, to.HTTPRequest)
	for !x.up.ended && s.n < maxHead {
		until := deadline
		if to.HTTPRequest == 0 {
			until = after(t.Now(), to.Client)
		}
		n, err := s.client.Read(t, s.in.B[s.n:maxHead], until)
		if err == engine.ErrTimeout {
			s.incomplete(t, 408, termination{'c', 'R'})
			return false
		}
		if err != nil {
			s.brokenOff()
			return false
		}
		s.n += n
		s.frameBody()
		if x.up.garbled {
			s.incomplete(t, 400, termination{'P', 'R'})
			return false
		}
	}
	return true
}

// incomplete answers a request whose head is known and whose body does not come.
func (s *httpSession) incomplete(t *engine.Task, status int, end termination) {
	s.x.keep, s.x.parsed = false, 0 // the log counts a request as received with its body
	s.reply(t, status, end)
}

// brokenOff ends a request whose body will not come any more: as in HAProxy the client
// gets no answer.
func (s *httpSession) brokenOff() {
	s.x.keep, s.x.parsed, s.x.end = false, 0, termination{'C', 'R'}
}
