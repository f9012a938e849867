package vrrpnet

import (
	"cmp"
	"net/netip"
	"sync/atomic"
	"time"

	"baton/internal/mono"
	"baton/internal/sys"
	"baton/vrrp"
	"baton/vrrp/packet"
)

// member is one instance. The VRRP thread owns it; others read the atomics.
type member struct {
	cfg     vrrp.Config
	version uint8
	team    *team
	index   int // in its team
	group   *vrrp.Group
	link    *link
	dests   []dest
	paths   []*path // heartbeat_path

	mainPath atomic.Pointer[PathView] // of Interface, where there are paths

	void   bool       // its addresses failed in this step: what else it says is void
	buf    []byte     // scratch: the packet being sent
	addErr string     // why the addresses could not be added when it was tried last
	delErr string     // likewise removed
	source netip.Addr // the last good one
	since  mono.Time
	why    vrrp.Why

	refusals [packet.NumReasons]limiter
	notes    [vrrp.NumNotes]limiter
	sending  limiter

	sights      sights
	view        atomic.Pointer[View]
	deadline    atomic.Int64
	transitions atomic.Uint64
	sent        atomic.Uint64
	sendErrors  atomic.Uint64
	received    atomic.Uint64
	maxLate     atomic.Int64
	refused     [packet.NumReasons]atomic.Uint64

	becameMaster, leftMaster atomic.Uint64
	zeroSent, zeroReceived   atomic.Uint64 // adverts of priority 0
}

func newMember(c vrrp.Config, l *link) *member {
	ad := packet.Advert{Version: max(c.Version, 2), Auth: c.Auth, Addresses: c.Advertised}
	return &member{
		cfg: c, version: ad.Version, link: l, dests: destinations(c.IPv6, c.Peers, c.TTL),
		buf: make([]byte, 0, etherLen+packet.IPv6HeaderLen+ad.Len()+packet.OriginLen),
	}
}

func (m *member) instance() *vrrp.Instance { return m.group.Member(m.index) }

// publish makes the present state readable for others. It allocates only when
// something is different.
func (m *member) publish() {
	i := m.instance()
	peer, peerPriority := i.Peer()
	v := View{
		State: i.State(), Since: m.since, Why: m.why, Faults: i.Faults(),
		Priority: i.Priority(), Delta: i.Delta(), Pending: i.Pending(), Yielded: i.Yielded(),
		Source: i.Source(), Master: peer, MasterPriority: peerPriority,
		Problem: cmp.Or(m.delErr, m.link.problem),
	}
	if v.Faults&vrrp.NoAddresses != 0 { // it explains this fault, and ends with it
		v.Problem = cmp.Or(m.addErr, v.Problem)
	}
	if old := m.view.Load(); old == nil || *old != v {
		m.view.Store(new(v))
	}
	m.publishPaths()
	m.deadline.Store(int64(m.group.Deadline()))
}

// send sends one advert by every path. A master that resigns because it lost its source
// address sends from the one it had: the others know it by that.
func (m *member) send(priority uint8) sys.Errno {
	ad := packet.Advert{
		Version: m.version, VRID: m.cfg.VRID, Priority: priority, Interval: m.cfg.AdvertInterval,
		Auth: m.cfg.Auth, PlainSum: m.cfg.PlainSum, Addresses: m.cfg.Advertised,
	}
	if source := m.instance().Source(); source.IsValid() {
		m.source = source
	}
	errno := sys.Errno(sys.EADDRNOTAVAIL)
	if m.source.IsValid() {
		errno = m.transmit(&ad, m.link, m.dests, m.source, netip.Addr{})
		for _, p := range m.paths {
			p.send(&ad)
		}
	}
	if errno == 0 {
		m.sent.Add(1)
		if priority == 0 {
			m.zeroSent.Add(1)
		}
	} else {
		m.sendErrors.Add(1)
	}
	return errno
}

// transmit sends an advert by one link, with the origin behind it if there is one.
func (m *member) transmit(ad *packet.Advert, l *link, dests []dest, source, origin netip.Addr) (errno sys.Errno) {
	n := ad.Len()
	if origin.IsValid() {
		n += packet.OriginLen
	}
	framed := m.cfg.VirtualMAC && l == m.link // a heartbeat path has no virtual addresses
	for i := range dests {
		to := &dests[i]
		ph := packet.Pseudo{Source: source, Destination: to.addr}
		m.buf = m.buf[:0]
		if framed {
			m.buf = appendEther(m.buf, m.cfg.MAC(), to.addr)
		}
		m.buf = packet.AppendIP(m.buf, ph, to.ttl, n)
		m.buf = ad.Append(m.buf, ph)
		if origin.IsValid() {
			m.buf = packet.AppendOrigin(m.buf, origin)
		}
		e := sys.Errno(0)
		if framed {
			e = l.sendFrame(m.buf)
		} else {
			e = l.send(m.buf, &to.sockaddr)
		}
		// A peer that cannot be reached must not keep the others from hearing.
		if e != 0 {
			errno = e
		}
	}
	return errno
}

// dest is where adverts go: the group, or one peer.
type dest struct {
	addr     netip.Addr
	ttl      uint8
	sockaddr sys.Sockaddr
}

func destinations(six bool, peers []vrrp.Peer, ttl uint8) []dest {
	to := func(a netip.Addr, ttl uint8) dest {
		return dest{a, ttl, sys.SockaddrOf(netip.AddrPortFrom(a, 0))}
	}
	if len(peers) == 0 {
		return []dest{to(groupOf(six), packet.HopLimit)}
	}
	var list []dest
	for _, p := range peers {
		list = append(list, to(p.Addr, cmp.Or(ttl, packet.HopLimit)))
	}
	return list
}

func groupOf(six bool) netip.Addr {
	if six {
		return packet.Group6()
	}
	return packet.Group()
}

// admits looks at where a packet comes from and goes to: whether an instance may
// listen to it at all.
func (m *member) admits(h packet.Header) packet.Reason {
	return admits(h, m.cfg.IPv6, m.cfg.Peers, m.cfg.CheckPeers)
}

func admits(h packet.Header, six bool, peers []vrrp.Peer, strict bool) packet.Reason {
	if len(peers) == 0 {
		switch {
		case h.Destination != groupOf(six):
			return packet.Destination
		case h.TTL != packet.HopLimit:
			return packet.TTL
		}
		return packet.OK
	}
	// Routers may lie between unicast peers, so the TTL says nothing by itself.
	if h.Destination.IsMulticast() {
		return packet.Destination
	}
	for _, p := range peers {
		if p.Addr == h.Source {
			if h.TTL < p.MinTTL || p.MaxTTL != 0 && h.TTL > p.MaxTTL {
				return packet.PeerTTL
			}
			return packet.OK
		}
	}
	if strict {
		return packet.Sender
	}
	return packet.OK
}

// limiter lets the first of a kind of message through and then one per interval.
type limiter struct {
	next   mono.Time
	silent uint64
}

// pass reports whether to speak now, and how often it was not spoken before.
func (l *limiter) pass(now mono.Time, every time.Duration) (repeated uint64, ok bool) {
	if now < l.next {
		l.silent++
		return 0, false
	}
	repeated, l.silent = l.silent, 0
	l.next = now.Add(every)
	return repeated, true
}
