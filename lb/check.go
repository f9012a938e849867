package lb

import (
	"context"
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
	backend   *proxy.Backend
	server    *proxy.Server
	runner    *probe.Runner // nil: the server is not checked
	agent     *probe.Runner // nil: it has no agent
	since     atomic.Int64  // mono.Time of the last change of state
	last      atomic.Pointer[health.Machine]
	lastAgent atomic.Pointer[health.Machine]
	shown     atomic.Pointer[health.Server] // a copy of state for those without the mutex
	resolver  *resolver                     // of its name; nil: none
	trackers  []*check                      // servers whose health is this one's

	// Under LB.stateMu.
	state health.Server
	stop  context.CancelFunc // ends the running checks; nil: none run
	was   *health.Machine    // what the first check goes on from; nil: nothing

	wasAgent *health.Machine // the same of the agent
	seat     *resolve.Seat   // by its resolver, whose goroutine owns it
}

// newChecks makes the health of every server.
func (l *LB) newChecks() {
	for _, b := range l.set.Backends {
		for _, s := range b.Servers {
			k := &check{backend: b, server: s}
			k.since.Store(int64(mono.Now()))
			k.state.Maint = s.Spec.Disabled || b.Spec.Disabled
			k.state.Nameless = s.Nameless()
			if !k.state.Maint {
				l.newRunners(k)
				k.restore()
			}
			k.publish()
			if n := s.Spec.Naming; n != nil {
				k.resolver = l.resolver(n.Resolvers)
			}
			l.checks = append(l.checks, k)
		}
	}
	l.spreadChecks()
	l.linkTrackers()
}

// publish shows the state to those without the mutex.
func (k *check) publish() {
	now := k.state
	k.shown.Store(&now)
}

// spreadChecks sets when the first checks are due.
func (l *LB) spreadChecks() {
	var all []*probe.Runner
	for _, k := range l.checks {
		for _, r := range []*probe.Runner{k.runner, k.agent} {
			if r != nil {
				all = append(all, r)
			}
		}
	}
	var within time.Duration
	for _, r := range all {
		if within == 0 || r.Check.Inter < within {
			within = r.Check.Inter
		}
	}
	if most := l.cfg.Global.MaxSpreadChecks; most > 0 {
		within = min(within, most)
	}
	for i, r := range all {
		r.Offset = health.Offset(i, len(all), within)
	}
}

// initialStates puts every server in service that is not disabled.
func (l *LB) initialStates() {
	l.stateMu.Lock()
	defer l.stateMu.Unlock()
	for _, b := range l.set.Backends {
		l.o.OnBackend(b.Spec.Name, b.SetUsable(l.set, l.standings(b)))
	}
}

// runChecks starts the checks; the returned function waits until they have ended.
func (l *LB) runChecks(ctx context.Context) (wait func()) {
	l.stateMu.Lock()
	defer l.stateMu.Unlock()
	l.checking = ctx
	for _, k := range l.checks {
		l.startCheck(k)
		if k.agent != nil {
			l.checkers.Go(func() { k.agent.Run(ctx, k.wasAgent) })
		}
	}
	return l.checkers.Wait
}

// startCheck checks a server that has an address, from the beginning. The caller
// holds stateMu.
func (l *LB) startCheck(k *check) {
	if k.runner == nil || k.state.Nameless || k.state.Maint || l.checking == nil || l.checking.Err() != nil {
		return
	}
	ctx, stop := context.WithCancel(l.checking)
	k.stop = stop
	was := k.was
	k.was = nil
	l.checkers.Go(func() { k.runner.Run(ctx, was) })
}

// stopCheck ends what startCheck began. The caller holds stateMu.
func (k *check) stopCheck() {
	if k.stop != nil {
		k.stop()
		k.stop = nil
	}
}

// standings returns how the servers of a backend stand, by index. The caller holds
// stateMu.
func (l *LB) standings(b *proxy.Backend) []proxy.Standing {
	var all []proxy.Standing
	for _, k := range l.checks {
		if k.backend == b {
			all = append(all, proxy.Standing{Serves: k.state.Serves(), Shares: k.state.Shares()})
		}
	}
	return all
}

// counts is what a line about a change of k tells of its backend. The caller holds stateMu.
func (l *LB) counts(k *check) health.Counts {
	c := health.Counts{Sessions: int(k.server.Load.Load()), Queued: k.backend.Queued()}
	for _, o := range l.checks {
		switch {
		case o.backend != k.backend || !o.state.Shares():
		case o.server.Spec.Backup:
			c.Backup++
		default:
			c.Active++
		}
	}
	return c
}

func (k *check) name() health.Name {
	return health.Name{Backend: k.backend.Spec.Name, Server: k.server.Spec.Name, Backup: k.server.Spec.Backup}
}

// report takes a check's outcome: log lines, and a change of the server's state.
func (l *LB) report(k *check, r probe.Report) {
	k.last.Store(&r.Machine)
	tell := l.noteCheck(k, r)
	last := r.Machine.Last()
	if last.Status == health.L4Timeout && k.resolver != nil {
		k.resolver.hint(k) // its name may lead elsewhere by now (chapter 5.3.1)
	}
	l.stateMu.Lock()
	defer l.stateMu.Unlock()
	if k.state.Nameless || k.state.Maint {
		return // since this check began
	}
	to := k.state
	to.CheckDown = !r.Machine.Up()
	switch {
	case to.CheckDown, last.Status == health.L7OK:
		to.Stopping = false
	case last.Status == health.L7OKConditional:
		to.Stopping = true
	}
	if to == k.state {
		l.warm(k)
		return
	}
	l.change(k, to, reasonOf(last, tell))
}

// noteCheck writes the line of `option log-health-checks`, where one is due.
func (l *LB) noteCheck(k *check, r probe.Report) bool {
	tell := k.backend.Spec.LogHealthChecks && r.Noted
	if tell {
		k.backend.Logs.Send(health.LevelCheck, time.Now(), health.AppendCheck(nil, k.name(), &r.Machine, k.server.Weight() == 0))
	}
	return tell
}

// reasonOf is why a server changed, unless the line of the check has told it.
func reasonOf(last health.Result, told bool) *health.Result {
	if told {
		return nil
	}
	return &last
}

// reportAgent takes what an agent says: first what it asks for, then whether the server
// is up.
func (l *LB) reportAgent(k *check, r probe.Report) {
	k.lastAgent.Store(&r.Machine)
	last := r.Machine.Last()
	l.stateMu.Lock()
	defer l.stateMu.Unlock()
	if a := last.Advice; a != nil {
		l.follow(k, a)
	}
	tell := l.noteCheck(k, r)
	to := k.state
	if to.AgentDown = !r.Machine.Up(); to != k.state {
		l.change(k, to, reasonOf(last, tell))
	}
}

// follow does what an agent asks for. The caller holds stateMu.
func (l *LB) follow(k *check, a *health.Advice) {
	to := k.state
	switch a.Admin {
	case health.AdminReady:
		to.Drain, to.Maint = false, false
	case health.AdminDrain:
		to.Drain, to.Maint = true, false
	case health.AdminMaint:
		to.Drain, to.Maint = false, true
	}
	enters, leaves := to.Maint && !k.state.Maint, !to.Maint && k.state.Maint
	switch {
	case enters:
		k.stopCheck()
	case leaves: // as it started
		to.CheckDown, to.Stopping = false, false
		k.last.Store(nil)
	}
	if to != k.state {
		l.change(k, to, nil)
	}
	if leaves {
		l.startCheck(k)
	}
	if a.Maxconn != health.Unsaid {
		k.server.SetMaxconn(a.Maxconn)
	}
	const heaviest = 256
	if w := min(k.server.Spec.Weight*a.Weight/100, heaviest); a.Weight != health.Unsaid && w != k.server.Weight() {
		k.server.SetWeight(w)
		l.reslot(k.backend)
	}
}

// change gives a server and those that track it another state, with a log line for
// each. The caller holds stateMu.
func (l *LB) change(k *check, to health.Server, reason *health.Result) {
	l.put(k, to, nil, func(dst []byte, what health.Change, c health.Counts) []byte {
		return health.AppendChange(dst, k.name(), what, to.Up(), reason, c)
	})
}

// put does so for one, with the one that it tracks (via) and the line of a change that
// counts.
func (l *LB) put(k *check, to health.Server, via *health.Name, line func([]byte, health.Change, health.Counts) []byte) {
	from := k.state
	k.state = to
	k.publish()
	now := mono.Now()
	k.since.Store(int64(now))
	if to.Serves() && !from.Serves() {
		k.server.Warm(now)
	}
	had := k.backend.Usable()
	usable := k.backend.SetUsable(l.set, l.standings(k.backend))
	l.o.OnBackend(k.backend.Spec.Name, usable)
	l.killSessions(k, &from)
	switch what, ok := from.ChangeTo(to); {
	case !ok:
	case what == health.LeavesDrain, what == health.LeavesMaint:
		l.tell(k, what.Level(), health.AppendLeft(nil, k.name(), what, &to, via == nil))
	default:
		l.tell(k, what.Level(), line(nil, what, l.counts(k)))
	}
	if to.Drain && (from.Maint || from.Drain && from.Up() && !to.Up()) {
		l.tell(k, health.LevelUp, health.AppendStaysDrained(nil, k.name(), via))
	}
	l.tellIfNone(k.backend, had, usable)
	for _, o := range k.trackers {
		l.track(o, k)
	}
}

// killSessions ends the sessions that the server's change from a state asks for
// (on-marked-down, on-marked-up). A server without weight does not stand in for backups.
func (l *LB) killSessions(k *check, from *health.Server) {
	switch served, serves := from.Serves(), k.state.Serves(); {
	case served && !serves && k.server.Spec.KillOnDown:
		l.set.Kill(k.server, proxy.KilledDown)
	case !served && serves && k.server.Spec.KillBackupsOnUp && !k.server.Spec.Backup && k.server.Weight() > 0:
		for _, s := range k.backend.Servers {
			if s.Spec.Backup {
				l.set.Kill(s, proxy.KilledUp)
			}
		}
	}
}

// track gives a server the state of the one that it tracks.
func (l *LB) track(o, k *check) {
	to := o.state
	to.CheckDown, to.Stopping, to.Drain, to.Maint = !k.state.Up(), k.state.Stopping, k.state.Drain, k.state.Maint
	if to == o.state {
		return
	}
	via := k.name()
	l.put(o, to, &via, func(dst []byte, what health.Change, c health.Counts) []byte {
		return health.AppendTracked(dst, o.name(), what, to.Up(), via, c)
	})
}

// reslot gives a backend's servers their present weights. The caller holds stateMu.
func (l *LB) reslot(b *proxy.Backend) {
	had := b.Usable()
	usable := b.SetUsable(l.set, l.standings(b))
	if usable != had {
		l.o.OnBackend(b.Spec.Name, usable)
	}
	l.tellIfNone(b, had, usable)
}

func (l *LB) tell(k *check, level int, line []byte) {
	k.backend.Logs.Send(level, time.Now(), line)
	l.log.Info(string(line))
}

// tellIfNone logs that the last server of a backend has gone.
func (l *LB) tellIfNone(b *proxy.Backend, had, usable int) {
	if usable > 0 || had == 0 {
		return
	}
	kind := "backend"
	if b.Spec.Listen {
		kind = "proxy"
	}
	line := health.AppendNoServer(nil, kind, b.Spec.Name)
	b.Logs.Send(health.LevelNoServer, time.Now(), line)
	l.log.Error(string(line))
}

// warm gives slowly starting servers their present weights. The caller holds stateMu.
func (l *LB) warm(k *check) {
	if k.server.Warming(mono.Now()) {
		k.backend.SetUsable(l.set, l.standings(k.backend))
	}
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
		if of := byName[k.server.Spec.Track]; of != nil && !k.state.Maint {
			of.trackers = append(of.trackers, k)
			k.state.CheckDown = of.state.CheckDown
			k.publish()
		}
	}
}
