package proxy

import (
	"bytes"
	"time"

	"baton/internal/mono"
	"baton/lb/engine"
	"baton/lb/logfmt"
	"baton/lb/spec"
)

// The syslog levels of a session's line.
const (
	levelErr  = 3
	levelInfo = 6
)

// record starts a line's record with what both modes have.
func (w *Worker) record(fe *Frontend, k *link, end termination, now, began mono.Time) *logfmt.Record {
	r := &w.rec
	*r = logfmt.Record{
		Date: began.Wall(), Dates: &w.dates,
		Frontend: fe.Spec.Name,
		Tw:       -1, Tc: -1, Tr: -1, TR: -1, Total: now.Sub(began),
		State:        [4]byte{end.who, end.phase, '-', '-'},
		ProcessConns: int(w.set.conns.Load()), FrontendConns: int(fe.Conns.Load()),
		Retries: k.retries, Redispatched: k.redispatched, BackendQueue: k.place, ServerQueue: k.ownPlace,
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
func (w *Worker) send(fe *Frontend, client *engine.Conn, r *logfmt.Record) {
	abnormal := r.Abnormal()
	if fe.Spec.DontLogNormal && !abnormal {
		return
	}
	level := levelInfo
	if fe.Spec.LogSeparateErrors && abnormal {
		level = levelErr
	}
	switch fe.Spec.LogFormat {
	case spec.LogHTTP:
		w.line = logfmt.AppendHTTP(w.line[:0], r)
	case spec.LogTCP:
		w.line = logfmt.AppendTCP(w.line[:0], r)
	default:
		r.HTTP, r.Local = fe.Spec.Mode == spec.HTTP, client.LocalAddr()
		w.line = logfmt.AppendConnect(w.line[:0], r)
	}
	fe.Logs.Send(level, time.Now(), w.line)
}

func (s *httpSession) log(now mono.Time) {
	x := s.x
	if x.silent || !s.fe.Logs.Enabled(levelInfo) && !s.fe.Logs.Enabled(levelErr) {
		return
	}
	r := s.w.record(s.fe, &x.link, x.end, now, x.start)
	r.Client = s.src
	r.Status = max(x.status, 0)
	if !x.bad {
		r.Bytes = x.sent + x.down.moved
		r.TR = since(x.start, x.parsed)
		r.Tw = since(x.parsed, x.link.assigned)
		r.Tc = since(x.link.assigned, x.link.connected)
		r.Tr = since(x.link.connected, x.responded)
		head := s.in.B[:x.req.HeadLen]
		r.Request, _, _ = bytes.Cut(head[x.req.MethodSpan.Off:], crlf)
	}
	s.w.send(s.fe, s.client, r)
}

var crlf = []byte("\r\n")

func (s *tcpSession) log(now mono.Time) {
	if !s.fe.Logs.Enabled(levelInfo) && !s.fe.Logs.Enabled(levelErr) {
		return
	}
	if s.fe.Spec.DontLogNull && s.up.moved+s.down.moved == 0 {
		return
	}
	r := s.w.record(s.fe, &s.link, s.end, now, s.accepted)
	r.Client = s.src
	r.Bytes = s.down.moved
	r.Tw = since(s.accepted, s.link.assigned)
	r.Tc = since(s.link.assigned, s.link.connected)
	s.w.send(s.fe, s.client, r)
}
