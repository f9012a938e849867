package vrrpnet

import (
	"context"
	"errors"
	"reflect"

	"baton/internal/mono"
	"baton/internal/sys"
	"baton/vrrp"
)

// Change is another configuration for a Speaker that runs.
type Change struct {
	Instances []vrrp.Config
	Groups    []Group
	// Owner is asked for the owner of the addresses from then on, when those
	// instances that are no more have given theirs up. was names the instances that
	// go on by what they were called before. It is called on the VRRP thread.
	Owner func(now mono.Time, was map[string]string) Owner
	// Moved holds the instances whose addresses are others than before: one that is
	// master sets and announces them.
	Moved map[string]bool
	// Health is what the probes of new instances add up to when these start.
	Health map[string]vrrp.Event
}

// reload is a Change on its way to the VRRP thread.
type reload struct {
	Change
	next *roster
	done chan struct{}
}

// Verify reports how the configuration contradicts itself.
func (c *Change) Verify() error {
	_, err := newRoster(c.Instances, c.Groups)
	return err
}

// Reload goes on with another configuration. An instance whose virtual router
// (VRID, interface and family) was there before keeps its state, its timers and its
// counters; one that is no more resigns and lets its addresses go; a new one starts.
// It returns an error, and changes nothing, if the configuration contradicts itself;
// else when the VRRP thread works by the new one. After it, Link is to be told of
// every interface anew.
func (s *Speaker) Reload(ctx context.Context, c Change) error {
	next, err := newRoster(c.Instances, c.Groups)
	if err != nil {
		return err
	}
	o := &order{kind: orderReload, reload: &reload{Change: c, next: next, done: make(chan struct{})}}
	s.mail.put(o)
	select {
	case <-o.reload.done:
		return nil
	case <-ctx.Done():
		return errors.New("vrrp: the speaker stops")
	}
}

// reload puts another roster in the place of the present one.
func (l *loop) reload(now mono.Time, c *reload) {
	old, next := l.r, c.next
	heirs, gone := make(map[*member]*member), make(map[*member]bool)
	was := make(map[string]string)
	for _, p := range old.members {
		gone[p] = true
	}
	for _, m := range next.members {
		if p := old.same(&m.cfg); p != nil {
			heirs[m], was[m.cfg.Name] = p, p.cfg.Name
			delete(gone, p)
		}
	}
	for _, p := range old.members {
		if gone[p] {
			l.remove(now, p)
		}
	}
	l.owner = c.Owner(now, was)
	for _, k := range old.links {
		if heir := next.byLink[linkKey{k.name, k.six}]; heir != nil {
			heir.inherit(k)
			if heir.retry <= now {
				_ = heir.ensure(now) // tried again soon, and told then
			}
		} else {
			k.close()
		}
	}
	for m, p := range heirs {
		m.inherit(p)
	}
	l.r = next
	for _, t := range next.teams {
		l.takeOver(now, old, t, heirs)
	}
	l.s.roster.Store(next)
	for _, m := range next.members {
		if heirs[m] == nil {
			l.begin(mono.Now(), m, c.Health[m.cfg.Name])
		}
	}
	for m := range heirs {
		if c.Moved[m.cfg.Name] && m.instance().State() == vrrp.Master {
			l.readdress(mono.Now(), m)
		}
	}
	l.s.queue.put(Event{Kind: Reloaded, Time: mono.Now()})
	close(c.done)
}

// remove ends an instance that the new configuration does not have.
func (l *loop) remove(now mono.Time, p *member) {
	for _, a := range vrrp.Solo(p.instance()).Step(now, vrrp.Event{Kind: vrrp.Remove}, nil) {
		l.act(now, p, a)
	}
}

// takeOver gives a team the state machines of those that its members were before.
// Where nothing has changed it is the very same.
func (l *loop) takeOver(now mono.Time, old *roster, t *team, heirs map[*member]*member) {
	if same := unchanged(t, heirs); same != nil {
		t.adopt(same.group)
		l.r.due[t.place] = t.group.Deadline()
		return
	}
	state := vrrp.Init
	for _, o := range old.teams {
		if t.name != "" && o.name == t.name {
			state = o.group.State()
		}
	}
	joining := make([]vrrp.Joining, len(t.members))
	for i, m := range t.members {
		joining[i].Config = m.cfg
		if p := heirs[m]; p != nil {
			joining[i].Was = p.instance()
		}
	}
	group, actions := vrrp.Continue(now, t.name != "", state, joining, t.actions[:0])
	t.actions = actions
	t.adopt(group)
	l.carryOut(now, t)
}

// unchanged returns the team of before if this one has the same members with the
// same configurations.
func unchanged(t *team, heirs map[*member]*member) *team {
	first := heirs[t.members[0]]
	if first == nil || first.team.name != t.name || len(first.team.members) != len(t.members) {
		return nil
	}
	for i, m := range t.members {
		p := heirs[m]
		if p == nil || p.team != first.team || p.index != i || !reflect.DeepEqual(p.cfg, m.cfg) {
			return nil
		}
	}
	return first.team
}

func (t *team) adopt(g *vrrp.Group) {
	t.group = g
	for _, m := range t.members {
		m.group = g
		m.publish()
	}
}

// begin starts an instance that a reload has brought.
func (l *loop) begin(now mono.Time, m *member, health vrrp.Event) {
	if health.Kind == vrrp.Health {
		l.step(now, m, health)
	}
	if m.link.told {
		l.step(now, m, m.link.event())
	}
	l.step(now, m, vrrp.Event{Kind: vrrp.Start})
}

// readdress has the owner set and announce the addresses of a master that has
// others than before.
func (l *loop) readdress(now mono.Time, m *member) {
	if l.setAddresses(now, m, true) {
		l.owner.Announce(m.cfg.Name, false, mono.Now())
		return
	}
	l.step(mono.Now(), m, vrrp.Event{Kind: vrrp.AddressesFailed})
}

// inherit takes over what a link of the same interface has: its socket first of all.
func (l *link) inherit(k *link) {
	l.told, l.index, l.up, l.primary = k.told, k.index, k.up, k.primary
	l.retry, l.problem = k.retry, k.problem
	l.refusals = k.refusals
	for r := range k.refused {
		l.refused[r].Store(k.refused[r].Load())
	}
	if l.framed != k.framed { // its sockets are others then
		k.close()
		l.retry = 0 // at once
		return
	}
	l.fd, l.frames = k.fd, k.frames
	k.fd, k.frames = sys.NoFD, sys.NoFD
}

// inherit takes over what is counted and known of an instance.
func (m *member) inherit(p *member) {
	m.addErr, m.delErr, m.source, m.since, m.why = p.addErr, p.delErr, p.source, p.since, p.why
	m.refusals, m.notes, m.sending = p.refusals, p.notes, p.sending
	m.transitions.Store(p.transitions.Load())
	m.sent.Store(p.sent.Load())
	m.sendErrors.Store(p.sendErrors.Load())
	m.received.Store(p.received.Load())
	m.maxLate.Store(p.maxLate.Load())
	m.becameMaster.Store(p.becameMaster.Load())
	m.leftMaster.Store(p.leftMaster.Load())
	m.zeroSent.Store(p.zeroSent.Load())
	m.zeroReceived.Store(p.zeroReceived.Load())
	for r := range p.refused {
		m.refused[r].Store(p.refused[r].Load())
	}
	for n := range p.sights.list {
		m.sights.list[n].seen.Store(p.sights.list[n].seen.Load())
		m.sights.list[n].heard.Store(p.sights.list[n].heard.Load())
		m.sights.list[n].told = p.sights.list[n].told
	}
	for _, a := range m.paths {
		for _, b := range p.paths {
			if a.link.name == b.link.name {
				a.problem, a.errno, a.failing = b.problem, b.errno, b.failing
				a.sent.Store(b.sent.Load())
				a.sendErrors.Store(b.sendErrors.Load())
				a.received.Store(b.received.Load())
			}
		}
	}
}
