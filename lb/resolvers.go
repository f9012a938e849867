package lb

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"baton/internal/mono"
	"baton/lb/health"
	"baton/lb/proxy"
	"baton/lb/resolve"
	"baton/lb/spec"
)

// resolver keeps the servers that point to one resolvers section where their names
// lead. One goroutine owns all of it but the name servers.
type resolver struct {
	l       *LB
	spec    *spec.Resolvers
	limits  resolve.Limits
	servers []*nameServer
	in      chan response
	soon    chan *check // a check of it found nobody

	questions chan question // of rules
	asked     map[wanted]*asked
	mu        sync.Mutex // of over, and of what is put into questions
	over      bool       // nobody answers any more

	lookups map[wanted]*open
	byID    map[uint16]*open
	groups  []*group
}

// wanted is what a lookup is for.
type wanted struct {
	name  string
	first resolve.Type
}

// open is a lookup and the number of its present query.
type open struct {
	*resolve.Lookup
	id  uint16
	by  string // the name server whose answer came last
	new bool   // its records have changed
}

// group is the servers of one backend and name: they share its records.
type group struct {
	of     wanted
	checks []*check
	seats  []resolve.Seat
}

func newResolver(l *LB, sp *spec.Resolvers) *resolver {
	return &resolver{
		l: l, spec: sp, in: make(chan response, 16), soon: make(chan *check, 64),
		limits: resolve.Limits{Retries: sp.Retries, Resolve: sp.Resolve, Retry: sp.Retry, Hold: resolve.Hold{
			NX: sp.HoldNX, Refused: sp.HoldRefused, Timeout: sp.HoldTimeout, Other: sp.HoldOther, Obsolete: sp.HoldObsolete,
		}},
		lookups: make(map[wanted]*open), byID: make(map[uint16]*open),
		questions: make(chan question, pendingQuestions), asked: make(map[wanted]*asked),
	}
}

// runResolvers follows names until ctx ends; wait returns then.
func (l *LB) runResolvers(ctx context.Context) (wait func()) {
	var wg sync.WaitGroup
	for _, r := range l.resolvers {
		wg.Go(func() { r.run(ctx, &wg) })
	}
	return wg.Wait
}

func (r *resolver) run(ctx context.Context, wg *sync.WaitGroup) {
	defer r.silence()
	list, err := nameServers(r.spec)
	if err != nil {
		r.l.log.Error("name servers of the system are not known", "resolvers", r.spec.Name, "error", err)
	}
	for _, s := range list {
		n := &nameServer{spec: s, log: r.l.log, patience: r.spec.Retry, out: make(chan []byte, backlogOfQueries), in: r.in}
		r.servers = append(r.servers, n)
		wg.Go(func() { n.run(ctx) })
	}
	// without any, configuration has warned and nothing is found
	now := mono.Now()
	r.begin(now)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case k := <-r.soon:
			r.hurry(k, mono.Now())
		case m := <-r.in:
			r.take(m, mono.Now())
		case q := <-r.questions:
			r.answer(q, mono.Now())
		case <-timer.C:
		}
		now = mono.Now()
		for _, o := range r.lookups {
			if o.Tick(now) {
				r.send(o)
			}
			o.new = o.Changed() || o.new
		}
		r.apply(now)
		next := r.follow(now)
		for _, o := range r.lookups {
			next = min(next, o.Deadline())
		}
		timer.Reset(max(0, next.Sub(now)))
	}
}

// begin groups the servers and opens their lookups. An address that a server has from
// its start is known until DNS says otherwise.
func (r *resolver) begin(now mono.Time) {
	type place struct {
		b  *proxy.Backend
		of wanted
	}
	places := make(map[place]*group)
	for _, k := range r.l.checks {
		sp := k.server.Spec
		if sp.Naming == nil || sp.Naming.Resolvers != r.spec {
			continue
		}
		prefer := resolve.AAAA
		if sp.Naming.PreferIPv4 {
			prefer = resolve.A
		}
		of := wanted{sp.Host, prefer}
		if serviceName(sp) {
			of.first = resolve.SRV
		}
		g := places[place{k.backend, of}]
		if g == nil {
			g = &group{of: of}
			places[place{k.backend, of}] = g
			r.groups = append(r.groups, g)
		}
		seat := resolve.Seat{Addr: k.server.Addr().Addr(), Prefer: prefer, Nets: sp.Naming.Nets, Dup: sp.Naming.AllowDup}
		if was := k.seat; was != nil {
			seat.Target, seat.Port, seat.Weight = was.Target, was.Port, was.Weight
		}
		g.checks = append(g.checks, k)
		g.seats = append(g.seats, seat)
	}
	for _, g := range r.groups {
		var known []resolve.Record
		for i := range g.seats {
			s := &g.seats[i]
			g.checks[i].seat = s
			if s.Addr.IsValid() && g.of.first != resolve.SRV {
				known = append(known, resolve.Record{Addr: s.Addr})
			}
		}
		r.lookup(g.of, now, known)
	}
}

func (r *resolver) lookup(of wanted, now mono.Time, known []resolve.Record) *open {
	o := r.lookups[of]
	if o == nil {
		o = &open{Lookup: resolve.NewLookup(of.name, of.first, r.limits, len(r.servers), now, known)}
		r.lookups[of] = o
	}
	return o
}

// hurry asks for a server's name again: what it pointed to has stopped answering.
func (r *resolver) hurry(k *check, now mono.Time) {
	for _, g := range r.groups {
		for i := range g.checks {
			if g.checks[i] != k {
				continue
			}
			r.lookups[g.of].Soon(now)
			if t := g.seats[i].Target; t != "" {
				if o := r.lookups[wanted{t, g.seats[i].Prefer}]; o != nil {
					o.Soon(now)
				}
			}
		}
	}
}

// send asks every name server, under a number that nobody can guess.
func (r *resolver) send(o *open) {
	delete(r.byID, o.id)
	for {
		var b [2]byte
		_, _ = rand.Read(b[:]) // it never fails
		o.id = binary.BigEndian.Uint16(b[:])
		if r.byID[o.id] == nil {
			break
		}
	}
	r.byID[o.id] = o
	t, _ := o.Query()
	q, err := resolve.Query(o.id, o.Name, t, r.spec.Payload)
	if err != nil {
		r.l.log.Error("name cannot be asked for", "resolvers", r.spec.Name, "error", err)
		return
	}
	for _, n := range r.servers {
		n.ask(q)
	}
}

// take sorts an answer to its query. What is no answer to any is ignored.
func (r *resolver) take(m response, now mono.Time) {
	if len(m.msg) < 2 {
		return
	}
	o := r.byID[binary.BigEndian.Uint16(m.msg)]
	if o == nil {
		return
	}
	t, asking := o.Query()
	if !asking {
		return
	}
	a, err := resolve.Parse(m.msg, o.id, o.Name, t)
	if errors.Is(err, resolve.ErrNotOurs) {
		return
	}
	m.server.answered()
	if err != nil {
		r.l.log.Warn("broken answer", "nameserver", m.server.spec.Name, "error", err)
		a = resolve.Answer{Status: resolve.Other}
	}
	o.by = m.server.spec.Name
	if o.Take(now, a) {
		r.send(o)
	}
}

// apply gives the servers of every name that has changed their addresses.
func (r *resolver) apply(now mono.Time) {
	for _, g := range r.groups {
		o := r.lookups[g.of]
		if g.of.first == resolve.SRV {
			r.applySRV(g, o, now)
			continue
		}
		if o.new {
			resolve.Assign(g.seats, o.Records())
			r.move(g, o.by)
		}
	}
	for of, o := range r.lookups {
		o.new = false
		if !r.used(of) {
			delete(r.byID, o.id)
			delete(r.lookups, of)
		}
	}
}

// used reports whether a group asks for a name, or an SRV record leads to it.
func (r *resolver) used(of wanted) bool {
	for _, g := range r.groups {
		if g.of == of {
			return true
		}
		for _, s := range g.seats {
			if s.Target == of.name && s.Prefer == of.first {
				return true
			}
		}
	}
	return false
}

func (r *resolver) applySRV(g *group, o *open, now mono.Time) {
	changed := o.new
	if o.new {
		resolve.AssignSRV(g.seats, o.Records())
	}
	for i := range g.seats {
		s := &g.seats[i]
		if s.Target == "" {
			continue
		}
		t := r.lookup(wanted{s.Target, s.Prefer}, now, nil)
		if t.new || !s.Addr.IsValid() && len(t.Records()) > 0 {
			one := []resolve.Seat{*s}
			resolve.Assign(one, t.Records())
			s.Addr = one[0].Addr
			changed = true
		}
	}
	if changed {
		r.move(g, o.by)
	}
}

func (r *resolver) move(g *group, by string) {
	for i, k := range g.checks {
		s := g.seats[i]
		m := move{addr: s.Addr, port: k.server.Spec.Port, weight: -1, host: k.server.Spec.Host, by: r.spec.Name + "/" + by, why: r.lookups[g.of].Status()}
		if g.of.first == resolve.SRV {
			m.port, m.host = s.Port, s.Target
			if s.Target != "" && !k.server.Spec.Naming.IgnoreWeight {
				m.weight = (int(s.Weight) + 255) / 256 // 0 to 65535 becomes 0 to 256
			}
		}
		r.l.moved(k, m)
	}
}

// hint says that a check of k found nobody. It does not block.
func (r *resolver) hint(k *check) {
	select {
	case r.soon <- k:
	default: // names are being asked for all the time as it is
	}
}

// resolver returns the one of a section, new where there is none yet.
func (l *LB) resolver(sp *spec.Resolvers) *resolver {
	for _, r := range l.resolvers {
		if r.spec == sp {
			return r
		}
	}
	r := newResolver(l, sp)
	l.resolvers = append(l.resolvers, r)
	return r
}

// move is what DNS says of a server.
type move struct {
	addr   netip.Addr // invalid: nothing
	port   uint16
	weight int    // -1: as it was
	host   string // the name that led there
	by     string // the resolvers section and the name server
	why    resolve.Status
}

// moved takes what DNS says of a server, and says the same as HAProxy about it.
func (l *LB) moved(k *check, m move) {
	l.stateMu.Lock()
	defer l.stateMu.Unlock()
	b, name := k.backend, k.backend.Spec.Name+"/"+k.server.Spec.Name
	was, there := !k.state.Nameless, m.addr.IsValid()
	from, to := k.server.Addr(), netip.AddrPortFrom(m.addr, m.port)
	reweighed := there && m.weight >= 0 && m.weight != k.server.Weight()
	if reweighed {
		k.server.SetWeight(m.weight)
	}
	if there && to != from {
		k.server.SetAddr(to)
		l.set.CloseIdle(k.server)
	}
	switch {
	case there && !was:
		l.notice(b, fmt.Sprintf("%s changed its IP from (none) to %v by %s.", name, m.addr, m.by))
		l.notice(b, fmt.Sprintf("Server %s ('%s') is UP/READY (resolves again).", name, m.host))
		l.notice(b, fmt.Sprintf("Server %s administratively READY thanks to valid DNS answer.", name))
		// As after maintenance: in service at once, and the first failing check ends it.
		k.state.Nameless, k.state.CheckDown, k.state.Stopping = false, false, false
		k.last.Store(nil)
		l.startCheck(k)
	case there && from.Addr() != m.addr:
		l.notice(b, fmt.Sprintf("%s changed its IP from %v to %v by %s.", name, from.Addr(), m.addr, m.by))
	case !there && was:
		k.state.Nameless = true
		k.stopCheck()
		l.notice(b, string(health.AppendNameless(nil, k.name(), statusWord(m.why), l.counts(k))))
	}
	k.publish()
	if there == was && !reweighed {
		return
	}
	if there != was {
		k.since.Store(int64(mono.Now()))
	}
	l.reslot(b)
}

// statusWord is a resolution's end in a log line.
func statusWord(s resolve.Status) string {
	switch s {
	case resolve.NX:
		return "NX"
	case resolve.Refused:
		return "refused"
	case resolve.Timeout:
		return "timeout"
	}
	return "unspecified"
}

// notice logs a change of a server to its backend's targets and to our own log.
func (l *LB) notice(b *proxy.Backend, line string) {
	b.Logs.Send(health.LevelUp, time.Now(), []byte(line))
	l.log.Info(line)
}
