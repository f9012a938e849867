package proxy

import (
	"net/netip"
	"time"

	"baton/internal/mono"
	"baton/internal/sys"
	"baton/lb/engine"
	"baton/lb/sample"
	"baton/lb/spec"
)

// The actions that change how the present exchange is handled, not what is in it.

// ownLimits are the timeouts that rules have set for one exchange; 0: the proxy's.
type ownLimits struct{ client, connect, queue, server, tarpit, tunnel time.Duration }

func (s *httpSession) clientTimeout() time.Duration {
	if d := s.x.link.limits.client; d > 0 {
		return d
	}
	return s.fe.Spec.Timeouts.Client
}

func (s *httpSession) serverTimeout() time.Duration {
	if d := s.x.link.limits.server; d > 0 {
		return d
	}
	return s.x.backend.Spec.Timeouts.Server
}

func (k *link) connectTimeout() time.Duration {
	return orTimeout(k.limits.connect, k.backend.Spec.Timeouts.Connect)
}

func (k *link) queueTimeout() time.Duration {
	to := &k.backend.Spec.Timeouts
	return orTimeout(k.limits.queue, to.Queue, to.Connect)
}

// relayLimits are those of the proxies, as rules have left them.
func (s *httpSession) relayLimits() idle {
	l := limits(s.fe, s.x.backend)
	l.client, l.server = s.clientTimeout(), s.serverTimeout()
	return l
}

// tunnelLimits are relayLimits of a tunnel.
func (s *httpSession) tunnelLimits() idle {
	l, own := tunnelLimits(s.fe, s.x.backend), &s.x.link.limits
	if s.x.backend.Spec.Timeouts.Tunnel == 0 {
		l.client, l.server = s.clientTimeout(), s.serverTimeout()
	}
	if own.tunnel > 0 {
		l.client, l.server = own.tunnel, own.tunnel
	}
	return l
}

// span is the time that a rule names; 0: none.
func span(r *spec.HTTPRule, c *sample.Ctx) time.Duration {
	if r.Expr == nil {
		return r.Time
	}
	n, _ := number(r, c)
	return time.Duration(max(n, 0)) * time.Millisecond
}

// number is what a rule's expression gives, or what stands in its place.
func number(r *spec.HTTPRule, c *sample.Ctx) (n int64, ok bool) {
	if r.Expr == nil {
		return int64(r.Number), true
	}
	v, ok := r.Expr.Eval(c)
	if !ok || !c.Cast(v, sample.Int) {
		return 0, false
	}
	return v.Int, true
}

func (s *httpSession) setTimeout(r *httpRule, c *sample.Ctx) {
	l := &s.x.link.limits
	at := [...]*time.Duration{
		spec.LimitClient: &l.client, spec.LimitConnect: &l.connect, spec.LimitQueue: &l.queue,
		spec.LimitServer: &l.server, spec.LimitTarpit: &l.tarpit, spec.LimitTunnel: &l.tunnel,
	}[r.Limit]
	if d := span(&r.HTTPRule, c); d > 0 { // null is no timeout: the manual leaves it open
		*at = d
	}
}

// pause holds the exchange up.
func (s *httpSession) pause(t *engine.Task, d time.Duration) {
	for until := t.Now().Add(d); t.Now() < until; {
		t.Suspend(until)
	}
}

// The ranges of chapter 4.2, set-priority-class and set-priority-offset.
const (
	maxPriorityClass  = 2047
	maxPriorityOffset = 524287 // milliseconds
)

// markPackets marks what the client gets from now on.
func markPackets(action spec.Action, n int64, client *engine.Conn) {
	m := sys.Marks{Mark: uint32(n), HasMark: action == spec.ActionSetMark, TOS: uint8(n), HasTOS: action == spec.ActionSetTOS}
	m.Set(client.FD())
}

// shape runs the actions that change the way to a server: priorities, marks, retries. It
// reports false for any other.
func (k *link) shape(r *spec.HTTPRule, c *sample.Ctx) bool {
	switch r.Action {
	case spec.ActionSetPriorityClass, spec.ActionSetPriorityOffset, spec.ActionSetRetries, spec.ActionSetServerMark, spec.ActionSetServerTOS:
	default:
		return false
	}
	n, ok := number(r, c)
	if !ok {
		return true
	}
	marks := &k.options.Marks
	switch r.Action {
	case spec.ActionSetPriorityClass:
		k.waiter.class = int(min(max(n, -maxPriorityClass), maxPriorityClass))
	case spec.ActionSetPriorityOffset:
		k.waiter.offset = time.Duration(min(max(n, -maxPriorityOffset), maxPriorityOffset)) * time.Millisecond
	case spec.ActionSetRetries:
		if n >= 0 {
			k.most = int(min(n, 100)) + 1
		}
	case spec.ActionSetServerMark:
		marks.Mark, marks.HasMark = uint32(n), true
	case spec.ActionSetServerTOS:
		marks.TOS, marks.HasTOS = uint8(n), true
	}
	return true
}

// A Resolver looks names up for do-resolve, in a goroutine of its own.
type Resolver interface {
	// Ask calls done once, from any goroutine, with an address or the zero Addr. It does
	// not block.
	Ask(name string, preferIPv4 bool, done func(netip.Addr))
}

// lookUp suspends t until the name that the rule's expression gives is resolved, or is not.
func (w *Worker) lookUp(t *engine.Task, r *spec.HTTPRule, c *sample.Ctx) netip.Addr {
	v, ok := r.Expr.Eval(c)
	if !ok {
		return netip.Addr{}
	}
	var found netip.Addr
	answered := false
	w.set.Resolvers[r.Resolvers].Ask(string(c.AsText(v)), r.PreferIPv4, func(a netip.Addr) {
		t.Loop().Post(func() {
			found, answered = a, true
			t.Wake()
		})
	})
	for !answered {
		t.Suspend(mono.Never)
	}
	return found
}

// keepAddr puts the answer into do-resolve's variable. Without one that stays as it is.
func keepAddr(r *spec.HTTPRule, c *sample.Ctx, a netip.Addr) {
	if !a.IsValid() {
		return
	}
	v := sample.Sample{Type: sample.IPv6, IP: a}
	if a.Is4() {
		v.Type = sample.IPv4
	}
	c.SetVar(r.Var, &v)
}
