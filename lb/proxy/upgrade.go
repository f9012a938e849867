package proxy

import (
	"baton/lb/engine"
	"baton/lb/spec"
)

// A connection of a frontend in mode tcp goes on in HTTP once a rule says so (switch-mode
// http) or its backend is in mode http (chapter 4 of the manual). What was found out about
// its first bytes holds for the first request and is not done again; on later ones the
// content rules run as in mode http. Lines of the log stay those of mode tcp, one for each
// request.

// upgrade lets an httpSession serve the client to its end, on the task of this session,
// which stays there for Abort's sake.
func (s *tcpSession) upgrade(t *engine.Task) {
	h := s.w.newHTTP(s.client, s.src, s.fe, s.came.bind)
	h.accepted, h.raw = s.accepted, s
	h.came, s.came = s.came, h.came
	h.vars, s.vars = s.vars, h.vars
	if s.up.pending() {
		h.in, h.n = s.up.buf, copy(s.up.buf.B[:], s.up.buf.B[s.up.r:s.up.w])
		s.up.buf = nil
	}
	s.up.drop(s.w.Loop)
	s.http = h
	h.serve(t)
	s.http = nil
	s.retire()
}

// inherit gives the first request what rules on its bytes have set.
func (s *httpSession) inherit() {
	raw, x := s.raw, s.x
	x.number, x.logLevel, x.lastRule = raw.number, raw.logLevel, raw.lastRule
	x.txnVars, raw.txnVars = raw.txnVars, x.txnVars
	x.reqVars, raw.reqVars = raw.reqVars, x.reqVars
	x.captures, raw.captures = raw.captures, x.captures
	x.link.options.Marks, x.link.most = raw.link.options.Marks, raw.link.most
	x.link.waiter.class, x.link.waiter.offset = raw.link.waiter.class, raw.link.waiter.offset
}

// routable reports whether the request can go to a backend, which may be none. HTTP cannot
// go to servers in mode tcp: as in HAProxy the client is told nothing, and the log
// nothing of who is at fault. A frontend in mode tcp is in the place of a backend that is
// none.
func (s *httpSession) routable(b *Backend) bool {
	mode := s.fe.Spec.Mode
	if b != nil {
		mode = b.Spec.Mode
	}
	if mode == spec.HTTP {
		return true
	}
	if b != nil {
		s.x.backend, s.x.link.backend = b, b
		b.Conns.Add(1)
		b.Sessions.Add(1)
	}
	s.x.keep, s.x.status, s.x.end = false, 500, termination{'I', 'R'}
	return false
}
