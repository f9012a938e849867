package proxy

import (
	"time"

	"baton/internal/mono"
	"baton/lb/balance"
	"baton/lb/engine"
	"baton/lb/http1"
	"baton/lb/logfmt"
	"baton/lb/spec"
)

// forward takes the request to a server and the response back.
func (s *httpSession) forward(t *engine.Task) {
	x := s.x
	x.link.from, x.link.authority, x.link.dst, x.link.uniqueID = s.src, s.came.authority, x.dst, x.uniqueID
	if x.backend.Spec.AbortOnClose {
		x.link.guard = engine.Guard{Conn: s.client, Half: true}
		x.link.guard.Arm(t)
	}
	key, ok := s.key(t)
	if !ok {
		return
	}
	if f := s.chooseServer(t, key); f != linked {
		s.unreached(t, f)
		return
	}
	if s.redirectToServer(t) {
		return
	}
	for again := false; ; again = true {
		if f := s.reach(t, key, again); f != linked {
			s.unreached(t, f)
			return
		}
		if s.fe.needs&logfmt.NeedSource != 0 {
			s.x.source = s.x.link.conn.LocalAddr()
		}
		s.step(t.Now(), logfmt.TxnConnect)
		s.sendRequest(t)
		switch o := s.awaitResponse(t); {
		case o == gotResponse && !s.retryStatus():
			s.relayResponse(t)
			return
		case o == wentStale:
			// The server closed an idle connection while our request was on its way. Nothing
			// of it was answered and it is idempotent: it goes again (RFC 9110 section 9.2.2).
			x.link.closeConn()
		case o == noResponse:
			return
		default:
			if f := s.retry(t, key); f != linked {
				s.unreached(t, f)
				return
			}
		}
	}
}

// unreached ends an exchange that got no server, with an answer unless the client has
// gone.
func (s *httpSession) unreached(t *engine.Task, f failure) {
	if f == leftQueue || f == leftConnect || f == killedEarly {
		s.x.keep, s.x.end = false, s.x.link.verdict(f.termination(), '-')
		return
	}
	s.reply(t, 503, f.termination())
}

// reach gets a connection to the server: a new one where the request has been out before.
func (s *httpSession) reach(t *engine.Task, key balance.Key, again bool) failure {
	k := &s.x.link
	if !again && s.idle(t) {
		return linked
	}
	return k.connect(t, s.w, key, s.client)
}

// sendRequest writes the head and what came of the body. A failure shows when the
// response is read: a server may answer and close before it has read everything.
func (s *httpSession) sendRequest(t *engine.Task) {
	x := s.x
	buf := t.Loop().Get()
	head := s.appendRequest(buf.B[:0])
	body := s.in.B[x.req.HeadLen : x.req.HeadLen+x.bodyIn]
	if len(head)+len(body) <= smallMessage {
		head, body = append(head, body...), nil
	}
	x.up.dst, x.up.lost = x.link.conn, false
	if err := x.link.conn.Write(t, head, body, after(t.Now(), s.serverTimeout())); err != nil {
		x.up.lost = true
	} else {
		x.uploaded = int64(len(head) + len(body))
	}
	t.Loop().Put(buf)
}

// smallMessage is how long a message may be to be copied together for one plain
// write, which costs less than a gathered one.
const smallMessage = 4096

// appendRequest writes the head that the server gets.
func (s *httpSession) appendRequest(dst []byte) []byte {
	x := s.x
	keepServer := connMode(s.fe, x.backend) == spec.KeepAlive
	dst = x.edits.appendHead(dst, s.in.B[:s.n], &x.req, hopByHop(&x.req))
	fe, be := &s.fe.Spec.Common, &x.backend.Spec.Common
	dst = s.appendUniqueID(dst)
	dst = s.appendAddress(dst, fe.ForwardFor, be.ForwardFor, s.src.Addr())
	if fe.HTTP.OriginalTo != nil || be.HTTP.OriginalTo != nil {
		dst = s.appendAddress(dst, fe.HTTP.OriginalTo, be.HTTP.OriginalTo, s.dst().Addr())
	}
	dst = s.appendServerName(dst)
	switch {
	case x.req.ConnUpgrade:
		dst = append(dst, "connection: upgrade\r\n"...)
	case !keepServer && !be.HTTP.PretendKeepAlive:
		dst = append(dst, "connection: close\r\n"...)
	case x.req.Minor == 0:
		dst = append(dst, "connection: keep-alive\r\n"...)
	}
	dst = append(dst, "\r\n"...)
	if be.HTTP.AdjustToServer {
		adjustCase(dst, s.w.set.HeaderCase)
	}
	return dst
}

// outcome is what became of the wait for a response.
type outcome uint8

const (
	gotResponse outcome = iota
	wentStale
	tryAgain   // retry-on names this failure
	noResponse // the client has been answered, or is gone
)

// awaitResponse sends the rest of the request's body and reads the response's
// head into x.down's buffer.
func (s *httpSession) awaitResponse(t *engine.Task) outcome {
	x, c := s.x, s.x.link.conn
	x.down = flow{src: c, dst: s.client}
	got, heard := 0, false
	for {
		busy, err := x.up.step(t.Loop())
		switch err {
		case nil:
		case errDest:
			x.up.lost = true // perhaps the server says why
		case errFormat:
			return s.fail(t, 400, termination{'P', 'H'})
		default:
			return s.fail(t, -1, termination{'C', 'D'})
		}
		if c.Readable() {
			if x.down.buf == nil {
				x.down.buf = t.Loop().Get()
			}
			if x.res == nil {
				x.res = s.w.getResponse()
				x.res.Lenient = x.backend.Spec.HTTP.LenientResponses
			}
			n, err := c.TryRead(x.down.buf.B[got:])
			got, heard = got+n, heard || n > 0
			if err != nil { // the end of the stream and a reset mean the same to the client
				return s.noAnswer(t, heard)
			}
			switch st, err := s.parseResponse(t, &got); {
			case err == engine.ErrTimeout:
				return s.fail(t, -1, termination{'c', 'H'})
			case err != nil:
				return s.fail(t, -1, termination{'C', 'H'})
			case st == http1.Done:
				return gotResponse
			case st == http1.Bad && s.mayRetry(x.backend.Spec.RetryOn.JunkResponse):
				return tryAgain
			case st == http1.Bad:
				return s.fail(t, 502, termination{'P', 'H'})
			}
			busy = busy || n > 0 // a server may send interim responses without end
		}
		if busy {
			t.Yield()
			continue
		}
		if x.link.guard.Over() && !x.up.open() {
			if x.link.guard.Failed() {
				return s.fail(t, -1, termination{'C', 'D'})
			}
			return s.fail(t, 400, termination{'C', 'H'}) // as HAProxy does
		}
		switch server, ok := s.awaitEither(t); {
		case ok:
		case server && s.mayRetry(x.backend.Spec.RetryOn.ResponseTimeout):
			return tryAgain
		case server:
			return s.fail(t, 504, termination{'s', 'H'})
		default:
			return s.fail(t, 408, termination{'c', 'H'})
		}
	}
}

// awaitEither waits for the response, or for what the upload needs. Where that takes
// too long (ok is false), server tells whose fault it is.
func (s *httpSession) awaitEither(t *engine.Task) (server, ok bool) {
	x, c := s.x, s.x.link.conn
	limit, since := s.serverTimeout(), t.Now()
	if x.backend.Spec.Independent {
		since = x.link.connected // what is sent to the server is no sign of its life
	}
	if !x.up.open() {
		return true, t.Wait(c, engine.ToRead, after(since, limit)) == nil
	}
	src, dst := x.up.wants()
	// A client that has asked whether to send its body waits for the server too.
	server = dst != 0 || x.unasked()
	if !server {
		limit, since = s.clientTimeout(), t.Now()
	}
	return server, t.Wait2(s.client, src, c, dst|engine.ToRead, after(since, limit)) == nil
}

// unasked reports whether the client waits for a 100 response before it sends its
// body, of which nothing has come.
func (x *exchange) unasked() bool {
	return x.req.Expect100 && !x.told && x.bodyIn == 0 && x.up.moved == 0 && x.up.open()
}

// parseResponse parses what has been read, passing interim responses on
// (RFC 9110 section 15.2). NeedMore with a full buffer is Bad. The error is that of
// the client, which did not take an interim response.
func (s *httpSession) parseResponse(t *engine.Task, got *int) (http1.State, error) {
	x, b := s.x, s.x.down.buf
	for *got > 0 {
		st := x.res.ParseResponse(b.B[:*got], x.req.Method)
		switch {
		case st == http1.NeedMore && *got >= maxHead:
			return http1.Bad, nil
		case st != http1.Done:
			return st, nil
		case x.res.Status == 101 && (!x.req.ConnUpgrade || x.up.open()):
			return http1.Bad, nil // nobody asked to switch, or not yet
		case x.res.Status >= 200, x.res.Status == 101:
			x.responded = t.Now()
			x.down.w = *got
			return http1.Done, nil
		}
		if x.req.Minor > 0 { // RFC 9110 15.2: never to a 1.0 client
			out := t.Loop().Get()
			head := append(x.res.AppendHead(out.B[:0], b.B[:*got], http1.HopByHop), "\r\n"...)
			err := s.client.Write(t, head, nil, after(t.Now(), s.clientTimeout()))
			t.Loop().Put(out)
			if err != nil {
				return http1.Bad, err
			}
			x.sent += int64(len(head))
			x.told = x.told || x.res.Status == 100
		}
		*got = copy(b.B[:], b.B[x.res.HeadLen:*got])
		x.res.Reset()
	}
	return http1.NeedMore, nil
}

// noAnswer decides what a connection that ended before a response means; heard says
// that some bytes had come.
func (s *httpSession) noAnswer(t *engine.Task, heard bool) outcome {
	x, on := s.x, &s.x.backend.Spec.RetryOn
	if s.mayRetry(!heard && on.EmptyResponse || heard && on.JunkResponse) {
		return tryAgain
	}
	if x.link.killed != 0 && x.up.open() {
		return s.fail(t, -1, x.link.verdict(termination{'S', 'H'}, '-'))
	}
	if !heard && x.link.served > 0 {
		whole := x.up.ended && x.up.moved == 0 // all of it was sent from the buffer we still hold
		if whole && idempotent(x.req.Method) && x.link.killed == 0 {
			x.down.drop(t.Loop())
			return wentStale
		}
		// A client that keeps its connection open knows this race and tries again when it
		// sees a plain end (RFC 9112 section 9.3.1); an answer of ours would hide it.
		x.keep, x.end = false, x.link.verdict(termination{'S', 'H'}, 'H')
		s.linger = !x.up.ended
		x.link.closeConn()
		return noResponse
	}
	return s.fail(t, 502, x.link.verdict(termination{'S', 'H'}, 'H'))
}

func idempotent(m http1.Method) bool {
	switch m {
	case http1.MethodGet, http1.MethodHead, http1.MethodOptions, http1.MethodPut, http1.MethodDelete, http1.MethodTrace:
		return true
	}
	return false
}

// fail ends the exchange without the server: the client gets status, or nothing
// where it is -1.
func (s *httpSession) fail(t *engine.Task, status int, end termination) outcome {
	x := s.x
	if status >= 500 {
		x.link.server.RespErrs.Add(1)
		x.link.server.saw(sightOfEnd(end))
	}
	x.link.closeConn()
	if status < 0 {
		x.keep, x.end = false, end
		return noResponse
	}
	if status < 500 {
		x.keep = false // what is left of the request cannot be skipped
	}
	s.reply(t, status, end)
	return noResponse
}

// after returns now+d, or never for a limit that is not set.
func after(now mono.Time, d time.Duration) mono.Time {
	if d <= 0 {
		return mono.Never
	}
	return now.Add(d)
}
