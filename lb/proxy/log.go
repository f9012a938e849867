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
		Tw: -1, Tc: -1, Tr: -1, TR: -1, Total: now.Sub(began),
		State:        [4]byte{end.who, end.phase, '-', '-'},
		ProcessConns: int(w.set.conns.Load()), FrontendConns: int(fe.Conns.Load()),
		Retries: k.retries, Redispatched: k.redispatched, BackendQueue: k.place, ServerQueue: k.ownPlace,
		Host: w.set.Host, PID: w.set.PID, Origin: logfmt.TxnClose,
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
		r.Target = k.site.addr
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

// send formats the record as the frontend wants it and hands it to the targets.
func (w *Worker) send(fe *Frontend, r *logfmt.Record, set spec.LogLevel) {
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
	switch fe.Spec.LogFormat {
	case spec.LogHTTP:
		w.line = logfmt.AppendHTTP(w.line[:0], r)
	case spec.LogTCP:
		w.line = logfmt.AppendTCP(w.line[:0], r)
	case spec.LogCustom:
		w.line = fe.Spec.Format.Append(w.line[:0], r)
	default:
		w.line = logfmt.AppendConnect(w.line[:0], r)
	}
	w.data = w.data[:0]
	if fe.Spec.FormatSD != nil {
		w.data = fe.Spec.FormatSD.Append(w.data, r)
	}
	fe.Logs.SendData(level, time.Now(), w.line, w.data)
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
	if fe.needs&logfmt.NeedCounters != 0 {
		r.LogCount = fe.lines.Add(1) - 1
	}
	if fe.needs&logfmt.NeedSample != 0 {
		c.Client = a.conn(r.Client, client)
		c.Req, c.Res, c.Server = sample.Message{}, sample.Message{}, sample.Conn{}
		c.Frontend, c.Backend, c.Target = &fe.facts, nil, nil
		c.FirstRequest, c.Final = false, true
		c.UniqueID, c.ReqCaps, c.ResCaps = nil, nil, nil
		c.Vars = [len(c.Vars)]*sample.Vars{}
		r.Sample = c
	}
}

// logs reports whether anybody takes the frontend's lines.
func (fe *Frontend) logs() bool { return fe.Logs.Enabled(levelInfo) || fe.Logs.Enabled(levelErr) }

// log writes the exchange's line, once; early: before the transfer (option logasap).
func (s *httpSession) log(now mono.Time, early bool) {
	x := s.x
	if x.silent || x.logged || x.logLevel == spec.LogLevelNone || !s.fe.logs() {
		return
	}
	x.logged = early
	r := s.record(now).At(early)
	if s.fe.needs&logfmt.NeedSample != 0 {
		r.Sample = s.logCtx(early)
	}
	s.w.send(s.fe, r, x.logLevel)
}

// record tells what is known of the exchange up to now.
func (s *httpSession) record(now mono.Time) *logfmt.Record {
	x := s.x
	r := s.w.record(s.fe, s.client, &x.link, x.end, now, x.start)
	r.Client = s.src
	if b := x.backend; b != nil {
		r.State[2], r.State[3] = x.affinity.letters(b.Spec.Cookie)
	}
	r.Status = max(x.status, 0)
	if x.status < 0 && x.end.who == 'P' {
		r.Status = -1 // a rule has closed the connection
	}
	r.Ti = x.start.Sub(x.waited)
	r.UniqueID, r.RequestID, r.Source = x.uniqueID, x.number, x.source
	if !x.bad {
		c := &x.captures
		r.RequestHeaders, r.ResponseHeaders, r.RequestCookie, r.ResponseCookie = c.request, c.response, c.requestCookie, c.responseCookie
		r.Bytes, r.Uploaded = x.sent+x.down.moved, int64(x.req.HeadLen+x.bodyIn)+x.up.moved
		r.TR = since(x.start, x.parsed)
		r.Tw = since(x.parsed, x.link.assigned)
		r.Tc = since(x.link.assigned, x.link.connected)
		r.Tr = since(x.link.connected, x.responded)
		head := s.in.B[:x.req.HeadLen]
		r.Request, _, _ = bytes.Cut(head[x.req.MethodSpan.Off:], crlf)
	}
	return r
}

var crlf = []byte("\r\n")

// logCtx is what expressions in a log line look at: what is kept of the messages. A
// response is only there in an early line.
func (s *httpSession) logCtx(early bool) *sample.Ctx {
	c, x := &s.w.ctx, s.x
	s.facts(c)
	c.Req = sample.Message{}
	if !x.bad {
		in := s.in.B[:s.n]
		c.Req = sample.Message{Method: x.req.MethodSpan.Of(in), Minor: int(x.req.Minor)}
		c.Req.URI = x.req.PathAndQuery(in)
		if c.Backend == nil {
			c.Backend = c.Frontend // as in %b
		}
	}
	if early {
		c.Res.Status = x.status
	}
	if x.link.site != nil {
		c.Server = sample.Conn{Src: x.source, Dst: x.link.site.addr, HTTPMajor: 1}
	}
	if x.link.server != nil {
		c.Target = &x.link.server.facts
	}
	c.Vars[sample.ScopeReq], c.Vars[sample.ScopeRes] = nil, &x.resVars
	return c
}

// makeUniqueID follows unique-id-format.
func (s *httpSession) makeUniqueID() {
	x := s.x
	r := s.record(s.w.Loop.Now())
	r.Sample = s.ctx()
	x.uniqueID = s.fe.Spec.UniqueID.Append(x.uniqueID[:0], r)
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

func (s *tcpSession) log(now mono.Time, early bool) {
	if s.logged || s.logLevel == spec.LogLevelNone || !s.fe.logs() {
		return
	}
	if s.fe.Spec.DontLogNull && s.up.moved+s.down.moved == 0 && !s.up.pending() {
		return
	}
	r := s.w.record(s.fe, s.client, &s.link, s.end, now, s.accepted)
	r.Client = s.src
	r.Bytes, r.Uploaded = s.down.moved, s.up.moved
	r.Tw = since(s.accepted, s.link.assigned)
	r.Tc = since(s.link.assigned, s.link.connected)
	r.RequestID, r.Source, r.RequestHeaders = s.number, s.source, s.captures.request
	s.logged = early
	if s.fe.needs&logfmt.NeedSample != 0 {
		r.Sample = s.logCtx()
	}
	s.w.send(s.fe, r.At(early), s.logLevel)
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
