package proxy

import (
	"time"

	"baton/internal/mono"
	"baton/lb/balance"
	"baton/lb/engine"
	"baton/lb/http1"
	"baton/lb/spec"
)

// forward takes the request to a server and the response back.
func (s *httpSession) forward(t *engine.Task) {
	x := s.x
	key := balance.KeyOf(s.src.Addr())
	for fresh := s.served == 0; ; fresh = true {
		if f := s.reach(t, key, fresh); f != linked {
			s.reply(t, 503, f.termination())
			return
		}
		s.sendRequest(t)
		switch s.awaitResponse(t) {
		case gotResponse:
			s.relayResponse(t)
			return
		case wentStale:
			// The server closed an idle connection while our request was on its way. Nothing
			// of it was answered and it is idempotent: it goes again (RFC 9110 section 9.2.2).
			x.link.closeConn()
		case noResponse:
			return
		}
	}
}

// reach gets a connection to a server. As in HAProxy's `http-reuse safe` the first
// request of a client never takes one that others used: the client could not know
// that it may have to try again.
func (s *httpSession) reach(t *engine.Task, key balance.Key, fresh bool) failure {
	k := &s.x.link
	if k.server == nil {
		if f := k.assign(t, s.w, key, -1); f != linked {
			return f
		}
	}
	if !fresh {
		if c := s.w.idle[k.server.global].get(t.Loop()); c != nil {
			k.hold(s.w, c, true, t.Now())
			return linked
		}
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
	if err := x.link.conn.Write(t, head, body, after(t.Now(), x.backend.Spec.Timeouts.Server)); err != nil {
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
	dst = s.appendForwardedFor(dst)
	switch {
	case x.req.ConnUpgrade:
		dst = append(dst, "connection: upgrade\r\n"...)
	case !keepServer:
		dst = append(dst, "connection: close\r\n"...)
	case x.req.Minor == 0:
		dst = append(dst, "connection: keep-alive\r\n"...)
	}
	return append(dst, "\r\n"...)
}

// outcome is what became of the wait for a response.
type outcome uint8

const (
	gotResponse outcome = iota
	wentStale
	noResponse // the client has been answered, or is gone
)

// awaitResponse sends the rest of the request's body and reads the response's
// head into x.down's buffer.
func (s *httpSession) awaitResponse(t *engine.Task) outcome {
	x, c := s.x, s.x.link.conn
	x.res.Reset()
	x.down = flow{src: c, dst: s.client}
	got, heard := 0, false
	for {
		busy, err := x.up.step(t.Loop())
		switch err {
		case nil:
		case errDest:
			x.up.lost = true // perhaps the server says why
		case errFormat:
			return s.fail(t, 400, termination{'P', 'R'})
		default:
			return s.fail(t, -1, termination{'C', 'D'})
		}
		if c.Readable() {
			if x.down.buf == nil {
				x.down.buf = t.Loop().Get()
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
			case st == http1.Bad:
				return s.fail(t, 502, termination{'P', 'H'})
			}
			busy = busy || n > 0 // a server may send interim responses without end
		}
		if busy {
			t.Yield()
			continue
		}
		switch server, ok := s.awaitEither(t); {
		case ok:
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
	limit := x.backend.Spec.Timeouts.Server
	if !x.up.open() {
		return true, t.Wait(c, engine.ToRead, after(t.Now(), limit)) == nil
	}
	src, dst := x.up.wants()
	// A client that has asked whether to send its body waits for the server too.
	server = dst != 0 || x.unasked()
	if !server {
		limit = s.fe.Spec.Timeouts.Client
	}
	return server, t.Wait2(s.client, src, c, dst|engine.ToRead, after(t.Now(), limit)) == nil
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
			err := s.client.Write(t, head, nil, after(t.Now(), s.fe.Spec.Timeouts.Client))
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
	x := s.x
	if !heard && x.link.reused {
		whole := x.up.ended && x.up.moved == 0 // all of it was sent from the buffer we still hold
		if whole && idempotent(x.req.Method) {
			x.down.drop(t.Loop())
			return wentStale
		}
		// A client that keeps its connection open knows this race and tries again when it
		// sees a plain end (RFC 9112 section 9.3.1); an answer of ours would hide it.
		x.keep, x.end = false, termination{'S', 'H'}
		s.linger = !x.up.ended
		x.link.closeConn()
		return noResponse
	}
	return s.fail(t, 502, termination{'S', 'H'})
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

// relayResponse sends the response on: its head rewritten, its body as it comes.
func (s *httpSession) relayResponse(t *engine.Task) {
	x, l := s.x, t.Loop()
	from := x.down.buf
	got := x.down.w
	x.status = x.res.Status
	x.down = flow{src: x.link.conn, dst: s.client, framing: x.res.Framing, buf: from, r: x.res.HeadLen, w: got}
	s.frameResponse(got)
	if x.down.garbled { // nothing of it reaches the client
		x.responded = 0
		s.fail(t, 502, termination{'P', 'H'})
		return
	}
	if !s.applyResponseRules(t, x.backend.response, &x.backend.Counters) || !s.applyResponseRules(t, s.fe.response, &s.fe.Counters) {
		return
	}
	// The rest of the body goes on to a server that has answered early, but not to one
	// that takes no more, will close, or was asked whether to send it at all.
	if x.up.open() && (!x.res.KeepAlive || x.unasked()) {
		x.up.lost = true
	}
	if x.up.lost {
		x.keep = false
	}

	out := l.Get()
	head := s.appendResponse(out.B[:0])
	body := from.B[x.down.r:x.down.w]
	if len(head)+len(body) <= smallMessage {
		head, body = append(head, body...), nil
	}
	err := s.client.Write(t, head, body, after(t.Now(), s.fe.Spec.Timeouts.Client))
	l.Put(out)
	if err != nil {
		x.keep = false
		x.end = termination{'C', 'D'}
		if err == engine.ErrTimeout {
			x.end.who = 'c'
		}
		x.link.closeConn()
		return
	}
	x.sent += int64(len(head) + len(body))
	x.down.r = x.down.w
	if x.res.Framing == http1.Tunnel {
		s.tunnel(t)
		return
	}
	x.down.done = x.down.ended
	if !x.down.done || x.up.open() {
		s.relayBodies(t)
	}
	// What the client still sends must not be taken for a request, nor reset the
	// connection before it has read the answer.
	if !x.up.ended {
		x.keep, s.linger = false, true
	}
	s.releaseServer(t)
}

// frameResponse finds out how much of the body came with the head.
func (s *httpSession) frameResponse(got int) {
	x, d := s.x, &s.x.down
	came := d.buf.B[d.r:got]
	switch d.framing {
	case http1.Length:
		n := int(min(x.res.ContentLength, int64(len(came))))
		d.left = x.res.ContentLength - int64(n)
		d.ended = d.left == 0
		d.w = d.r + n
	case http1.Chunked:
		n, st := d.chunked.Scan(came)
		d.ended = st == http1.Done
		d.garbled = st == http1.Bad
		d.w = d.r + n
	case http1.NoBody:
		d.ended = true
		d.w = d.r
	}
	d.extra = got - d.w
}

// appendResponse writes the head that the client gets.
func (s *httpSession) appendResponse(dst []byte) []byte {
	x := s.x
	if x.res.Framing == http1.UntilClose || x.res.Framing == http1.Tunnel {
		x.keep = false
	}
	if s.w.set.draining.Load() {
		x.keep = false
	}
	dst = x.resEdits.appendHead(dst, x.down.buf.B[:], &x.res, hopByHop(&x.res))
	switch {
	case x.res.Framing == http1.Tunnel && x.res.Status == 101:
		dst = append(dst, "connection: upgrade\r\n"...)
	case x.res.Framing == http1.Tunnel:
	case !x.keep && x.res.Minor == 1:
		dst = append(dst, "connection: close\r\n"...)
	case x.keep && (x.req.Minor == 0 || x.res.Minor == 0):
		dst = append(dst, "connection: keep-alive\r\n"...)
	}
	return append(dst, "\r\n"...)
}

// relayBodies moves what is left of both bodies.
func (s *httpSession) relayBodies(t *engine.Task) {
	x := s.x
	switch relay(t, &x.up, &x.down, idle{client: s.fe.Spec.Timeouts.Client, server: x.backend.Spec.Timeouts.Server}, false) {
	case relayDone:
	case clientFailed, clientGarbled:
		x.end = termination{'C', 'D'}
	case serverFailed:
		x.end = termination{'S', 'D'}
	case clientSilent:
		x.end = termination{'c', 'D'}
	case serverSilent:
		x.end = termination{'s', 'D'}
	case serverGarbled:
		x.end = termination{'P', 'D'}
	}
	if !x.up.done || !x.down.done {
		x.keep = false
	}
	// Where the end of the connection ends the message, a plain one would make a part
	// pass for the whole (RFC 9112 section 8).
	s.cut = !x.down.done && x.res.Framing == http1.UntilClose
}

// tunnel relays bytes of a protocol that is not ours (101, CONNECT).
func (s *httpSession) tunnel(t *engine.Task) {
	x := s.x
	x.keep = false
	first := s.in.B[x.req.HeadLen+x.bodyIn : s.n]
	if x.up.extra > 0 { // it came behind a chunked body, all of which has gone
		first = x.up.buf.B[x.up.w : x.up.w+x.up.extra]
	}
	x.down.framing, x.down.done, x.down.ended = http1.Tunnel, false, false
	defer x.link.closeConn()
	if len(first) > 0 {
		if x.link.conn.Write(t, first, nil, after(t.Now(), x.backend.Spec.Timeouts.Server)) != nil {
			x.end = termination{'S', 'D'}
			return
		}
		x.uploaded += int64(len(first))
	}
	x.up.drop(t.Loop())
	x.up = flow{src: s.client, dst: x.link.conn, framing: http1.Tunnel}
	switch relay(t, &x.up, &x.down, tunnelLimits(s.fe, x.backend), true) {
	case relayDone:
	case clientFailed, clientGarbled:
		x.end = termination{'C', 'D'}
	case serverFailed, serverGarbled:
		x.end = termination{'S', 'D'}
	case clientSilent:
		x.end = termination{'c', 'D'}
	case serverSilent:
		x.end = termination{'s', 'D'}
	}
}

// releaseServer keeps the server's connection for the next request where both
// sides are at a message boundary, and closes it otherwise.
func (s *httpSession) releaseServer(t *engine.Task) {
	x, k := s.x, &s.x.link
	if k.conn == nil {
		return
	}
	if !x.up.done || x.up.lost || !x.down.done || x.down.extra > 0 || !x.res.KeepAlive || x.res.Framing == http1.UntilClose ||
		connMode(s.fe, x.backend) != spec.KeepAlive || k.conn.PeerShut() || !k.server.Usable() || s.w.speaks(k.conn) {
		k.closeConn()
		return
	}
	k.pool.put(t.Loop(), k.conn)
	k.conn = nil
}

// after returns now+d, or never for a limit that is not set.
func after(now mono.Time, d time.Duration) mono.Time {
	if d <= 0 {
		return mono.Never
	}
	return now.Add(d)
}
