package vrrpnet

import (
	"baton/internal/mono"
	"baton/internal/sys"
	"baton/vrrp"
)

// step steps an instance, and with it its sync group, and does what they say.
func (l *loop) step(now mono.Time, m *member, ev vrrp.Event) {
	t := m.team
	ev.Member = m.index
	t.actions = t.group.Step(now, ev, t.actions[:0])
	l.carryOut(now, t)
}

// carryOut does what a team's state machines have said last.
func (l *loop) carryOut(now mono.Time, t *team) {
	l.r.due[t.place] = t.group.Deadline() // first: keepSpeaking goes by it
	var failed *member
	for _, a := range t.actions {
		who := t.members[a.Member]
		switch {
		case a.Kind == vrrp.NotifyGroup:
			if failed == nil {
				l.tellGroup(now, t, a)
			}
		case who.void: // the rest of its batch
		case !l.act(now, who, a):
			who.void = true
			failed = who
		}
	}
	for _, who := range t.members {
		who.void = false
		who.publish()
	}
	if failed != nil {
		l.step(mono.Now(), failed, vrrp.Event{Kind: vrrp.AddressesFailed})
	}
}

func (l *loop) tellGroup(now mono.Time, t *team, a vrrp.Action) {
	e := Event{Kind: GroupChanged, Time: now, Group: t.name, From: a.From, State: a.State, Why: a.Why, Faults: a.Faults}
	if a.Why == vrrp.Stopped {
		l.farewell = append(l.farewell, e)
		return
	}
	l.s.queue.put(e)
}

// act carries out one action. It is false when the addresses could not be set up:
// the rest of the batch is void then.
func (l *loop) act(now mono.Time, m *member, a vrrp.Action) bool {
	told := Event{
		Time: now, Instance: m.cfg.Name, Interface: m.cfg.Interface,
		From: a.From, State: a.State, Why: a.Why, Faults: a.Faults, Priority: a.Priority,
		Note: a.Note, Reason: a.Reason, Peer: a.Peer, PeerPriority: a.PeerPriority, Interval: a.Interval, Up: a.Up,
	}
	switch a.Kind {
	case vrrp.SendAdvert:
		l.sendAdvert(now, m, a.Priority)
	case vrrp.SetVIPs:
		return l.setAddresses(now, m, a.Up)
	case vrrp.Announce:
		l.owner.Announce(m.cfg.Name, a.Conflict, mono.Now())
	case vrrp.Notify:
		m.since, m.why = now, a.Why
		m.transitions.Add(1)
		switch {
		case a.State == vrrp.Master:
			m.becameMaster.Add(1)
		case a.From == vrrp.Master:
			m.leftMaster.Add(1)
		}
		m.publish() // before the event, so that who hears it sees it
		told.Kind = StateChanged
		l.s.queue.put(told)
	case vrrp.Drop:
		l.refuse(now, m.link, m, a.Reason, a.Peer)
	case vrrp.Trace:
		told.Kind = Noted
		ok := true
		if a.Note == vrrp.PathSilent || a.Note == vrrp.PathSeen {
			told.Interface = m.pathName(a.Path)
		} else if a.Note != vrrp.PriorityChanged && a.Note != vrrp.FaultsChanged {
			told.Repeated, ok = m.notes[a.Note].pass(now, tellNotes)
		}
		if ok {
			l.s.queue.put(told)
		}
	}
	return true
}

func (l *loop) sendAdvert(now mono.Time, m *member, priority uint8) {
	errno := m.send(priority)
	for _, p := range m.paths {
		if p.errno != 0 {
			l.sendFailed(now, m, p.link.name, &p.failing, priority, p.errno)
		}
	}
	// Without a socket there is a fault already, with its own message; a
	// resignation into it is not expected to arrive.
	if errno == 0 || m.link.fd == sys.NoFD {
		return
	}
	l.sendFailed(now, m, m.cfg.Interface, &m.sending, priority, errno)
}

func (l *loop) sendFailed(now mono.Time, m *member, iface string, limit *limiter, priority uint8, errno sys.Errno) {
	if repeated, ok := limit.pass(now, tellRefusals); ok {
		l.s.queue.put(Event{
			Kind: SendFailed, Time: now, Instance: m.cfg.Name, Interface: iface,
			Priority: priority, Repeated: repeated, Err: errno,
		})
	}
}

// keepSpeaking sends the adverts that have become due while a batch is carried out. It
// steps nothing, so that it can be called in the midst of that.
func (l *loop) keepSpeaking() {
	now := mono.Now()
	for i, t := range l.r.teams {
		if l.r.due[i] > now {
			continue
		}
		l.overdue = t.group.Overdue(now, l.overdue[:0])
		for _, a := range l.overdue {
			l.sendAdvert(now, t.members[a.Member], a.Priority)
		}
		l.r.due[i] = t.group.Deadline()
	}
}

// setAddresses has the owner add or remove the addresses. A master that cannot
// have them must not stay master (false). Addresses that cannot be removed are
// told; their lease, which nobody renews any more, ends them.
func (l *loop) setAddresses(now mono.Time, m *member, up bool) bool {
	err := l.owner.Set(m.cfg.Name, up, mono.Now(), l.keepSpeaking)
	problem := &m.delErr
	if up {
		problem = &m.addErr
	}
	if err == nil {
		*problem = ""
		if up {
			m.delErr = "" // they are wanted again
		}
		return true
	}
	*problem = err.Error()
	l.s.queue.put(Event{Kind: AddressesStuck, Time: now, Instance: m.cfg.Name, Interface: m.cfg.Interface, Up: up, Err: err})
	return !up
}
