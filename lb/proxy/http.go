package proxy

import (
	"bytes"
	"io"
	"net/netip"

	"baton/internal/mono"
	"baton/lb/engine"
	"baton/lb/http1"
	"baton/lb/logfmt"
	"baton/lb/sample"
	"baton/lb/spec"
	"baton/lb/userlist"
)

// maxHead bounds a message head: a buffer, less the room for what rules and
// forwarding add (HAProxy's tune.bufsize less tune.maxrewrite).
const maxHead = engine.BufferSize - 1024

// httpSession is one client connection in mode http: one exchange after the
// other. Between two of them it holds no buffer.
type httpSession struct {
	w        *Worker
	fe       *Frontend
	client   *engine.Conn
	src      netip.AddrPort // the client, as rules have set it for this exchange
	peer     netip.AddrPort // and as it came
	came     arrival
	accepted mono.Time
	ended    mono.Time // of the last exchange
	served   int       // exchanges so far
	linger   bool      // the client may not have sent all when it got its last answer
	cut      bool      // the last answer came short, and only a reset can tell

	waits bool // for a request, holding nothing
	place int  // in Worker.clients

	vars sample.Vars // of the scope sess
	raw  *tcpSession // what the present request was before it was one; nil: it always was

	in *engine.Buffer // what the client sent: the head of the present request, and what follows
	n  int            // in.B[:n] is valid
	x  *exchange      // nil between exchanges

	last *Server   // of the last exchange
	own  *idleConn // http-reuse never: the connection of the last exchange; nil: none
}

// exchange is one request and its response.
type exchange struct {
	edits    edits // what rules did to the request's head
	resEdits edits
	backend  *Backend
	link     link
	up, down flow

	start     mono.Time      // the request's first byte was there, or, without any, the connection
	waited    mono.Time      // what went before start: the connection, or the end of the last exchange
	parsed    mono.Time      // its head was complete; 0: never
	responded mono.Time      // the response's head was complete; 0: never
	status    int            // -1: nothing was answered
	sent      int64          // bytes to the client before the flow's
	uploaded  int64          // request bytes to the server before the flow's
	bodyIn    int            // bytes of in that belong to the request's body
	keep      bool           // the client's connection goes on after this exchange
	told      bool           // a 100 response has told the client to send its body
	silent    bool           // not logged (monitor)
	noRetry   bool           // a rule has forbidden another try
	severed   bool           // a rule wants the server's connection to end with what has come
	lenient   bool           // a rewrite that fails changes nothing
	hinting   bool           // Worker.hint holds a 103 response that is being made
	dst       netip.AddrPort // as a rule has set it
	affinity  affinity
	auth      userlist.Asker
	logLevel  spec.LogLevel
	lastRule  *spec.HTTPRule // that ended an evaluation of rules; nil: none did
	bad       bool           // there is no valid request line to log
	logged    bool           // before its end (option logasap)
	end       termination

	txnVars, reqVars, resVars sample.Vars
	number                    uint32         // streams of the process before this one, where the log wants it
	uniqueID                  []byte         // empty: none was made
	asked                     []byte         // the request line as it came, where rules have written the head anew
	source                    netip.AddrPort // ours towards the server, where the log wants it
	captures                  captures

	res *http1.Message // nil until the server speaks: the one used last is still in the cache
	req http1.Message  // last: it is large
}

func (w *Worker) newHTTP(c *engine.Conn, from netip.AddrPort, fe *Frontend, bind *spec.Bind) *httpSession {
	var s *httpSession
	if n := len(w.https); n > 0 {
		s = w.https[n-1]
		w.https = w.https[:n-1]
	} else {
		s = &httpSession{w: w}
	}
	s.fe, s.client, s.src, s.accepted = fe, c, from, w.Loop.Now()
	s.served, s.linger, s.cut, s.waits = 0, false, false, false
	s.came.reset(bind)
	w.clients.add(s)
	return s
}

// Run is the session from its first byte to its last.
func (s *httpSession) Run(t *engine.Task) {
	if !s.admitted(t) {
		s.finish()
		return
	}
	s.serve(t)
}

// serve is the session once its client is let in.
func (s *httpSession) serve(t *engine.Task) {
	for s.exchange(t) {
		if s.n > 0 {
			t.Yield() // pipelined requests take turns with other clients
		}
	}
	if s.linger {
		s.drainClient(t)
	}
	s.finish()
}

// admitted runs the rules on the connection and reads its PROXY header.
func (s *httpSession) admitted(t *engine.Task) bool {
	f := firm{fe: s.fe, came: &s.came, client: s.client, src: &s.src, vars: &s.vars, session: s}
	if !s.w.admits(s.fe.connection, &f) {
		s.cut = true
		return false
	}
	s.w.countSession(s.fe)
	return s.introduced(t) && s.w.admits(s.fe.session, &f)
}

// introduced reads the PROXY header of a connection that has to begin with one.
func (s *httpSession) introduced(t *engine.Task) bool {
	if !s.came.expectsProxy() {
		return true
	}
	buf, from, to, ok := s.w.readProxy(t, s.client, s.fe, &s.came, &s.src)
	if buf != nil {
		s.in, s.n = buf, copy(buf.B[:], buf.B[from:to])
	}
	s.accepted = t.Now() // a handshake is no part of the request's time
	s.cut = s.came.cut
	return ok
}

// Abort frees what a panic left behind.
func (s *httpSession) Abort() {
	if s.x != nil {
		s.x.link.abandon()
		s.x.link.closeConn()
		s.endExchange()
	}
	s.finish()
}

func (s *httpSession) finish() {
	if s.in != nil {
		s.w.Loop.Put(s.in)
		s.in, s.n = nil, 0
	}
	if s.own != nil {
		s.own.close()
	}
	s.w.clients.remove(s)
	part(s.client, s.fe, s.cut)
	s.w.end(s.fe, s.fe.places[s.came.bind])
	s.fe, s.client, s.last = nil, nil, nil
	s.vars.Reset()
	s.w.https = append(s.w.https, s)
}

// exchange serves one request; it reports whether the connection goes on.
func (s *httpSession) exchange(t *engine.Task) bool {
	if !s.awaitRequest(t) {
		return false
	}
	s.beginExchange(t)
	if s.readHead(t) {
		s.handle(t)
		s.step(t.Now(), logfmt.TxnClose)
	} else {
		s.log(t.Now(), logfmt.SessError, nil, nil)
	}
	keep := s.x.keep
	s.account()
	s.endExchange()
	s.raw = nil
	s.served++
	s.ended = t.Now()
	return keep
}

// awaitRequest waits for the first bytes of a request without holding anything, and
// reads those of a later one.
func (s *httpSession) awaitRequest(t *engine.Task) bool {
	if s.n > 0 {
		return true // pipelined behind the last request
	}
	to := &s.fe.Spec.Timeouts
	if s.served == 0 {
		// readHead owns the first request's timeout: it has an answer for it.
		return true
	}
	if s.w.set.unawaits.Load() && !s.fe.Spec.HTTP.IdleStays {
		return false
	}
	deadline := after(t.Now(), orTimeout(to.HTTPKeepAlive, to.HTTPRequest, to.Client))
	for {
		if s.awaitBytes(t, deadline) != nil {
			return false
		}
		// The socket may be marked readable without being it: a body that ended where
		// its read ended leaves it so. Nothing has been asked then.
		s.in = s.w.Loop.Get()
		n, err := s.client.TryRead(s.in.B[:maxHead])
		if n > 0 {
			s.n = n
			return true
		}
		s.w.Loop.Put(s.in)
		s.in = nil
		if err != nil {
			return false
		}
	}
}

// awaitBytes waits for the client while nothing of it is held: the wait that a stop ends.
func (s *httpSession) awaitBytes(t *engine.Task, deadline mono.Time) error {
	s.waits = true
	err := s.client.Await(t, deadline)
	s.waits = false
	return err
}

func (s *httpSession) beginExchange(t *engine.Task) {
	s.x, s.peer = s.w.getExchange(), s.src
	s.x.req.Lenient = s.fe.Spec.HTTP.LenientRequests
	s.x.start, s.x.waited = t.Now(), s.ended
	if s.served == 0 {
		s.x.start, s.x.waited = s.accepted, s.accepted
	}
	if s.raw == nil {
		s.x.number = s.w.set.countStream()
		s.x.captures.begin(s.fe.Spec)
	} else {
		s.inherit()
	}
	s.x.status = -1
	s.x.end = termination{'-', '-'}
}

// readHead reads and parses the request's head. Where that fails it has answered
// and set the exchange's end.
func (s *httpSession) readHead(t *engine.Task) bool {
	x := s.x
	to := &s.fe.Spec.Timeouts
	// `timeout http-request` bounds the whole head, counted from the connection or
	// from the first byte of a later request; without it the client's inactivity counts.
	deadline := after(x.start, to.HTTPRequest)
	for {
		if s.n > 0 {
			switch st := x.req.ParseRequest(s.in.B[:s.n]); {
			case st == http1.Done && x.req.HeadLen <= maxHead:
				x.parsed = t.Now()
				return true
			case st != http1.NeedMore || s.n >= maxHead:
				s.refuse(t, x.req.Reason.Status(), termination{'P', 'R'})
				return false
			}
		}
		if deadline == mono.Never && to.Client > 0 {
			deadline = t.Now().Add(to.Client)
		}
		if s.in == nil {
			if err := s.awaitBytes(t, deadline); err != nil {
				s.refuse(t, 408, termination{'c', 'R'})
				return false
			}
			s.in = s.w.Loop.Get()
		}
		// The room beyond maxHead is for what rules add, however much the client sends.
		n, err := s.client.TryRead(s.in.B[s.n:maxHead])
		if n == 0 && err == nil {
			if s.n == 0 { // who has not begun holds no buffer
				s.w.Loop.Put(s.in)
				s.in = nil
				continue
			}
			n, err = s.client.Read(t, s.in.B[s.n:maxHead], deadline)
		}
		switch {
		case err == engine.ErrTimeout:
			s.refuse(t, 408, termination{'c', 'R'})
			return false
		case err == io.EOF && s.n > 0:
			s.refuse(t, 400, termination{'C', 'R'})
			return false
		case err != nil: // nothing was asked, or nobody is there to be answered
			x.bad = true
			x.status = 400
			x.end = s.unread(termination{'C', 'R'})
			x.silent = s.n == 0 && (s.fe.Spec.DontLogNull || s.served > 0 || s.w.set.draining.Load() || s.fe.Spec.Mode == spec.TCP)
			return false
		}
		if s.n == 0 {
			x.start = t.Now()
		}
		s.n += n
		if to.HTTPRequest == 0 {
			deadline = mono.Never
		}
	}
}

// unread is how the log calls the end of a request that could not be read: in mode tcp all
// of them are what it expected of the client.
func (s *httpSession) unread(end termination) termination {
	if s.fe.Spec.Mode == spec.TCP {
		return termination{'P', 'R'}
	}
	return end
}

// refuse answers a request that could not be read; the connection ends.
func (s *httpSession) refuse(t *engine.Task, status int, end termination) {
	x := s.x
	x.bad, x.keep, x.end, x.status = true, false, s.unread(end), status
	x.silent = s.n == 0 && status == 408 && s.fe.Spec.DontLogNull
	s.fe.Errors.Add(1)
	if s.n == 0 && s.fe.Spec.HTTP.IgnoreProbes {
		x.silent = x.silent || s.fe.Spec.DontLogNull
		return
	}
	page := s.page(status)
	if page != nil && page.Reply != nil {
		page = nil // made of a request, and there is none
	}
	if page != nil && page.Message == "" {
		s.linger = true
		return
	}
	buf := s.w.Loop.Get()
	msg := http1.AppendEarlyError(buf.B[:0], status)
	if page != nil {
		msg = append(buf.B[:0], page.Message...)
	}
	s.lastWords(t, msg)
	s.w.Loop.Put(buf)
}

// handle serves a request whose head is there.
func (s *httpSession) handle(t *engine.Task) {
	x, fe := s.x, s.fe
	fe.Requests.Add(1)
	s.w.countRate(&fe.requestRate)
	s.captureRequest()
	if fe.Spec.UniqueID != nil {
		s.makeUniqueID()
	}
	s.frameBody()
	if x.up.garbled { // nothing of it reaches a server
		s.refuse(t, 400, termination{'P', 'R'})
		return
	}
	monitored := fe.Spec.MonitorURI != "" && s.isMonitor()
	if !monitored { // nothing at all is logged of those
		if s.raw == nil {
			s.step(t.Now(), logfmt.TxnAccept)
		}
		s.step(t.Now(), logfmt.TxnRequest)
	}
	// What follows a CONNECT was meant for the tunnel, also when there is none.
	x.keep = x.req.KeepAlive && x.req.Method != http1.MethodConnect && fe.Spec.ConnMode != spec.Close && !s.w.set.draining.Load()
	s.refuseH2C()
	if s.raw == nil && !s.applyContentRules(t, &fe.Spec.Common, fe.requestContent, fe.Counters) {
		x.bad = true // as in HAProxy, whose parser has not seen it yet
		return
	}
	if monitored {
		s.monitor(t)
		return
	}
	if fe.Spec.HTTP.BufferBody && !s.wholeBody(t) {
		return
	}
	if !s.applyRequestRules(t, fe.request, fe.redirects, fe.Counters) {
		return
	}
	if !s.plainNames(fe.Spec.HTTP.HeaderNames) {
		s.reply(t, 403, termination{'P', 'R'})
		return
	}
	b := fe.Default
	switch {
	case s.raw != nil && s.raw.toward != nil:
		b = s.raw.toward
	case len(fe.switches) > 0:
		if !s.settle(t) { // they see what rules did to the head
			return
		}
		for again := true; again; again = s.w.verify(t, &x.auth) {
			b = s.w.route(fe, s.asking())
		}
	}
	if !s.routable(b) {
		return
	}
	if b == nil {
		s.reply(t, 503, termination{'S', 'C'})
		return
	}
	x.backend, x.link.backend = b, b
	b.Conns.Add(1)
	b.Sessions.Add(1)
	s.w.countRate(&b.sessionRate)
	if !s.applyContentRules(t, &b.Spec.Common, b.requestContent, b.Counters) {
		return
	}
	if b.Spec.HTTP.BufferBody && !s.wholeBody(t) {
		return
	}
	if !s.applyRequestRules(t, b.request, b.redirects, b.Counters) {
		return
	}
	if !s.plainNames(b.Spec.HTTP.HeaderNames) {
		s.reply(t, 403, termination{'P', 'R'})
		return
	}
	if name := b.Spec.HTTP.NameHeader; name != "" {
		s.strike(name)
	}
	if connMode(fe, b) == spec.Close {
		x.keep = false
	}
	if len(b.useServers) > 0 {
		if !s.settle(t) {
			return
		}
		for again := true; again; again = s.w.verify(t, &x.auth) {
			x.link.pin(s.w, s.asking())
		}
	}
	if b.Spec.Cookie != nil {
		if !s.settle(t) {
			return
		}
		s.readCookie(t)
		x.affinity.yield(&x.link)
	}
	s.forward(t)
}

// frameBody finds out how much of the request's body came with its head, and
// prepares the flow of the rest.
func (s *httpSession) frameBody() {
	x := s.x
	came := s.in.B[x.req.HeadLen:s.n]
	x.up = flow{src: s.client, framing: x.req.Framing}
	switch x.req.Framing {
	case http1.Length:
		x.bodyIn = int(min(x.req.ContentLength, int64(len(came))))
		x.up.left = x.req.ContentLength - int64(x.bodyIn)
		x.up.ended = x.up.left == 0
	case http1.Chunked:
		n, st := x.up.chunked.Scan(came)
		x.bodyIn = n
		x.up.ended = st == http1.Done
		x.up.garbled = st == http1.Bad
	default:
		x.up.ended = true
	}
	x.up.done = x.up.ended
}

// refuseH2C takes the offer to go on in HTTP/2 out of a request: a server that took
// it would get requests that no rule here sees.
func (s *httpSession) refuseH2C() {
	x := s.x
	if !x.req.ConnUpgrade {
		return
	}
	in := s.in.B[:s.n]
	for i := x.req.FindKnown(http1.Upgrade, 0); i >= 0; i = x.req.FindKnown(http1.Upgrade, i+1) {
		if v := x.req.Fields[i].Value.Of(in); bytes.HasPrefix(v, []byte("h2")) || bytes.Contains(v, []byte("h2c")) {
			x.req.ConnUpgrade = false
		}
	}
}

// endExchange gives back what the exchange held and keeps what the client sent
// ahead for the next one.
func (s *httpSession) endExchange() {
	x, l := s.x, s.w.Loop
	used := s.n
	if x.parsed > 0 {
		used = x.req.HeadLen + x.bodyIn
	}
	rest := copy(s.inBytes(), s.inBytes()[used:])
	if x.up.extra > 0 {
		// The flow read past the end of a chunked body: that is the next request.
		rest = copy(s.in.B[:], x.up.buf.B[x.up.w:x.up.w+x.up.extra])
	}
	s.n = rest
	if s.n == 0 && s.in != nil {
		l.Put(s.in)
		s.in = nil
	}
	x.up.drop(l)
	x.down.drop(l)
	if x.link.server != nil {
		s.last = x.link.server
	}
	x.link.drop()
	if x.backend != nil {
		x.backend.Conns.Add(-1)
	}
	s.w.putExchange(x)
	s.x, s.src = nil, s.peer
}

func (s *httpSession) inBytes() []byte {
	if s.in == nil {
		return nil
	}
	return s.in.B[:s.n]
}

// account adds the exchange to the counters of all that took part.
func (s *httpSession) account() {
	x := s.x
	class := -1 // nothing was answered
	if x.sent > 0 {
		class = 0
		if 100 <= x.status && x.status < 600 {
			class = x.status / 100
		}
	}
	in, out := uint64(x.uploaded+x.up.moved), uint64(x.sent+x.down.moved)
	s.fe.add(in, out, class)
	if b := x.backend; b != nil {
		b.add(in, out, class)
	}
	if srv := x.link.server; srv != nil {
		srv.BytesIn.Add(in)
		srv.BytesOut.Add(out)
	}
}

func (c *Counters) add(in, out uint64, class int) {
	c.BytesIn.Add(in)
	c.BytesOut.Add(out)
	if class >= 0 {
		c.Status[class].Add(1)
	}
}

// getExchange takes a cleared exchange; the header tables in it are not cleared,
// for they are large and guarded by their counts.
func (w *Worker) getExchange() *exchange {
	if n := len(w.exchanges); n > 0 {
		x := w.exchanges[n-1]
		w.exchanges = w.exchanges[:n-1]
		return x
	}
	x := new(exchange)
	x.req.Reset()
	x.req.OldBodies = w.set.OldBodies
	return x
}

func (w *Worker) getResponse() *http1.Message {
	if n := len(w.responses); n > 0 {
		m := w.responses[n-1]
		w.responses = w.responses[:n-1]
		m.Lenient = false
		return m
	}
	return new(http1.Message)
}

func (w *Worker) putExchange(x *exchange) {
	x.req.Reset()
	if x.res != nil {
		x.res.Reset()
		w.responses = append(w.responses, x.res)
		x.res = nil
	}
	x.edits.reset()
	x.resEdits.reset()
	x.auth.Reset()
	x.txnVars.Reset()
	x.reqVars.Reset()
	x.resVars.Reset()
	x.link.reset()
	x.up, x.down = flow{}, flow{}
	x.backend, x.lastRule, x.affinity = nil, nil, affinity{}
	x.parsed, x.responded = 0, 0
	x.sent, x.uploaded, x.bodyIn = 0, 0, 0
	x.keep, x.told, x.silent, x.bad, x.logged, x.noRetry, x.severed = false, false, false, false, false, false, false
	x.logLevel, x.dst = spec.LogLevelAsIs, netip.AddrPort{}
	x.lenient, x.hinting, x.affinity = false, false, affinity{}
	x.uniqueID, x.source = x.uniqueID[:0], netip.AddrPort{}
	x.asked = x.asked[:0]
	w.exchanges = append(w.exchanges, x)
}
