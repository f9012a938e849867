package vrrpnet

import (
	"errors"
	"fmt"
	"net/netip"
	"sync/atomic"

	"baton/internal/mono"
	"baton/internal/sys"
	"baton/vrrp"
	"baton/vrrp/packet"
)

// path is a heartbeat_path of an instance. The VRRP thread owns it; others read the
// atomics.
type path struct {
	cfg     vrrp.Path
	member  *member
	number  int // in vrrp.Event.Path
	link    *link
	dests   []dest
	problem string    // as last told
	errno   sys.Errno // of the last advert
	failing limiter

	view       atomic.Pointer[PathView]
	sent       atomic.Uint64
	sendErrors atomic.Uint64
	received   atomic.Uint64
}

// PathView is what an instance knows of one path, consistent in itself.
type PathView struct {
	Sighting vrrp.Sighting
	Since    mono.Time
	Problem  string // why adverts neither leave nor come by it
}

// PathStatus is one path of an instance.
type PathStatus struct {
	Interface string
	Unicast   bool
	PathView
	Sent, SendErrors, Received uint64
}

// makePaths gives the instances their heartbeat paths.
func (r *roster) makePaths() error {
	for _, m := range r.members {
		for n, c := range m.cfg.Paths {
			l := r.linkOf(c.Interface, m.cfg.IPv6)
			vrid := m.cfg.VRID
			other := l.members[vrid]
			if p := l.paths[vrid]; p != nil {
				other = p.member
			}
			if other != nil {
				return fmt.Errorf("vrrp: heartbeat_path of %s: virtual_router_id %d on %s is %s's", m.cfg.Name, vrid, c.Interface, other.cfg.Name)
			}
			p := &path{cfg: c, member: m, number: n + 1, link: l, dests: destinations(m.cfg.IPv6, c.Peers, c.TTL)}
			l.paths[vrid] = p
			m.paths = append(m.paths, p)
		}
	}
	return nil
}

// source is where the path's adverts come from; zero if there is no address.
func (p *path) source() netip.Addr {
	if p.cfg.Source.IsValid() {
		return p.cfg.Source
	}
	return p.link.primary
}

// fault is why the path cannot be used; "" if it can.
func (p *path) fault() string {
	switch faults := p.link.event().Faults; {
	case faults&vrrp.NoSocket != 0 && p.link.problem != "":
		return p.link.problem
	case faults != 0:
		return faults.String()
	case !p.source().IsValid():
		return vrrp.NoAddress.String()
	}
	return ""
}

// send sends an advert by this path. That it cannot is no failure of the instance.
func (p *path) send(ad *packet.Advert) {
	if p.errno = 0; p.problem != "" || p.link.fd == sys.NoFD {
		return // which was told, or nothing is known of the interface yet
	}
	p.errno = p.member.transmit(ad, p.link, p.dests, p.source(), p.member.source)
	if p.errno != 0 {
		p.sendErrors.Add(1)
		return
	}
	p.sent.Add(1)
}

// whose completes an event for an advert: by which path it came, and from which node.
// One with an origin is of a heartbeat path, also if it came by the interface of the
// instance because the two are in one network.
func (l *loop) whose(ev *vrrp.Event, m *member, p *path, payload []byte) packet.Reason {
	origin, ok := packet.ParseOrigin(payload[l.advert.Len():], m.cfg.IPv6)
	switch {
	case ok && origin == m.source:
		return packet.Looped
	case ok:
		ev.From = origin
	case p != nil:
		return packet.NoOrigin
	}
	if p != nil {
		p.received.Add(1)
		ev.Path = p.number
	}
	return packet.OK
}

// receiveAll reads what has come for an instance by all of its paths.
func (l *loop) receiveAll(m *member) {
	l.receive(m.link)
	for _, p := range m.paths {
		l.receive(p.link)
	}
}

// pathChanged tells what has become of the heartbeat paths of a link.
func (l *loop) pathChanged(now mono.Time, k *link) {
	for _, p := range k.paths {
		if p == nil {
			continue
		}
		problem := p.fault()
		if problem == p.problem {
			continue
		}
		p.problem = problem
		e := Event{Kind: PathChanged, Time: now, Instance: p.member.cfg.Name, Interface: k.name}
		if problem != "" {
			e.Err = errors.New(problem)
		}
		l.s.queue.put(e)
		p.member.publish()
	}
}

// publishPaths makes what is known of the paths readable for others.
func (m *member) publishPaths() {
	for n, s := range m.instance().PathSights() {
		v, at := PathView{Sighting: s.Sighting, Since: s.Since}, &m.mainPath
		if n > 0 {
			p := m.paths[n-1]
			v.Problem, at = p.problem, &p.view
		}
		if old := at.Load(); old == nil || *old != v {
			at.Store(new(v))
		}
	}
}

func (m *member) pathStatus() []PathStatus {
	if len(m.paths) == 0 {
		return nil
	}
	list := []PathStatus{{
		Interface: m.cfg.Interface, Unicast: m.cfg.Unicast(), PathView: *m.mainPath.Load(),
		Sent: m.sent.Load(), SendErrors: m.sendErrors.Load(),
	}}
	list[0].Received = m.received.Load()
	for _, p := range m.paths {
		received := p.received.Load()
		list = append(list, PathStatus{
			Interface: p.cfg.Interface, Unicast: len(p.cfg.Peers) > 0, PathView: *p.view.Load(),
			Sent: p.sent.Load(), SendErrors: p.sendErrors.Load(), Received: received,
		})
		list[0].Received -= min(received, list[0].Received)
	}
	return list
}

// pathName is the interface of the n-th path, 0 being the instance's own.
func (m *member) pathName(n int) string {
	if n == 0 {
		return m.cfg.Interface
	}
	return m.cfg.Paths[n-1].Interface
}
