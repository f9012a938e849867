package lb

import (
	"context"
	"net/netip"
	"sync/atomic"
	"time"

	"baton/internal/mono"
	"baton/lb/health"
	"baton/lb/health/probe"
	"baton/lb/proxy"
	"baton/lb/resolve"
)

// check is the health of one server.
type check struct {
	backend  *proxy.Backend
	server   *proxy.Server
	runner   *probe.Runner // nil: the server is not checked
	since    atomic.Int64  // mono.Time of the last change of state
	last     atomic.Pointer[health.Machine]
	nameless atomic.Bool // its name leads nowhere: out of service, not checked
	resolver *resolver   // of its name; nil: none
	trackers []*check    // servers whose health is this one's

	// Under LB.stateMu.
	up   bool
	stop context.CancelFunc // ends the running checks; nil: none run
	was  *health.Machine    // what the first check goes on from; nil: nothing
	seat *resolve.Seat      // by its resolver, whose goroutine owns it
}

// newChecks makes the health of every server. A server is up until a check has
// failed; a disabled one is not.
func (l *LB) newChecks() {
	checked, shortest := 0, time.Duration(0)
	for _, b := range l.set.Backends {
		for _, s := range b.Servers {
			if c := s.Spec.Check; c != nil && !s.Spec.Disabled && !b.Spec.Disabled {
				checked++
				if shortest == 0 || c.Inter < shortest {
					shortest = c.Inter
				}
			}
		}
	}
	i := 0
	for _, b := range l.set.Backends {
		for _, s := range b.Servers {
			k := &check{backend: b, server: s, up: !s.Spec.Disabled && !b.Spec.Disabled}
			k.since.Store(int64(mono.Now()))
			if c := s.Spec.Check; c != nil && k.up {
				k.runner = &probe.Runner{
					Target:   probe.TargetOf(s.Addr(), c, b.Spec.Checks, &b.Spec.Timeouts),
					Check:    *c,
					Where:    func() netip.AddrPort { return probe.TargetOf(s.Addr(), c, nil, &b.Spec.Timeouts).Addr },
					Offset:   health.Offset(i, checked, shortest),
					OnReport: func(r probe.Report) { l.report(k, r) },
				}
				k.runner.Target.Proxy = probe.ProxyOf(s.Spec)
				k.runner.Target.Facts = l.factsOf(k)
				i++
			}
			k.nameless.Store(!s.Addr().Addr().IsValid())
			if n := s.Spec.Naming; n != nil {
				k.resolver = l.resolver(n.Resolvers)
			}
			l.checks = append(l.checks, k)
		}
	}
	l.linkTrackers()
}

// initialStates puts every server in service that is not disabled.
func (l *LB) initialStates() {
	l.stateMu.Lock()
	defer l.stateMu.Unlock()
	for _, b := range l.set.Backends {
		l.o.OnBackend(b.Spec.Name, b.SetUsable(l.set, l.ups(b)))
	}
}

// runChecks starts the checks; the returned function waits until they have ended.
func (l *LB) runChecks(ctx context.Context) (wait func()) {
	l.stateMu.Lock()
	defer l.stateMu.Unlock()
	l.checking = ctx
	for _, k := range l.checks {
		l.startCheck(k)
	}
	return l.checkers.Wait
}

// startCheck checks a server that has an address, from the beginning. The caller
// holds stateMu.
func (l *LB) startCheck(k *check) {
	if k.runner == nil || k.nameless.Load() || l.checking == nil || l.checking.Err() != nil {
		return
	}
	ctx, stop := context.WithCancel(l.checking)
	k.stop = stop
	was := k.was
	k.was = nil
	l.checkers.Go(func() { k.runner.Run(ctx, was) })
}

// ups returns which servers of a backend are in service, by index.
func (l *LB) ups(b *proxy.Backend) []bool {
	var up []bool
	for _, k := range l.checks {
		if k.backend == b {
			up = append(up, k.serves())
		}
	}
	return up
}

// counts is what a line about a change of k tells of its backend. The caller holds stateMu.
func (l *LB) counts(k *check) health.Counts {
	c := health.Counts{Sessions: int(k.server.Load.Load()), Queued: k.backend.Queued()}
	for _, o := range l.checks {
		switch {
		case o.backend != k.backend || !o.serves():
		case o.server.Spec.Backup:
			c.Backup++
		default:
			c.Active++
		}
	}
	return c
}

// serves reports whether the server is in service. The caller holds stateMu.
func (k *check) serves() bool { return k.up && !k.nameless.Load() }

func (k *check) name() health.Name {
	return health.Name{Backend: k.backend.Spec.Name, Server: k.server.Spec.Name, Backup: k.server.Spec.Backup}
}

// report takes a check's outcome: log lines, and a change of the servers in service.
func (l *LB) report(k *check, r probe.Report) {
	k.last.Store(&r.Machine)
	b := k.backend
	tell := b.Spec.LogHealthChecks && r.Noted
	if tell {
		b.Logs.Send(health.LevelCheck, time.Now(), health.AppendCheck(nil, k.name(), &r.Machine))
	}
	if last := r.Machine.Last(); last.Status == health.L4Timeout && k.resolver != nil {
		k.resolver.hint(k) // its name may lead elsewhere by now (chapter 5.3.1)
	}
	if !r.Changed && !k.warming() {
		return
	}
	l.stateMu.Lock()
	defer l.stateMu.Unlock()
	if k.nameless.Load() {
		return // it has lost its address while this check ran
	}
	if !r.Changed {
		l.warm(k)
		return
	}
	last := r.Machine.Last()
	reason := &last
	if tell {
		reason = nil
	}
	l.change(k, r.Machine.Up(), func(c health.Counts) []byte {
		return health.AppendChange(nil, k.name(), r.Machine.Up(), reason, c)
	})
}

// change takes a server into service or out of it, and those that track it, with a log
// line for each. The caller holds stateMu.
func (l *LB) change(k *check, up bool, tell func(health.Counts) []byte) {
	k.up = up
	now := mono.Now()
	k.since.Store(int64(now))
	if up {
		k.server.Warm(now)
	}
	b := k.backend
	usable := b.SetUsable(l.set, l.ups(b))
	l.o.OnBackend(b.Spec.Name, usable)

	level := health.LevelDown
	if up {
		level = health.LevelUp
	}
	line := tell(l.counts(k))
	b.Logs.Send(level, time.Now(), line)
	l.log.Info(string(line))
	if usable == 0 && !up {
		line = health.AppendNoServer(line[:0], b.Spec.Name)
		b.Logs.Send(health.LevelNoServer, time.Now(), line)
		l.log.Error(string(line))
	}
	for _, o := range k.trackers {
		l.change(o, up, func(c health.Counts) []byte {
			return health.AppendTracked(nil, o.name(), up, k.name(), c)
		})
	}
}

// warming reports whether the slow start of a server, or of one that tracks it, goes on.
func (k *check) warming() bool {
	warming := k.server.Warming(mono.Now())
	for _, o := range k.trackers {
		warming = o.warming() || warming
	}
	return warming
}

// warm gives slowly starting servers their present weights. The caller holds stateMu.
func (l *LB) warm(k *check) {
	k.backend.SetUsable(l.set, l.ups(k.backend))
	for _, o := range k.trackers {
		l.warm(o)
	}
}

// linkTrackers finds those whose health is another server's.
func (l *LB) linkTrackers() {
	byName := make(map[string]*check)
	for _, k := range l.checks {
		byName[k.backend.Spec.Name+"/"+k.server.Spec.Name] = k
	}
	for _, k := range l.checks {
		if of := byName[k.server.Spec.Track]; of != nil && k.up {
			of.trackers = append(of.trackers, k)
		}
	}
}
