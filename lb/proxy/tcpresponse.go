package proxy

import (
	"io"

	"baton/internal/mono"
	"baton/lb/engine"
	"baton/lb/http1"
	"baton/lb/sample"
	"baton/lb/spec"
)

// tcp-response content: rules on what a server says first, in mode http on each response.

// inspectResponse runs the backend's rules over what the server sends first, until they
// have a verdict, the delay is over, there is no more room, or no more will come. What
// the client sends goes on to the server meanwhile; the client gets nothing. It reports
// false when the session is over.
func (s *tcpSession) inspectResponse(t *engine.Task) bool {
	b, d := s.link.backend, &s.down
	if len(b.answer) == 0 {
		return true
	}
	limits := tunnelLimits(s.fe, b)
	deadline := after(t.Now(), b.Spec.ResInspectDelay)
	final := b.Spec.ResInspectDelay == 0
	for {
		busy, err := s.up.step(t.Loop())
		if err != nil {
			s.end = upEnd(err).termination()
			return false
		}
		if s.up.done {
			d.src.ShutdownWrite()
		}
		if d.failed == nil {
			switch err := d.gather(t.Loop()); err {
			case nil:
			case io.EOF:
				d.ended = true
			default:
				d.failed = errSource
			}
		}
		c := s.resCtx()
		c.Final = final || d.ended || d.failed != nil || d.w == maxHead
		f := s.firm()
		switch s.w.judge(b.answer, c, &f) {
		case accepted:
			return true
		case undecided:
			if busy {
				t.Yield()
				continue
			}
			final = s.awaitMore(t, limits, deadline)
			if s.end.who == 'c' {
				return false
			}
			continue
		case severed:
			s.sever(t)
			return false
		case dropped:
			vanish(s.client, f.ttl)
			s.came.cut = true // no FIN either
			s.end = termination{'P', 'R'}
		default:
			s.end = termination{'P', 'D'}
		}
		b.Denied.Add(1)
		d.moved += int64(d.w - d.r) // as in HAProxy, the log counts what has come
		return false
	}
}

// awaitMore waits for bytes of either side; it reports true when nothing more is to be
// waited for: the delay is over or the server has fallen silent. s.end tells that the
// client has.
func (s *tcpSession) awaitMore(t *engine.Task, limits idle, deadline mono.Time) (final bool) {
	client, server := after(t.Now(), limits.client), after(t.Now(), limits.server)
	if s.up.done {
		client = mono.Never
	}
	src, dst := s.up.wants()
	if t.Wait2(s.client, src, s.link.conn, dst|engine.ToRead, min(deadline, client, server)) == nil {
		return false
	}
	switch {
	case deadline <= min(client, server):
	case server <= client:
		s.down.failed = errSilent
	default:
		s.end = clientSilent.termination()
	}
	return true
}

// sever ends the server's connection at once; the client gets what has come.
func (s *tcpSession) sever(t *engine.Task) {
	d := &s.down
	s.link.conn.FD().ResetOnClose()
	s.link.closeConn()
	if s.client.Write(t, d.buf.B[d.r:d.w], nil, after(t.Now(), s.fe.Spec.Timeouts.Client)) != nil {
		s.end = termination{'C', 'D'}
		return
	}
	d.moved += int64(d.w - d.r)
	d.r = d.w
}

// resCtx is what expressions look at once the server may speak.
func (s *tcpSession) resCtx() *sample.Ctx {
	c, k := s.ctx(), &s.link
	c.In, c.Out = sample.Channel{}, sample.Channel{End: s.down.ended}
	if s.down.buf != nil {
		c.Out.B = s.down.buf.B[s.down.r:s.down.w]
	}
	c.Server = sample.Conn{Src: k.conn.LocalAddr(), Dst: k.site.addr}
	c.Target = &k.server.facts
	c.Vars[sample.ScopeReq], c.Vars[sample.ScopeRes] = nil, &s.resVars
	return c
}

// applyAnswerRules runs the rules on a response whose head is there: nothing is waited
// for. It reports false when a rule has ended the exchange.
func (s *httpSession) applyAnswerRules(t *engine.Task) bool {
	x, b := s.x, s.x.backend
	for i := range b.answerHead {
		r := &b.answerHead[i]
		c := s.resCtx()
		if r.cond != nil && !r.cond(c) {
			continue
		}
		switch r.Action {
		case spec.ActionAllow:
			return true
		case spec.ActionClose:
			x.severed, x.res.KeepAlive = true, false
			return true
		case spec.ActionReject, spec.ActionSilentDrop:
			b.Denied.Add(1)
			x.keep, x.end, x.responded = false, termination{'P', 'D'}, 0
			x.down.moved = int64(x.down.w) // as in HAProxy, the log counts what has come
			if r.Action == spec.ActionSilentDrop {
				x.end.phase, s.cut = 'R', true
				vanish(s.client, r.Number)
			}
			x.link.closeConn()
			return false
		default:
			s.act(t, r, c, true, b.Counters)
		}
	}
	return true
}

// sever ends the server's connection where a rule wants that; the client has got what
// had come of the response.
func (s *httpSession) sever() {
	x := s.x
	if !x.down.ended {
		x.keep, x.end = false, termination{'S', 'D'}
		s.cut = x.res.Framing == http1.UntilClose
	}
	if x.up.open() {
		x.keep, s.linger = false, true
	}
	x.link.conn.FD().ResetOnClose()
	x.link.closeConn()
}
