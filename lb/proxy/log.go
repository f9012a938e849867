package proxy

import (
	"bytes"
	"time"

	"baton/internal/mono"
	"baton/lb/engine"
	"baton/lb/logfmt"
	"baton/lb/sample"
	"baton/lb/spec"
)

// The syslog levels of a session's line.
const (
	levelErr  = 3
	levelInfo = 6
)

// record starts a line's record with what both modes have.
func (w *Worker) record(fe *Frontend, client *engine.Conn, k *link, end termination, now, began mono.Time) *logfmt.Record {
	r := &w.rec
	*r = logfmt.Record{
		Date: began.Wall(), Dates: &w.dates,
		Frontend: fe.Spec.Name, HTTP: fe.Spec.Mode == spec.HTTP,
		Times:        sample.Times{Tw: -1, Tc: -1, Tr: -1, TR: -1, Total: now.Sub(began)},
		State:        [4]byte{end.who, end.phase, '-', '-'},
		ProcessConns: int(w.set.conns.Load()), FrontendConns: int(fe.Conns.Load()),
		Retries: k.retries, Redispatched: k.redispatched, BackendQueue: k.place, ServerQueue: k.ownPlace,
		Host: w.set.Host, PID: w.set.PID,
	}
	if b := k.backend; b != nil {
		// As HAProxy counts at this moment: this session has left the server.
		r.Backend, r.BackendConns = b.Spec.Name, int(b.Conns.Load())-1
	}
	if s := k.server; s != nil {
		r.Server, r.ServerConns = s.Spec.Name, int(s.Load.Load())-1
	}
	if s := k.wanted; s != nil && k.server == nil {
		r.Server, r.ServerConns = s.Spec.Name, int(s.Load.Load())
	}
	if k.site != nil {
		r.Target, r.Unix = k.site.addr, k.site.unix
	}
	if fe.needs&logfmt.NeedLocal != 0 || fe.Spec.LogFormat == spec.LogDefault {
		r.Local = client.LocalAddr()
	}
	return r
}

// since is a timer of the log: the time from one event to the next, or -1 where
// that was never reached.
func since(from, to mono.Time) time.Duration {
	if to == 0 {
		return -1
	}
	return to.Sub(from)
}

// send formats the record as the targets want it at its step and hands it to them. A
// profile goes before theirs.
func (w *Worker) send(fe *Frontend, r *logfmt.Record, set spec.LogLevel, profile *spec.LogProfile) {
	abnormal := r.Abnormal()
	if fe.Spec.DontLogNormal && !abnormal {
		return
	}
	level := levelInfo
	if fe.Spec.LogSeparateErrors && abnormal {
		level = levelErr
	}
	if set >= spec.LogLevelBase {
		level = int(set - spec.LogLevelBase)
	}
	if fe.needs&logfmt.NeedCounters != 0 {
		r.LogCount = fe.lines.Add(1) - 1
	}
	now := time.Now()
	for i := range fe.outputs {
		o := &fe.outputs[i]
		own := o.Profile
		if profile != nil {
			own = profile
		}
		format, sd := fe.Spec.Format, fe.Spec.FormatSD
		if step := own.Step(r.Origin); step != nil {
			if step.Drop {
				continue
			}
			format, sd = override(format, step.Format), override(sd, step.FormatSD)
		}
		if w.line = fe.appendLine(w.line[:0], r, format); len(w.line) == 0 {
			continue
		}
		w.data = w.data[:0]
		if sd != nil {
			w.data = sd.Append(w.data, r)
		}
		o.SendData(level, now, w.line, w.data)
	}
}

func override(f, by *logfmt.Format) *logfmt.Format {
	if by != nil {
		return by
	}
	return f
}

// appendLine follows a profile's format or else the frontend's. A session that failed
// without a format for that is only mentioned where sessions are logged at their end.
func (fe *Frontend) appendLine(dst []byte, r *logfmt.Record, f *logfmt.Format) []byte {
	sp := fe.Spec
	failed := r.Origin == logfmt.SessError
	switch {
	case f != sp.Format:
		return f.Append(dst, r)
	case failed && sp.ErrorFormat != nil:
		return sp.ErrorFormat.Append(dst, r)
	case r.Message != "":
		return logfmt.AppendError(dst, r)
	}
	switch sp.LogFormat {
	case spec.LogHTTP:
		return logfmt.AppendHTTP(dst, r)
	case spec.LogTCP:
		return logfmt.AppendTCP(dst, r)
	case spec.LogCustom:
		return f.Append(dst, r)
	}
	if failed {
		return dst
	}
	return logfmt.AppendConnect(dst, r)
}

// stepsOf are the points at which a line is due without the action do-log.
func stepsOf(sp *spec.Frontend) logfmt.Origins {
	switch {
	case sp.LogSteps != 0:
		return sp.LogSteps
	case sp.LogFormat == spec.LogDefault:
		return logfmt.Of(logfmt.TxnAccept)
	case sp.LogAsap && sp.Mode == spec.HTTP:
		return logfmt.Of(logfmt.TxnResponse, logfmt.TxnClose)
	case sp.LogAsap:
		return logfmt.Of(logfmt.TxnConnect, logfmt.TxnClose)
	}
	return logfmt.Of(logfmt.TxnClose)
}

// sessionError completes the worker's record for error-log-format: there was no
// request and no server.
func (w *Worker) sessionError(fe *Frontend, a *arrival, client *engine.Conn) {
	r, c := &w.rec, &w.ctx
	r.TR, r.Tw, r.Tc, r.Tr = -1, -1, -1, -1
	r.State = [4]byte{'P', 'R', '-', '-'}
	r.ProcessConns, r.FrontendConns = int(w.set.conns.Load()), int(fe.Conns.Load())
	r.Host, r.PID, r.Origin = w.set.Host, w.set.PID, logfmt.SessError
	if fe.needs&logfmt.NeedLocal != 0 {
		r.Local = client.LocalAddr()
	}
	if fe.needs&logfmt.NeedSample != 0 {
		a.describe(&c.Client, r.Client, client)
		c.Req, c.Res, c.Server = sample.Message{}, sample.Message{}, sample.Conn{}
		c.Frontend, c.Backend, c.Target = &fe.facts, nil, nil
		c.FirstRequest, c.ForProxy, c.Final = false, false, true
		c.UniqueID, c.ReqCaps, c.ResCaps = nil, nil, nil
		c.Vars = [len(c.Vars)]*sample.Vars{}
		c.Session, c.Auth = nil, nil
		r.Sample = c
	}
}

// logs reports whether anybody takes the frontend's lines.
func (fe *Frontend) logs() bool { return fe.Logs.Enabled(levelInfo) || fe.Logs.Enabled(levelErr) }

// step writes the exchange's line where one is due at o. With option logasap there is
// one alone.
func (s *httpSession) step(now mono.Time, o logfmt.Origin) {
	x := s.x
	if !s.fe.steps.Has(o) || x.logged {
		return
	}
	x.logged = s.fe.Spec.LogAsap && s.fe.Spec.LogSteps == 0
	s.log(now, o, nil, nil)
}

// log writes a line. ctx is what its expressions look at, nil: what is there at o.
func (s *httpSession) log(now mono.Time, o logfmt.Origin, profile *spec.LogProfile, ctx *sample.Ctx) {
	x := s.x
	if x.silent || x.logLevel == spec.LogLevelNone || !s.fe.logs() {
		return
	}
	r := s.record(now).At(o)
	if s.fe.needs&logfmt.NeedSample != 0 {
		if ctx == nil {
			ctx = s.logCtx(o)
		}
		r.Sample = ctx
	}
	s.w.send(s.fe, r, x.logLevel, profile)
}

// record tells what is known of the exchange up to now.
func (s *httpSession) record(now mono.Time) *logfmt.Record {
	x := s.x
	began := x.start
	if s.fe.Spec.Mode == spec.TCP {
		began = x.waited
	}
	r := s.w.record(s.fe, s.client, &x.link, x.end, now, began)
	r.Client = s.src
	r.State[2], r.State[3] = x.letters()
	r.Status = max(x.status, 0)
	if x.status < 0 && (x.end.who == 'P' || x.link.guard.Over()) {
		r.Status = -1 // a rule has closed the connection, or the client has
	}
	r.Times = s.times(now)
	r.UniqueID, r.RequestID, r.Source = x.uniqueID, x.number, x.source
	if !x.bad {
		c := &x.captures
		r.RequestHeaders, r.ResponseHeaders, r.RequestCookie, r.ResponseCookie = c.request, c.response, c.requestCookie, c.responseCookie
		r.Bytes, r.Uploaded = s.bytes()
		if r.Request = x.asked; len(r.Request) == 0 {
			r.Request = s.requestLine()
		}
	}
	return r
}

// requestLine is the first line of the request as rules have left it.
func (s *httpSession) requestLine() []byte {
	line, _, _ := bytes.Cut(s.in.B[s.x.req.MethodSpan.Off:s.x.req.HeadLen], crlf)
	return line
}

var crlf = []byte("\r\n")

// logCtx is what expressions in a log line look at: the messages while they are here,
// and at the end what is kept of them.
func (s *httpSession) logCtx(o logfmt.Origin) *sample.Ctx {
	c, x := &s.w.ctx, s.x
	switch o {
	case logfmt.TxnAccept, logfmt.TxnRequest, logfmt.TxnConnect:
		s.ctx()
	case logfmt.TxnResponse:
		return s.resCtx()
	default:
		s.facts(c)
		c.Req = sample.Message{}
		if !x.bad {
			in := s.in.B[:s.n]
			c.Req = sample.Message{Method: x.req.MethodSpan.Of(in), Minor: int(x.req.Minor)}
			c.Req.URI = x.req.PathAndQuery(in)
		}
		c.Vars[sample.ScopeReq], c.Vars[sample.ScopeRes] = nil, &x.resVars
	}
	if c.Backend == nil && !x.bad {
		c.Backend = c.Frontend // as in %b
	}
	if x.link.site != nil {
		c.Server = sample.Conn{Src: x.source, Dst: x.link.site.addr, HTTPMajor: 1}
	}
	if x.link.server != nil {
		c.Target = &x.link.server.facts
	}
	return c
}

// makeUniqueID follows unique-id-format.
func (s *httpSession) makeUniqueID() {
	x := s.x
	r := s.record(s.w.Loop.Now())
	r.Sample = s.ctx()
	x.uniqueID = s.fe.Spec.UniqueID.Append(x.uniqueID[:0], r)
}

// makeUniqueID follows unique-id-format for a server that is told by a PROXY header.
func (s *tcpSession) makeUniqueID() {
	now := s.w.Loop.Now()
	r := s.w.record(s.fe, s.client, &s.link, s.end, now, s.accepted)
	r.Client, r.RequestID, r.Sample = s.src, s.number, s.ctx()
	s.uniqueID = s.fe.Spec.UniqueID.Append(s.uniqueID[:0], r)
	s.link.uniqueID = s.uniqueID
}

// appendUniqueID follows unique-id-header.
func (s *httpSession) appendUniqueID(dst []byte) []byte {
	if s.fe.Spec.UniqueIDHeader == "" || len(s.x.uniqueID) == 0 {
		return dst
	}
	dst = append(dst, s.fe.Spec.UniqueIDHeader...)
	dst = append(dst, ": "...)
	dst = append(dst, s.x.uniqueID...)
	return append(dst, "\r\n"...)
}

// step is httpSession.step for a connection.
func (s *tcpSession) step(now mono.Time, o logfmt.Origin) {
	if !s.fe.steps.Has(o) || s.logged || s.logLevel == spec.LogLevelNone || !s.fe.logs() {
		return
	}
	if o == logfmt.TxnClose && s.fe.Spec.DontLogNull && s.up.moved+s.down.moved == 0 && !s.up.pending() {
		return
	}
	s.logged = s.fe.Spec.LogAsap && s.fe.Spec.LogSteps == 0
	r := s.record(now).At(o)
	if s.fe.needs&logfmt.NeedSample != 0 {
		r.Sample = s.logCtx()
	}
	s.w.send(s.fe, r, s.logLevel, nil)
}

func (s *tcpSession) record(now mono.Time) *logfmt.Record {
	r := s.w.record(s.fe, s.client, &s.link, s.end, now, s.accepted)
	r.Client = s.src
	r.Bytes, r.Uploaded = s.down.moved, s.up.moved
	r.Times = s.times(now)
	r.UniqueID, r.RequestID, r.Source, r.RequestHeaders = s.uniqueID, s.number, s.source, s.captures.request
	return r
}

// doLog is the action of a tcp-request or tcp-response rule.
func (w *Worker) doLog(r *spec.HTTPRule, c *sample.Ctx, f *firm) {
	level := spec.LogLevelAsIs
	if f.level != nil {
		level = *f.level
	}
	if level == spec.LogLevelNone || !f.fe.logs() {
		return
	}
	now := w.Loop.Now()
	var rec *logfmt.Record
	if s, ok := f.session.(*tcpSession); ok {
		rec = s.record(now)
	} else { // a connection in mode http that has no request yet
		rec = w.record(f.fe, f.client, &link{}, termination{'-', '-'}, now, now)
		rec.Client = *f.src
	}
	rec.Sample = c
	w.send(f.fe, rec.At(r.Origin), level, r.Profile)
}

// logCtx is what expressions in a log line look at.
func (s *tcpSession) logCtx() *sample.Ctx {
	c := s.ctx()
	c.Backend = c.Frontend
	if b := s.link.backend; b != nil {
		c.Backend = &b.facts
	}
	if s.link.site != nil {
		c.Server = sample.Conn{Src: s.source, Dst: s.link.site.addr}
	}
	if s.link.server != nil {
		c.Target = &s.link.server.facts
	}
	return c
}

// countStream numbers a request or connection, where some log wants to know.
func (s *Set) countStream() uint32 {
	if !s.countStreams {
		return 0
	}
	return s.streams.Add(1) - 1
}
