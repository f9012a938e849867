package pair

import (
	"bytes"
	"time"

	"baton/internal/mono"
)

const (
	// HeartbeatInterval is how often each end speaks, at least.
	HeartbeatInterval = 500 * time.Millisecond
	// SilenceLimit is how long the peer may be silent before the link is down.
	SilenceLimit = 2 * time.Second

	helloLimit  = 3 * time.Second // from a connection to the peer's Hello
	verifyLimit = time.Second     // for the peer's kernel to answer what became of it
	switchLimit = time.Second     // from the end of one of two connections to the other's Hello
	firstRetry  = 100 * time.Millisecond
	lastRetry   = 5 * time.Second
	maxConns    = 4
)

// ID is a node: the SHA-256 of its public key.
type ID [32]byte

// Machine is the state of the link to one peer.
type Machine struct {
	hello    Hello
	outgoing bool // of two connections, the one that this node dialled survives

	conns   []conn
	current uint64 // the connection that is the link; 0: the link is not up
	peer    Hello  // of the link that is or was up last
	state   State

	started, stopped bool
	pause            pause
	pauseUntil       mono.Time
	why              Why
	since            mono.Time

	dialling bool
	nextDial mono.Time
	retry    time.Duration
	nextBeat mono.Time
}

// pause is a link that is not up and not yet down.
type pause uint8

const (
	noPause   pause = iota
	verifying       // the peer's kernel ended the connection: it is asked again
	switching       // one of two connections was closed, the other is on its way
)

// conn is one connection to the peer.
type conn struct {
	id       uint64
	outgoing bool
	since    mono.Time
	heard    mono.Time
	greeted  bool // the peer's Hello is here
	hello    Hello
}

// NewMachine makes the state of a link that has not been started. hello is what
// this node says of itself.
func NewMachine(self, peer ID, hello Hello) *Machine {
	hello.Protocol = Protocol
	return &Machine{hello: hello, outgoing: bytes.Compare(self[:], peer[:]) < 0, retry: firstRetry, nextDial: mono.Never, nextBeat: mono.Never}
}

// IsUp reports whether the link is up.
func (m *Machine) IsUp() bool { return m.current != 0 }

// Since is since when the link is up, or down.
func (m *Machine) Since() mono.Time { return m.since }

// Why is why the link is not up.
func (m *Machine) Why() Why { return m.why }

// Deadline is when a Timer event is due.
func (m *Machine) Deadline() mono.Time {
	if !m.started || m.stopped {
		return mono.Never
	}
	d := mono.Never
	if m.wantsDial() {
		d = m.nextDial
	}
	if m.current != 0 {
		d = mono.Min(d, m.nextBeat)
	}
	if m.pause != noPause {
		d = mono.Min(d, m.pauseUntil)
	}
	for i := range m.conns {
		d = mono.Min(d, m.conns[i].deadline())
	}
	return d
}

func (c *conn) deadline() mono.Time {
	if !c.greeted {
		return c.since.Add(helloLimit)
	}
	return c.heard.Add(SilenceLimit)
}

// Step applies an event at now and appends what to do to out, in order.
func (m *Machine) Step(now mono.Time, ev Event, out []Action) []Action {
	if m.stopped {
		if ev.Kind == Connected {
			out = append(out, Action{Kind: Close, Conn: ev.Conn})
		}
		return out
	}
	switch ev.Kind {
	case Start:
		m.started, m.since, m.nextDial = true, now, now
		out = m.dial(now, out)
	case Timer:
		out = m.expire(now, out)
	case Connected:
		out = m.connected(now, ev, out)
	case DialFailed:
		m.dialling = false
		if m.pause == verifying && ev.Refused {
			return m.gone(now, out)
		}
		m.later(now)
	case Received:
		if c := m.find(ev.Conn); c != nil {
			c.heard = now
			out = m.received(now, c, ev.Message, out)
		}
	case Ended:
		out = m.ended(now, ev, out)
	case Publish:
		m.state = ev.State
		out = m.say(now, m.state, out)
	case Say:
		out = m.say(now, ev.Message, out)
	case Stop:
		m.stopped = true
		for _, c := range m.conns {
			out = append(out, farewell(c.id, Leaving)...)
		}
		m.conns, m.current = nil, 0
	}
	return out
}

func farewell(id uint64, why Farewell) []Action {
	return []Action{{Kind: Send, Conn: id, Message: Goodbye{Why: why}}, {Kind: Close, Conn: id}}
}

// say sends a message on the link, if it is up.
func (m *Machine) say(now mono.Time, msg Message, out []Action) []Action {
	if m.current == 0 {
		return out
	}
	m.nextBeat = now.Add(HeartbeatInterval)
	return append(out, Action{Kind: Send, Conn: m.current, Message: msg})
}

// dial connects if it is time to, and nothing else is on its way.
func (m *Machine) dial(now mono.Time, out []Action) []Action {
	if !m.wantsDial() || now < m.nextDial {
		return out
	}
	m.dialling = true
	return append(out, Action{Kind: Dial})
}

// wantsDial reports whether there is neither a link nor a connection of ours that
// may become it.
func (m *Machine) wantsDial() bool {
	for i := range m.conns {
		if m.conns[i].outgoing {
			return false
		}
	}
	return m.current == 0 && !m.dialling
}

// later plans the next dial; the waits grow until the link is up.
func (m *Machine) later(now mono.Time) {
	m.nextDial = now.Add(m.retry)
	m.retry = min(2*m.retry, lastRetry)
}

func (m *Machine) expire(now mono.Time, out []Action) []Action {
	for i := 0; i < len(m.conns); i++ {
		c := m.conns[i]
		if now < c.deadline() {
			continue
		}
		out = append(out, farewell(c.id, Unheard)...)
		out = m.lose(now, c.id, PeerSilent, out)
		i--
	}
	if m.pause != noPause && now >= m.pauseUntil {
		out = m.down(now, m.why, out)
	}
	if m.current != 0 && now >= m.nextBeat {
		out = m.say(now, Heartbeat{}, out)
	}
	return m.dial(now, out)
}

func (m *Machine) connected(now mono.Time, ev Event, out []Action) []Action {
	if ev.Outgoing {
		m.dialling = false
		m.later(now)
	}
	if len(m.conns) >= maxConns {
		return append(out, farewell(ev.Conn, Duplicate)...)
	}
	m.conns = append(m.conns, conn{id: ev.Conn, outgoing: ev.Outgoing, since: now, heard: now})
	return append(out, Action{Kind: Send, Conn: ev.Conn, Message: m.hello})
}

func (m *Machine) received(now mono.Time, c *conn, msg Message, out []Action) []Action {
	switch msg := msg.(type) {
	case Goodbye:
		return m.bidden(now, c, msg.Why, out)
	case Hello:
		switch {
		case c.greeted:
			return out
		case msg.Protocol != Protocol:
			id := c.id
			m.why = PeerIncompatible
			out = append(out, farewell(id, Incompatible)...)
			return m.lose(now, id, PeerIncompatible, out)
		}
		c.greeted, c.hello = true, msg
		return m.choose(now, *c, out)
	}
	if !c.greeted {
		id := c.id
		out = append(out, farewell(id, Malformed)...)
		return m.lose(now, id, PeerGarbled, out)
	}
	if c.id != m.current {
		return out
	}
	switch msg.(type) {
	case State, Takeover, Answer, Cancel:
		return append(out, Action{Kind: Heard, Message: msg})
	}
	return out
}

// choose decides between the link and a new connection that the peer has greeted
// on. Both ends see the same of both, so they decide alike.
func (m *Machine) choose(now mono.Time, c conn, out []Action) []Action {
	old := m.find(m.current)
	switch {
	case old == nil:
	case old.hello.Incarnation != c.hello.Incarnation:
		// A new process of the peer: nobody is at the other end of the old one.
	case old.outgoing != c.outgoing && c.outgoing != m.outgoing:
		out = append(out, farewell(c.id, Duplicate)...)
		m.remove(c.id)
		return out
	}
	if old != nil {
		id := old.id
		out = append(out, farewell(id, Duplicate)...)
		m.remove(id)
	}
	again := m.peer.Incarnation == c.hello.Incarnation
	tell := old == nil && m.pause != switching || !again
	m.current, m.peer = c.id, c.hello
	m.pause, m.retry = noPause, firstRetry
	if tell {
		m.since = now
		out = append(out, Action{Kind: Up, Hello: c.hello, Again: again})
	}
	return m.say(now, m.state, out)
}

// bidden handles the peer's farewell on a connection.
func (m *Machine) bidden(now mono.Time, c *conn, f Farewell, out []Action) []Action {
	id := c.id
	out = append(out, Action{Kind: Close, Conn: id})
	if id == m.current && f == Duplicate {
		m.remove(id)
		m.current, m.pause, m.pauseUntil, m.why = 0, switching, now.Add(switchLimit), PeerClosed
		m.later(now)
		return out
	}
	why := PeerClosed
	switch f {
	case Leaving:
		why = PeerLeft
	case Incompatible:
		why = PeerIncompatible
	}
	return m.lose(now, id, why, out)
}

// ended handles the end of a connection that neither end announced.
func (m *Machine) ended(now mono.Time, ev Event, out []Action) []Action {
	c := m.find(ev.Conn)
	if c == nil {
		return out
	}
	switch {
	case ev.End == KernelEnd && c.id == m.current:
		m.remove(c.id)
		m.current, m.pause, m.pauseUntil, m.why = 0, verifying, now.Add(verifyLimit), PeerEnded
		m.nextDial = now
		return m.dial(now, out)
	case ev.End == KernelEnd && m.pause == verifying && c.outgoing:
		// The dying process's kernel had taken the connection still.
		m.remove(c.id)
		return m.gone(now, out)
	case ev.End == Garbled:
		return m.lose(now, c.id, PeerGarbled, out)
	case ev.End == KernelEnd:
		return m.lose(now, c.id, PeerEnded, out)
	}
	return m.lose(now, c.id, PeerSilent, out)
}

// gone is the verdict.
func (m *Machine) gone(now mono.Time, out []Action) []Action {
	return m.down(now, PeerDied, append(out, Action{Kind: Gone}))
}

// lose forgets a connection. If it was the link, the link is down.
func (m *Machine) lose(now mono.Time, id uint64, why Why, out []Action) []Action {
	m.remove(id)
	if id != m.current {
		return out
	}
	m.current = 0
	return m.down(now, why, out)
}

func (m *Machine) down(now mono.Time, why Why, out []Action) []Action {
	m.pause, m.why, m.since = noPause, why, now
	m.later(now)
	return append(out, Action{Kind: Down, Why: why})
}

func (m *Machine) find(id uint64) *conn {
	for i := range m.conns {
		if m.conns[i].id == id {
			return &m.conns[i]
		}
	}
	return nil
}

func (m *Machine) remove(id uint64) {
	for i := range m.conns {
		if m.conns[i].id == id {
			m.conns = append(m.conns[:i], m.conns[i+1:]...)
			return
		}
	}
}
