package vrrpnet

import (
	"net/netip"
	"time"

	"baton/internal/mono"
	"baton/internal/sys"
	"baton/vrrp"
	"baton/vrrp/packet"
)

const (
	// maxWait bounds a wait, so that Alive can tell sleeping from hanging.
	maxWait = time.Second

	// maxBatch bounds how many packets of one socket are read before the timers
	// get their turn: a flood must not keep adverts from being sent.
	maxBatch = 64

	// What is noticed again and again is told once in this time.
	tellRefusals = time.Minute
	tellNotes    = time.Second / 2
)

// loop is the VRRP thread's own: nobody else touches it.
type loop struct {
	s     *Speaker
	r     *roster
	owner Owner
	poll  sys.PollSet

	buf      [packet.IPv4HeaderLen + 40 + packet.MaxLen + 64]byte // one packet, options and padding included
	recv6    sys.Receiver6
	advert   packet.Advert
	thread   thread
	naps     napClock
	tick     sys.Ticker
	stopping bool
	overdue  []vrrp.Action // reused by keepSpeaking
	farewell []Event       // that groups have stopped, told when all instances have, as keepalived does it
}

// run turns until the order to stop has come. The order of a turn matters:
//
//  1. Instances that stood still for too long, with the machine or alone, fence themselves, before anything
//     that has been waiting is read or sent.
//  2. Orders from other goroutines.
//  3. Adverts that have arrived: they may make a timer obsolete.
//  4. Timers, of instances, addresses and sockets.
func (l *loop) run() {
	for !l.stopping {
		l.thread.follow()
		now := mono.Now()
		l.s.beat.Store(int64(now))
		l.wake()
		for i, due := range l.r.due {
			if t := l.r.teams[i]; due <= now && t.group.Stalled(now) {
				l.step(now, t.members[0], vrrp.Event{Kind: vrrp.Timer})
			}
		}
		for o := l.s.mail.take(); o != nil; o = o.next {
			l.obey(mono.Now(), o)
		}
		for _, k := range l.r.links {
			if k.polled >= 0 && l.poll.Ready(k.polled) {
				l.receive(k)
			}
		}
		l.timers()
		l.wait()
	}
	l.shutdown()
}

// timers serves what is due.
func (l *loop) timers() {
	now := mono.Now()
	served := false
	for i, t := range l.r.teams {
		if l.r.due[i] > now {
			continue
		}
		// An advert may have come since the sockets were looked at; if it did, the
		// timer of a backup is void.
		for _, m := range t.members {
			l.receiveAll(m)
		}
		if due := t.group.Deadline(); due <= now {
			m := t.members[0]
			if late := int64(now.Sub(due)); late > m.maxLate.Load() {
				m.maxLate.Store(late)
			}
			l.step(now, m, vrrp.Event{Kind: vrrp.Timer})
			now = mono.Now()
			served = true
		}
	}
	if served {
		l.takeAlong(now)
	}
	for _, k := range l.r.links {
		if k.retry <= now {
			l.linkChanged(now, k, k.ensure(now))
		}
	}
	l.owner.Tick(now)
}

// takeAlong sends adverts that would have this thread wake up again in a moment.
func (l *loop) takeAlong(now mono.Time) {
	taken := 0
	for i, t := range l.r.teams {
		if l.r.due[i].Add(-t.ahead) > now {
			continue
		}
		if t.actions = t.group.Ahead(now, t.actions[:0]); len(t.actions) > 0 {
			l.carryOut(now, t)
			if taken++; taken == maxBatch {
				return
			}
		}
	}
}

// wait sleeps until a packet or an order comes or something is due.
func (l *loop) wait() {
	due := l.owner.Deadline()
	for _, d := range l.r.due {
		due = min(due, d)
	}
	l.poll.Reset()
	l.poll.Add(l.s.mail.wake.FD)
	l.poll.Add(l.tick.FD)
	added := 2
	for _, k := range l.r.links {
		due = mono.Min(due, k.retry)
		k.polled = -1
		if k.fd != sys.NoFD {
			k.polled = added
			l.poll.Add(k.fd)
			added++
		}
	}
	if l.stopping {
		return
	}
	l.thread.breathe(mono.Now())
	l.thread.follow()
	l.poll.Wait(min(due.Sub(mono.Now()), maxWait))
	if l.poll.Ready(1) {
		l.tick.Drain()
	}
}

// obey carries out an order.
func (l *loop) obey(now mono.Time, o *order) {
	switch o.kind {
	case orderLink:
		if k := l.r.byLink[o.link]; k != nil {
			l.linkChanged(now, k, k.update(now, o.index, o.up, o.primary))
		}
	case orderHealth:
		if m := l.r.byName[o.instance]; m != nil {
			l.step(now, m, o.event)
		}
	case orderHint:
		if m := l.r.byName[o.instance]; m != nil {
			// What a node said by advert came before what its kernel or the link says of
			// it: an advert that still waits would seem a sign of life afterwards.
			l.receiveAll(m)
			l.step(mono.Now(), m, o.event)
		}
	case orderReload:
		l.reload(now, o.reload)
	case orderStop:
		l.stopping = true
	}
}

// linkChanged passes the state of an interface on to its instances. err is why its
// socket cannot be opened.
func (l *loop) linkChanged(now mono.Time, k *link, err error) {
	problem := ""
	if err != nil {
		problem = err.Error()
	}
	if problem != k.problem {
		k.problem = problem
		if err != nil {
			l.s.queue.put(Event{Kind: SocketFailed, Time: now, Interface: k.name, Err: err})
		}
	}
	for _, m := range l.r.members {
		if m.link == k {
			l.step(now, m, k.event())
		}
	}
	l.pathChanged(now, k)
}

// start begins the life of every instance.
func (l *loop) start() {
	for o := l.s.mail.take(); o != nil; o = o.next {
		l.obey(mono.Now(), o)
	}
	for _, m := range l.r.members {
		l.step(mono.Now(), m, vrrp.Event{Kind: vrrp.Start})
	}
}

// shutdown ends every instance: the resignations first, they are what the other
// nodes wait for, then the sockets.
func (l *loop) shutdown() {
	for _, m := range l.r.members {
		l.step(mono.Now(), m, vrrp.Event{Kind: vrrp.Shutdown})
	}
	for _, e := range l.farewell {
		l.s.queue.put(e)
	}
	for _, k := range l.r.links {
		k.close()
	}
}

// receive reads what a link's socket holds.
func (l *loop) receive(k *link) {
	for range maxBatch {
		if k.fd == sys.NoFD {
			return
		}
		h, payload, r, errno := l.read(k)
		switch errno {
		case 0:
			l.packet(k, h, payload, r)
		case sys.EINTR:
		default:
			// EAGAIN: nothing left. Else the interface went away under the socket; that
			// was the pending error's only report, and the link watcher tells the rest.
			return
		}
	}
}

// read takes one packet from a link's socket, which has one.
func (l *loop) read(k *link) (h packet.Header, payload []byte, r packet.Reason, errno sys.Errno) {
	if k.six {
		n, d, errno := l.recv6.Recv(k.fd, l.buf[:])
		h = packet.Header{Pseudo: packet.Pseudo{Source: d.From, Destination: d.To}, TTL: d.HopLimit}
		return h, l.buf[:n], packet.OK, errno
	}
	n, errno := k.fd.Recv(l.buf[:])
	if errno == 0 {
		h, payload, r = packet.ParseIPv4(l.buf[:n])
	}
	return h, payload, r, errno
}

// packet handles one received packet.
func (l *loop) packet(k *link, h packet.Header, payload []byte, r packet.Reason) {
	now := mono.Now()
	var m *member
	var p *path
	if len(payload) >= 2 {
		if m, p = k.members[payload[1]], k.paths[payload[1]]; p != nil {
			m = p.member
		}
	}
	switch {
	case r != packet.OK:
	case len(payload) < 2:
		r = packet.Short
	case m == nil:
		// Somebody else's virtual router; RFC 3768 section 7.1 asks for the VRID last,
		// but then a neighbour's other password would be counted as a mistake of ours.
		r = packet.VRID
	case p != nil:
		r = admits(h, k.six, p.cfg.Peers, true)
	default:
		r = m.admits(h)
	}
	if r != packet.OK {
		l.refuse(now, k, nil, r, h.Source)
		return
	}
	r = l.advert.Parse(payload, m.version, h.Pseudo)
	if r == packet.Short {
		l.refuse(now, k, nil, r, h.Source)
		return
	}
	m.received.Add(1)
	ev := vrrp.Event{Kind: vrrp.Heard, From: h.Source, Advert: &l.advert}
	switch r {
	case packet.OK:
		if r = l.whose(&ev, m, p, payload); r == packet.OK {
			l.see(now, m, ev.From, m.version, &l.advert)
		}
	case packet.Version:
		if p == nil {
			l.see(now, m, h.Source, payload[0]>>4, nil)
		}
	}
	if r != packet.OK {
		l.refuse(now, k, m, r, h.Source)
		return
	}
	if l.advert.Priority == 0 {
		m.zeroReceived.Add(1)
	}
	l.step(now, m, ev)
}

// refuse counts a packet that is not accepted, and tells it now and then. m is nil
// when it is nobody's.
func (l *loop) refuse(now mono.Time, k *link, m *member, r packet.Reason, from netip.Addr) {
	counter, limit, name := &k.refused[r], &k.refusals[r], ""
	if m != nil {
		counter, limit, name = &m.refused[r], &m.refusals[r], m.cfg.Name
	}
	counter.Add(1)
	if r == packet.VRID {
		return // not a fault: several virtual routers share a LAN
	}
	if repeated, ok := limit.pass(now, tellRefusals); ok {
		l.s.queue.put(Event{
			Kind: Refused, Time: now, Instance: name, Interface: k.name,
			Reason: r, Peer: from, Repeated: repeated,
		})
	}
}
