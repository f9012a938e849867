package proxy

import (
	"net/netip"

	"baton/internal/mono"
	"baton/lb/balance"
	"baton/lb/engine"
	"baton/lb/http1"
	"baton/lb/logfmt"
	"baton/lb/sample"
	"baton/lb/spec"
	"baton/lb/userlist"
)

// tcpSession is one connection in mode tcp.
type tcpSession struct {
	w        *Worker
	fe       *Frontend
	client   *engine.Conn
	src      netip.AddrPort
	came     arrival
	accepted mono.Time

	link     link
	up, down flow
	end      termination

	switched bool         // a rule or the backend wants it to go on in HTTP
	toward   *Backend     // that does; nil: there will be rules to choose one
	http     *httpSession // that serves it now; nil: none

	vars                      sample.Vars // of the scope sess
	auth                      userlist.Asker
	txnVars, reqVars, resVars sample.Vars

	sent     bool        // the client has sent all: seen while its first bytes were inspected
	gone     termination // it failed or fell silent meanwhile; zero: it did not
	logLevel spec.LogLevel
	captures captures
	uniqueID []byte         // empty: none was made
	lastRule *spec.HTTPRule // as in an exchange

	number uint32         // as in an exchange
	source netip.AddrPort // as in an exchange
	logged bool
}

func (w *Worker) newTCP(c *engine.Conn, from netip.AddrPort, fe *Frontend, bind *spec.Bind) *tcpSession {
	var s *tcpSession
	if n := len(w.tcps); n > 0 {
		s = w.tcps[n-1]
		w.tcps = w.tcps[:n-1]
	} else {
		s = &tcpSession{w: w}
	}
	s.fe, s.client, s.src, s.accepted = fe, c, from, w.Loop.Now()
	s.end = termination{'-', '-'}
	s.number, s.source, s.logged = w.set.countStream(), netip.AddrPort{}, false
	s.sent, s.gone, s.logLevel, s.lastRule, s.switched = false, termination{}, spec.LogLevelAsIs, nil, false
	s.came.reset(bind)
	s.up.src = c
	s.captures.begin(fe.Spec)
	s.uniqueID = s.uniqueID[:0]
	return s
}

// Run is the session from its first byte to its log line.
func (s *tcpSession) Run(t *engine.Task) {
	if !s.admitted(t) {
		s.leave()
		return
	}
	s.serve(t)
	if s.switched {
		s.upgrade(t)
		return
	}
	s.finish(t.Now())
}

// admitted runs the rules on the connection and reads its PROXY header.
func (s *tcpSession) admitted(t *engine.Task) bool {
	f := s.firm()
	if !s.w.admits(s.fe.connection, &f) {
		s.came.cut = true
		return false
	}
	s.w.countSession(s.fe)
	return (!s.came.expectsProxy() || s.introduced(t)) && s.w.admits(s.fe.session, &f)
}

// introduced reads the PROXY header of the connection. What came behind it is the
// first that the server gets.
func (s *tcpSession) introduced(t *engine.Task) bool {
	buf, from, to, ok := s.w.readProxy(t, s.client, s.fe, &s.came, &s.src)
	if buf != nil {
		s.up.buf, s.up.r, s.up.w = buf, from, to
	}
	s.accepted = t.Now() // a handshake is no part of the session's time
	return ok
}

// Abort frees what a panic left behind.
func (s *tcpSession) Abort() {
	if s.http != nil {
		s.http.Abort()
		s.http = nil
		s.retire()
		return
	}
	s.link.abandon()
	s.finish(s.w.Loop.Now())
}

func (s *tcpSession) serve(t *engine.Task) {
	k := &s.link
	s.step(t.Now(), logfmt.TxnAccept)
	if !s.inspect(t, &s.fe.Spec.Common, s.fe.content, s.fe.Counters) {
		return
	}
	if !s.switched {
		k.backend = s.backend(t)
	}
	if b := k.backend; s.switched || b != nil && b.Spec.Mode == spec.HTTP {
		s.switched, s.toward, k.backend = s.gone == termination{}, b, nil
		s.end = s.gone
		return
	}
	if k.backend == nil {
		s.end = termination{'S', 'C'}
		return
	}
	k.backend.Conns.Add(1)
	k.backend.Sessions.Add(1)
	s.w.countRate(&k.backend.sessionRate)
	if !s.inspect(t, &k.backend.Spec.Common, k.backend.content, k.backend.Counters) {
		return
	}
	if s.gone != (termination{}) {
		s.end = s.gone
		return
	}
	if len(k.backend.useServers) > 0 {
		for again := true; again; again = s.w.verify(t, &s.auth) {
			k.pin(s.w, s.ctx())
		}
	}
	k.from, k.authority = s.src, s.came.authority
	if s.fe.Spec.UniqueID != nil {
		s.makeUniqueID()
	}
	k.guard = engine.Guard{Conn: s.client, Half: k.backend.Spec.AbortOnClose}
	k.guard.Arm(t)
	if b := k.backend.Spec; b.RDPCookie != "" || b.Balance.Algorithm == spec.ByRDPCookie {
		s.take()
		if k.pinned == nil {
			s.persistByRDP()
		}
	}
	if f := k.connect(t, s.w, s.key(), s.client); f != linked {
		s.end = k.verdict(f.termination(), 'C')
		return
	}

	if s.fe.needs&logfmt.NeedSource != 0 {
		s.source = k.conn.LocalAddr()
	}
	s.step(t.Now(), logfmt.TxnConnect)
	s.up.dst, s.up.framing = k.conn, http1.Tunnel
	s.down = flow{src: k.conn, dst: s.client, framing: http1.Tunnel}
	if s.inspectResponse(t) {
		s.end = relay(t, &s.up, &s.down, tunnelLimits(s.fe, k.backend), true).termination()
	}
	s.end = k.verdict(s.end, '-')
}

// key is what the backend's algorithm hashes.
func (s *tcpSession) key() balance.Key {
	switch c := &s.link.backend.Spec.Balance; c.Algorithm {
	case spec.SourceHash:
		return balance.AddrKey(c, s.src.Addr())
	case spec.ByExpr:
		return exprKey(s.ctx(), c)
	case spec.ByRDPCookie:
		if v, ok := s.ctx().RDPCookie(c.Name); ok {
			return balance.KeyOf(c, v)
		}
	}
	return balance.Key{}
}

// backend follows use_backend, then default_backend.
func (s *tcpSession) backend(t *engine.Task) *Backend {
	for {
		if b := s.w.route(s.fe, s.ctx()); !s.w.verify(t, &s.auth) {
			return b
		}
	}
}

// ctx is what expressions look at.
func (s *tcpSession) ctx() *sample.Ctx {
	c := &s.w.ctx
	s.auth.Open = nil // what others have left open does not count
	c.Session, c.Auth = s, &s.auth
	s.came.describe(&c.Client, s.src, s.client)
	c.Req, c.Res, c.Server = sample.Message{}, sample.Message{}, sample.Conn{}
	c.Frontend, c.Backend, c.Target = &s.fe.facts, nil, nil
	c.In, c.Out = sample.Channel{End: s.sent}, sample.Channel{}
	if s.up.buf != nil {
		c.In.B = s.up.buf.B[s.up.r:s.up.w]
	}
	if s.link.backend != nil {
		c.Backend = &s.link.backend.facts
	}
	c.FirstRequest, c.ForProxy, c.Final = false, false, true
	c.Vars = [len(c.Vars)]*sample.Vars{sample.ScopeSess: &s.vars, sample.ScopeTxn: &s.txnVars, sample.ScopeReq: &s.reqVars}
	c.UniqueID, c.ReqCaps, c.ResCaps = nil, s.captures.request, nil
	return c
}

func (s *tcpSession) finish(now mono.Time) {
	k := &s.link
	in, out := uint64(s.up.moved), uint64(s.down.moved)
	s.fe.BytesIn.Add(in)
	s.fe.BytesOut.Add(out)
	if b := k.backend; b != nil {
		b.BytesIn.Add(in)
		b.BytesOut.Add(out)
	}
	if k.server != nil {
		k.server.BytesIn.Add(in)
		k.server.BytesOut.Add(out)
	}
	s.step(now, logfmt.TxnClose)
	s.up.drop(s.w.Loop)
	s.down.drop(s.w.Loop)
	if s.end.who == 'C' && s.end.phase == 'D' && k.conn != nil && !k.conn.PeerShut() {
		// As in HAProxy the server learns that the client is gone, not only that it has
		// sent all. A server's reset comes to the client as the end.
		k.conn.FD().ResetOnClose()
	}
	k.closeConn()
	k.drop()
	if k.backend != nil {
		k.backend.Conns.Add(-1)
	}
	s.leave()
}

// leave ends the client's connection and the session with it.
func (s *tcpSession) leave() {
	part(s.client, s.fe, s.came.cut)
	s.w.end(s.fe, s.fe.places[s.came.bind])
	s.retire()
}

// retire gives the session back.
func (s *tcpSession) retire() {
	s.link.reset()
	s.up, s.down = flow{}, flow{}
	for _, v := range []*sample.Vars{&s.vars, &s.txnVars, &s.reqVars, &s.resVars} {
		v.Reset()
	}
	s.fe, s.client, s.toward = nil, nil, nil
	s.w.tcps = append(s.w.tcps, s)
}
