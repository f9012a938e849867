package proxy

import (
	"time"

	"baton/lb/engine"
	"baton/lb/http1"
	"baton/lb/logfmt"
	"baton/lb/spec"
)

// relayResponse sends the response on: its head rewritten, its body as it comes.
func (s *httpSession) relayResponse(t *engine.Task) {
	x, l := s.x, t.Loop()
	from := x.down.buf
	got := x.down.w
	x.status = x.res.Status
	x.link.server.saw(sightOf(x.status))
	x.down = flow{src: x.link.conn, dst: s.client, framing: x.res.Framing, buf: from, r: x.res.HeadLen, w: got}
	s.frameResponse(got)
	if x.down.garbled { // nothing of it reaches the client
		x.responded = 0
		s.fail(t, 502, termination{'P', 'H'})
		return
	}
	s.captureResponse()
	if !s.applyAnswerRules(t) {
		return
	}
	if !s.applyResponseRules(t, x.backend.response, x.backend.Counters) || !s.applyResponseRules(t, s.fe.response, s.fe.Counters) {
		return
	}
	s.giveCookie()
	if s.blocksCookie(t) {
		return
	}
	if !s.applyAfterRules(t) {
		return
	}
	from = x.down.buf // rules may have written the head anew
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
	err := s.client.Write(t, head, body, after(t.Now(), s.clientTimeout()))
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
	s.step(t.Now(), logfmt.TxnResponse)
	if x.severed {
		s.sever()
		return
	}
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

// waitForAnswer is waitForBody for the server's response. The request's body goes on
// meanwhile: the server may wait for it. A response that ends early is relayed as far as
// it has come; one that is garbled or late is not relayed at all.
func (s *httpSession) waitForAnswer(t *engine.Task, limit time.Duration, enough int) bool {
	x, d := s.x, &s.x.down
	if d.framing == http1.Tunnel {
		return true
	}
	for until := t.Now().Add(limit); ; {
		busy, err := x.up.step(t.Loop())
		switch err {
		case nil:
		case errDest:
			x.up.lost = true // the server may answer all the same
		case errFormat:
			x.responded = 0
			s.fail(t, 400, termination{'P', 'H'})
			return false
		default:
			s.fail(t, -1, termination{'C', 'D'})
			return false
		}
		n, err := d.hoard()
		switch {
		case d.garbled:
			x.responded = 0
			s.fail(t, 502, termination{'P', 'H'})
			return false
		case err != nil:
			d.failed = err
			return true
		case d.ended, d.w >= maxHead, enough > 0 && d.w-d.r >= enough:
			return true
		case busy || n > 0:
			t.Yield()
			continue
		}
		fromClient, toServer := x.up.wants()
		if t.Wait2(s.client, fromClient, x.link.conn, toServer|engine.ToRead, until) != nil {
			x.responded = 0
			s.fail(t, 504, termination{'s', 'R'}) // as HAProxy logs it
			return false
		}
	}
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
	dst = x.resEdits.appendHead(dst, x.down.buf.B[:], x.res, hopByHop(x.res))
	switch {
	case x.res.Framing == http1.Tunnel && x.res.Status == 101:
		dst = append(dst, "connection: upgrade\r\n"...)
	case x.res.Framing == http1.Tunnel:
	case !x.keep && x.res.Minor == 1:
		dst = append(dst, "connection: close\r\n"...)
	case x.keep && (x.req.Minor == 0 || x.res.Minor == 0):
		dst = append(dst, "connection: keep-alive\r\n"...)
	}
	dst = append(dst, "\r\n"...)
	if s.fe.Spec.HTTP.AdjustToClient {
		adjustCase(dst, s.w.set.HeaderCase)
	}
	return dst
}

// relayBodies moves what is left of both bodies.
func (s *httpSession) relayBodies(t *engine.Task) {
	x := s.x
	end := relay(t, &x.up, &x.down, s.relayLimits(), false).termination()
	phase := byte('D')
	if x.up.open() || x.res.Framing == http1.UntilClose {
		phase = '-'
	}
	x.end = x.link.verdict(end, phase)
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
		if x.link.conn.Write(t, first, nil, after(t.Now(), s.serverTimeout())) != nil {
			x.end = x.link.verdict(termination{'S', 'D'}, '-')
			return
		}
		x.uploaded += int64(len(first))
	}
	x.up.drop(t.Loop())
	x.up = flow{src: s.client, dst: x.link.conn, framing: http1.Tunnel}
	x.end = x.link.verdict(relay(t, &x.up, &x.down, s.tunnelLimits(), true).termination(), '-')
}

// releaseServer keeps the server's connection for the next request where both
// sides are at a message boundary, and closes it otherwise.
func (s *httpSession) releaseServer(t *engine.Task) {
	x, k := s.x, &s.x.link
	if k.conn == nil {
		return
	}
	whole := x.up.done && !x.up.lost && x.down.done && x.down.extra == 0 && !k.conn.PeerShut()
	switch {
	case !whole:
		k.closeConn()
	case !x.res.KeepAlive || x.res.Framing == http1.UntilClose || connMode(s.fe, x.backend) != spec.KeepAlive ||
		!k.server.Usable() || k.worn() || k.marked() || k.server.varies || k.site != k.server.at.Load() || s.w.speaks(k.conn):
		k.partConn()
	case k.private():
		s.keepOwn(k)
	default:
		k.pool.put(t.Loop(), k.conn, k.site, k.served+1)
		k.conn = nil
	}
}
