package proxy

import (
	"sync/atomic"
	"time"

	"baton/internal/mono"
	"baton/lb/engine"
	"baton/lb/logfmt"
	"baton/lb/sample"
	"baton/lb/spec"
)

// What sessions tell expressions of themselves.

var (
	_ sample.Session = (*httpSession)(nil)
	_ sample.Session = (*tcpSession)(nil)
)

// Tell fills in what is known of the exchange.
func (s *httpSession) Tell(f *sample.Facts) {
	x := s.x
	f.HTTP, f.Accepted = true, s.accepted.Wall()
	s.came.tell(f, s.fe)
	if x == nil {
		return // tcp-request connection or session: there is no request yet
	}
	f.Began = x.start.Wall()
	f.Times = s.times(s.w.Loop.Now())
	f.Out, f.In = s.bytes()
	f.Status, f.Number = max(x.status, 0), x.number
	f.ClientTimeout = s.clientTimeout()
	if x.backend != nil {
		f.ServerTimeout = s.serverTimeout()
		f.TunnelTimeout = orTimeout(x.link.limits.tunnel, x.backend.Spec.Timeouts.Tunnel)
	}
	x.link.tell(f, x.end)
	if r := x.lastRule; r != nil {
		f.RuleFile, f.RuleLine = r.Pos.File, r.Pos.Line
	}
}

// Tell fills in what is known of the connection.
func (s *tcpSession) Tell(f *sample.Facts) {
	f.Accepted, f.Began = s.accepted.Wall(), s.accepted.Wall()
	s.came.tell(f, s.fe)
	f.Times = s.times(s.w.Loop.Now())
	f.In, f.Out = s.up.moved, s.down.moved
	f.Number = s.number
	f.ClientTimeout = s.fe.Spec.Timeouts.Client
	if b := s.link.backend; b != nil {
		f.ServerTimeout, f.TunnelTimeout = b.Spec.Timeouts.Server, b.Spec.Timeouts.Tunnel
	}
	s.link.tell(f, s.end)
	if r := s.lastRule; r != nil {
		f.RuleFile, f.RuleLine = r.Pos.File, r.Pos.Line
	}
}

func (a *arrival) tell(f *sample.Facts, fe *Frontend) {
	if a.bind != nil {
		f.BindID, f.BindName = a.bindNumber(fe), a.bind.Name
	}
}

func (k *link) tell(f *sample.Facts, end termination) {
	f.Retries, f.Redispatched, f.Reused = k.retries, k.redispatched, k.served > 0
	f.State = [2]byte{end.who, end.phase}
	f.Forwarded = k.connected != 0
	f.PriorityClass, f.PriorityOffset = k.waiter.class, k.waiter.offset
	r := logfmt.Record{State: [4]byte{end.who}, Retries: k.retries, Redispatched: k.redispatched, Status: f.Status}
	f.Abnormal = r.Abnormal()
}

// times are the timers of the exchange up to now.
func (s *httpSession) times(now mono.Time) sample.Times {
	x := s.x
	if s.fe.Spec.Mode == spec.TCP { // of a connection, that waits for each request anew
		return sample.Times{
			TR: -1, Tr: -1, Total: now.Sub(x.waited),
			Tw: since(x.parsed, x.link.assigned), Tc: since(x.link.assigned, x.link.connected),
		}
	}
	t := sample.Times{TR: -1, Tw: -1, Tc: -1, Tr: -1, Ti: x.start.Sub(x.waited), Total: now.Sub(x.start)}
	if !x.bad {
		t.TR = since(x.start, x.parsed)
		t.Tw = since(x.parsed, x.link.assigned)
		t.Tc = since(x.link.assigned, x.link.connected)
		t.Tr = since(x.link.connected, x.responded)
	}
	if x.end.phase == 'T' { // the manual's PT: Tw is how long it was held
		t.TR, t.Tw = -1, since(x.start, x.link.assigned)
	}
	return t
}

// bytes are those to the client and from it.
func (s *httpSession) bytes() (out, in int64) {
	x := s.x
	if x.bad {
		return 0, 0
	}
	return x.sent + x.down.moved, int64(x.req.HeadLen+x.bodyIn) + x.up.moved
}

func (s *tcpSession) times(now mono.Time) sample.Times {
	return sample.Times{
		TR: -1, Tr: -1, Total: now.Sub(s.accepted),
		Tw: since(s.accepted, s.link.assigned), Tc: since(s.link.assigned, s.link.connected),
	}
}

func (s *httpSession) TCPInfo(server bool) (sample.TCPInfo, bool) {
	var origin *engine.Conn
	if s.x != nil {
		origin = s.x.link.conn
	}
	return tcpInfo(s.client, origin, server)
}

func (s *tcpSession) TCPInfo(server bool) (sample.TCPInfo, bool) {
	return tcpInfo(s.client, s.link.conn, server)
}

func tcpInfo(client, origin *engine.Conn, server bool) (sample.TCPInfo, bool) {
	c := client
	if server {
		c = origin
	}
	if c == nil {
		return sample.TCPInfo{}, false
	}
	i, ok := c.FD().TCPInfo()
	return sample.TCPInfo(i), ok
}

// rate counts what happens in a second as HAProxy's frequency counters do: what the
// present second has, and of the last one the share that is not a second ago yet. Seconds
// begin with the first event after a pause. An event at the turn may be counted in the
// wrong second.
type rate struct {
	begin     atomic.Int64 // of the present second
	now, last atomic.Uint32
}

const period = int64(1e9)

// turn closes seconds that are over and returns what is left of the present one.
func (r *rate) turn(now mono.Time) (left int64) {
	begin := r.begin.Load()
	gone := int64(now) - begin
	if gone < period {
		return period - max(gone, 0)
	}
	next := begin + period
	if gone >= 2*period {
		next = int64(now)
	}
	if r.begin.CompareAndSwap(begin, next) {
		ended := r.now.Swap(0)
		if gone >= 2*period {
			ended = 0
		}
		r.last.Store(ended)
	}
	return period - (int64(now) - next)
}

func (r *rate) add(now mono.Time) {
	r.turn(now)
	if r.now.Load() == 0 && r.last.Load() == 0 {
		r.begin.Store(int64(now))
	}
	r.now.Add(1)
}

// wait is how long it takes until another event would not exceed limit in a second; 0 is
// no limit, and no wait. The answer may be too short: who waits asks again.
func (r *rate) wait(limit int, now mono.Time) time.Duration {
	if limit == 0 || r.per(now) < int64(limit) {
		return 0
	}
	left := r.turn(now)
	room := int64(limit) - int64(r.now.Load())
	if room <= 0 { // the share of this second has to shrink in the next one
		return time.Duration(left + period/int64(limit))
	}
	// The last second counts by what is left of this one: it has to come below room.
	return time.Duration(max(left-period*room/int64(r.last.Load())+1, int64(time.Millisecond)))
}

// per is the number of events in the second before now.
func (r *rate) per(now mono.Time) int64 {
	left := r.turn(now)
	return int64(r.now.Load()) + int64(r.last.Load())*left/period
}
