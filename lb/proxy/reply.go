package proxy

import (
	"bytes"
	"strconv"
	"time"

	"baton/lb/engine"
	"baton/lb/http1"
	"baton/lb/sample"
	"baton/lb/spec"
)

// reply answers the request from here with an error page.
func (s *httpSession) reply(t *engine.Task, status int, end termination) {
	x := s.x
	x.status, x.end = status, end
	out := t.Loop().Get()
	defer t.Loop().Put(out)
	page := s.page(status)
	switch {
	case page == nil:
		s.answer(t, http1.AppendError(out.B[:0], status))
	case page.Reply != nil:
		s.send(t, page.Reply, end)
	default:
		s.sendPage(t, page)
	}
}

// sendPage answers with a page of the configuration; an empty one is a close without
// a word.
func (s *httpSession) sendPage(t *engine.Task, page *spec.ErrorPage) {
	x := s.x
	if page.Message == "" {
		x.keep = false
		s.linger = !x.up.ended
		return
	}
	out := t.Loop().Get()
	x.keep = x.keep && !page.Close
	s.answer(t, append(out.B[:0], page.Message...))
	t.Loop().Put(out)
}

// page is the configured one for a status, the backend's before the frontend's; nil: the
// built-in one serves.
func (s *httpSession) page(status int) *spec.ErrorPage {
	var p *spec.ErrorPage
	if b := s.x.backend; b != nil {
		p = spec.ErrorPageOf(b.Spec.Errors, status)
	}
	if p == nil || p.Builtin {
		p = spec.ErrorPageOf(s.fe.Spec.Errors, status)
	}
	if p == nil || p.Builtin {
		return nil
	}
	return p
}

// redirectBy answers with a new location (RFC 9110 section 15.4), unless it is empty
// and the rule says to ignore that.
func (s *httpSession) redirectBy(t *engine.Task, r *httpRule, c *sample.Ctx, response bool) verdict {
	x := s.x
	target := append(s.w.head[:0], r.Target...)
	if r.Format != nil {
		target = s.format(target[:0], r.Format, c)
	}
	s.w.head = target
	if len(target) == 0 && r.IgnoreEmpty {
		return goOn
	}
	x.status, x.end = r.Code, termination{'L', 'R'}
	if response {
		x.link.closeConn()
		x.end.phase, x.responded = 'H', 0 // see finishWith
	}
	out := t.Loop().Get()
	b := append(out.B[:0], "HTTP/1.1 "...)
	b = appendInt(b, r.Code)
	b = append(b, ' ')
	b = append(b, http1.StatusText(r.Code)...)
	b = append(b, "\r\ncontent-length: 0\r\n"...)
	b = append(b, "location: "...)
	in := s.inBytes()
	switch r.Kind {
	case spec.RedirectLocation:
		b = append(b, target...)
	case spec.RedirectPrefix:
		if string(target) != "/" {
			b = append(b, target...)
		}
		b = s.appendOldPath(b, r)
	case spec.RedirectScheme:
		b = append(b, target...)
		b = append(b, "://"...)
		b = append(b, x.req.HostValue(in)...)
		b = s.appendOldPath(b, r)
	}
	b = append(b, "\r\n"...)
	if r.Code == 302 || r.Code == 303 || r.Code == 307 {
		b = append(b, "cache-control: no-cache\r\n"...)
	}
	if r.Cookie != "" {
		b = append(b, "set-cookie: "...)
		b = append(b, r.Cookie...)
		b = append(b, "\r\n"...)
	}
	b = append(b, "\r\n"...)
	s.answer(t, b)
	t.Loop().Put(out)
	return answered
}

// appendOldPath appends the request's path and query as drop-query and append-slash
// leave them.
func (s *httpSession) appendOldPath(b []byte, r *httpRule) []byte {
	path := s.x.req.PathAndQuery(s.inBytes())
	if !r.DropQuery {
		return append(b, path...)
	}
	path, _, _ = bytes.Cut(path, questionMark)
	b = append(b, path...)
	if r.AppendSlash && !bytes.HasSuffix(path, []byte("/")) {
		b = append(b, '/')
	}
	return b
}

func appendInt(b []byte, n int) []byte { return strconv.AppendInt(b, int64(n), 10) }

// isMonitor compares the target with monitor-uri: the path with its query, or the
// whole target where the configured one is no path.
func (s *httpSession) isMonitor() bool {
	x, uri := s.x, s.fe.Spec.MonitorURI
	in := s.in.B[:s.n]
	if uri[0] == '/' {
		return string(x.req.PathAndQuery(in)) == uri
	}
	return string(x.req.Target.Of(in)) == uri
}

// monitor answers a load balancer in front of us; it is never logged.
func (s *httpSession) monitor(t *engine.Task) {
	x := s.x
	x.silent = true
	status := 200
	ctx := s.ctx()
	for _, dead := range s.fe.monitor {
		if dead(ctx) {
			status = 503
			break
		}
	}
	s.reply(t, status, termination{'L', 'R'})
}

// answer sends a complete response made here. head ends with the body.
func (s *httpSession) answer(t *engine.Task, msg []byte) {
	x := s.x
	if !x.up.ended {
		x.keep = false // the rest of the request's body would be taken for a request
	}
	msg = s.applyAfter(t, msg)
	headLen := http1.HeadLength(msg)
	// The connection header goes in front of the empty line. A page may be HTTP/1.0,
	// which closes unless told otherwise.
	old := msg[len("HTTP/1.")] == '0'
	var line string
	switch {
	case !x.keep && !old:
		line = "connection: close\r\n"
	case x.keep && (old || x.req.Minor == 0):
		line = "connection: keep-alive\r\n"
	}
	if line != "" {
		msg = append(msg, line...)
		copy(msg[headLen-2+len(line):], msg[headLen-2:])
		copy(msg[headLen-2:], line)
		headLen += len(line)
	}
	if s.fe.Spec.HTTP.AdjustToClient {
		adjustCase(msg[:headLen], s.w.set.HeaderCase)
	}
	if x.req.Method == http1.MethodHead {
		msg = msg[:headLen]
	}
	if !x.keep {
		s.lastWords(t, msg)
		return
	}
	if s.client.Write(t, msg, nil, after(t.Now(), s.clientTimeout())) != nil {
		x.keep = false
	}
	x.sent += int64(len(msg))
}

// lingerFor bounds how long a closing connection is read from.
const lingerFor = time.Second

// lastWords sends a final response. If the client may still be sending, the session
// lingers afterwards.
func (s *httpSession) lastWords(t *engine.Task, msg []byte) {
	if s.client.Write(t, msg, nil, after(t.Now(), s.clientTimeout())) != nil {
		return
	}
	s.x.sent += int64(len(msg))
	s.linger = !s.x.up.ended || s.x.parsed == 0
}

// drainClient reads and throws away what a client goes on sending after its last
// answer: closing a socket with unread bytes makes the kernel send RST, and a client
// that gets that may never see the answer (RFC 9112 section 9.6).
func (s *httpSession) drainClient(t *engine.Task) {
	s.client.ShutdownWrite()
	for until := t.Now().Add(lingerFor); t.Now() < until; t.Yield() {
		if s.client.Await(t, until) != nil {
			return
		}
		buf := t.Loop().Get()
		_, err := s.client.TryRead(buf.B[:])
		t.Loop().Put(buf)
		if err != nil {
			return
		}
	}
}
