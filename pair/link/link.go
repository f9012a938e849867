package link

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"baton/internal/mono"
	"baton/internal/sys"
	"baton/pair"
)

const (
	// maxHandshakes bounds unauthenticated connections; more wait in the kernel.
	maxHandshakes = 8

	// keyRetry is how often a node that is not paired looks whether it is now.
	keyRetry = 2 * time.Second

	// listenRetry is how often a port that cannot be had is tried again.
	listenRetry = time.Second
)

// Options make a Link.
type Options struct {
	Key     string // file of this node's key
	PeerKey string // file of the peer's pinned key
	Peer    netip.AddrPort
	Listen  netip.AddrPort // with an unspecified address: any of this host's
	Hello   pair.Hello
	Log     *slog.Logger

	// On is called with Up, Down, Gone and Heard, in order, on the Link's one
	// goroutine. It must not block, and may call Publish and Say.
	On func(pair.Action)
}

// Link is one end of the connection between two nodes.
type Link struct {
	opt    Options
	events chan event
	fresh  chan struct{} // there is something new to say
	state  atomic.Pointer[pair.State]
	sayMu  sync.Mutex
	say    []pair.Message
	status atomic.Pointer[Status]
	wires  map[uint64]*wire
	tasks  sync.WaitGroup
	lastID atomic.Uint64
	trust  atomic.Pointer[trust]
	quiet  limiter

	dialError   atomic.Pointer[string]
	listenError atomic.Pointer[string]
	strangers   atomic.Uint64
	refused     atomic.Uint64
}

// event is what the machine is told; wire is the connection, with Connected.
type event struct {
	pair.Event
	wire *wire
}

// trust is who is at both ends.
type trust struct {
	self *Identity
	peer Peer
}

// Status is what a Link is doing.
type Status struct {
	Self    string // FormatID of this node's key; "" without one
	PeerID  string
	Problem string // why there can be no link: not paired, cannot listen, ...
	Up      bool
	Since   mono.Time
	Why     string // why it is not up
	// DialError is what the last attempt to connect ended with; "" when it worked.
	DialError string
	Strangers uint64 // connections from other addresses than the peer's
	Refused   uint64 // connections from the peer's address that did not prove to have its key
}

// New makes a Link that Run runs.
func New(o Options) *Link {
	l := &Link{opt: o, events: make(chan event), fresh: make(chan struct{}, 1), wires: map[uint64]*wire{}}
	l.status.Store(&Status{Why: pair.NotYet.String()})
	return l
}

// Publish tells the peer what this node is doing, now and after each reconnection.
// The last state counts.
func (l *Link) Publish(s pair.State) {
	l.state.Store(&s)
	l.nudge()
}

// Say sends a message to the peer if the link is up.
func (l *Link) Say(m pair.Message) {
	l.sayMu.Lock()
	l.say = append(l.say, m)
	l.sayMu.Unlock()
	l.nudge()
}

func (l *Link) nudge() {
	select {
	case l.fresh <- struct{}{}:
	default:
	}
}

// tell brings what Publish and Say left to the machine.
func (l *Link) tell(ctx context.Context, m *pair.Machine) {
	if s := l.state.Swap(nil); s != nil {
		l.step(ctx, m, event{Event: pair.Event{Kind: pair.Publish, State: *s}})
	}
	l.sayMu.Lock()
	say := l.say
	l.say = nil
	l.sayMu.Unlock()
	for _, msg := range say {
		l.step(ctx, m, event{Event: pair.Event{Kind: pair.Say, Message: msg}})
	}
}

// Status returns the present state.
func (l *Link) Status() Status {
	st := *l.status.Load()
	st.DialError, st.Strangers, st.Refused = text(l.dialError.Load()), l.strangers.Load(), l.refused.Load()
	if p := text(l.listenError.Load()); p != "" {
		st.Problem = p
	}
	return st
}

func text(p *string) string {
	if p == nil {
		return ""
	}
	return *p
}

// Run keeps the link until ctx ends, and says goodbye then. What keeps it from
// working is told and tried again: the node can do without.
func (l *Link) Run(ctx context.Context) error {
	if !l.awaitKeys(ctx) {
		return nil
	}
	t := l.trust.Load()
	m := pair.NewMachine(t.self.ID, t.peer.ID, l.opt.Hello)
	inner, cancel := context.WithCancel(context.Background())
	l.tasks.Go(func() { l.listen(inner, t) })
	l.tell(inner, m)
	l.step(inner, m, event{Event: pair.Event{Kind: pair.Start}})
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		l.publishStatus(m)
		timer.Reset(m.Deadline().Sub(mono.Now()))
		select {
		case <-ctx.Done():
		case ev := <-l.events:
			l.step(inner, m, ev)
		case <-l.fresh:
			l.tell(inner, m)
		case <-timer.C:
			l.step(inner, m, event{Event: pair.Event{Kind: pair.Timer}})
		}
	}
	l.tell(inner, m) // the last state first: it says that the addresses are free
	l.step(inner, m, event{Event: pair.Event{Kind: pair.Stop}})
	cancel()
	for _, w := range l.wires {
		w.close()
	}
	l.tasks.Wait() // bounded: every wait of theirs has a limit
	return nil
}

// awaitKeys waits until the node is paired.
func (l *Link) awaitKeys(ctx context.Context) bool {
	last := ""
	for {
		t, err := loadTrust(l.opt.Key, l.opt.PeerKey)
		if err == nil {
			l.trust.Store(t)
			if last != "" {
				l.opt.Log.Info("the pair link has its keys now")
			}
			return true
		}
		problem := fmt.Sprintf("not paired: %v (run `baton pair init` on one node and what it prints on the other)", err)
		if problem != last {
			last = problem
			l.status.Store(&Status{Problem: problem, Why: pair.NotYet.String()})
			l.opt.Log.Warn("no pair link: " + problem)
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(keyRetry):
		}
	}
}

func loadTrust(key, peerKey string) (*trust, error) {
	self, err := Load(key)
	if err != nil {
		return nil, err
	}
	peer, err := LoadPeer(peerKey)
	if err != nil {
		return nil, err
	}
	if peer.ID == self.ID {
		return nil, errors.New("both nodes have the same key: remove it on one of them")
	}
	return &trust{self, peer}, nil
}

func (l *Link) publishStatus(m *pair.Machine) {
	t := l.trust.Load()
	l.status.Store(&Status{
		Self: FormatID(t.self.ID), PeerID: FormatID(t.peer.ID),
		Up: m.IsUp(), Since: m.Since(), Why: m.Why().String(),
	})
}

// post brings an event to the Link's goroutine.
func (l *Link) post(ctx context.Context, ev pair.Event) {
	select {
	case l.events <- event{Event: ev}:
	case <-ctx.Done():
	}
}

// step steps the machine and does what it says.
func (l *Link) step(ctx context.Context, m *pair.Machine, ev event) {
	if ev.Kind == pair.Connected {
		l.wires[ev.Conn] = ev.wire
	}
	for _, a := range m.Step(mono.Now(), ev.Event, nil) {
		switch a.Kind {
		case pair.Dial:
			l.tasks.Go(func() { l.dial(ctx) })
		case pair.Send:
			if w := l.wires[a.Conn]; w != nil && !w.closed && !w.send(a.Message) {
				w.abort() // its reader tells the machine
			}
		case pair.Close:
			if w := l.wires[a.Conn]; w != nil {
				w.close()
			}
		default:
			l.publishStatus(m)
			l.opt.On(a)
		}
	}
	if w := l.wires[ev.Conn]; w != nil && ev.Kind == pair.Ended {
		w.close()
		delete(l.wires, ev.Conn)
	}
}

// adopt runs an authenticated connection until it ends.
func (l *Link) adopt(ctx context.Context, s *socket, c *tls.Conn, outgoing bool) {
	w := &wire{id: l.lastID.Add(1), tls: c, socket: s, out: make(chan []byte, outQueue)}
	select {
	case l.events <- event{pair.Event{Kind: pair.Connected, Conn: w.id, Outgoing: outgoing}, w}:
	case <-ctx.Done():
		_ = s.Close()
		return
	}
	l.tasks.Go(w.write)
	mute := true
	end := w.read(func(m pair.Message) {
		mute = false
		l.post(ctx, pair.Event{Kind: pair.Received, Conn: w.id, Message: m})
	})
	if outgoing && mute && end != pair.KernelEnd {
		// With TLS 1.3 the dialling end learns only now whether it was accepted.
		problem := "the peer closed the connection at once: is it paired with this node's key?"
		l.dialError.Store(&problem)
	}
	l.post(ctx, pair.Event{Kind: pair.Ended, Conn: w.id, End: end})
}

// dial connects to the peer once.
func (l *Link) dial(ctx context.Context) {
	s, c, err := l.connect(ctx)
	if err == nil {
		l.dialError.Store(nil)
		l.adopt(ctx, s, c, true)
		return
	}
	problem := err.Error()
	l.dialError.Store(&problem)
	var wrong *wrongKey
	if errors.As(err, &wrong) && l.quiet.pass() {
		l.opt.Log.Warn("pair link refused", "peer", l.opt.Peer, "err", wrong)
	}
	refused := errors.Is(err, sys.ECONNREFUSED) || s != nil && s.kernelEnd.Load()
	l.post(ctx, pair.Event{Kind: pair.DialFailed, Refused: refused})
}

// connect returns the socket also when TLS failed on it.
func (l *Link) connect(ctx context.Context) (*socket, *tls.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, handshakeLimit)
	defer cancel()
	d := net.Dialer{Control: tune, KeepAliveConfig: keepAlives()}
	if a := l.opt.Listen.Addr(); a.IsValid() && !a.IsUnspecified() {
		d.LocalAddr = &net.TCPAddr{IP: a.AsSlice(), Zone: a.Zone()} // the peer knows this node by it
	}
	raw, err := d.DialContext(ctx, "tcp", l.opt.Peer.String())
	if err != nil {
		return nil, nil, err
	}
	s := &socket{Conn: raw}
	t := l.trust.Load()
	c := tls.Client(s, t.self.config(linkALPN, only(t.peer.ID)))
	if err := c.HandshakeContext(ctx); err != nil {
		_ = s.Close()
		return s, nil, fmt.Errorf("TLS with %v: %w", l.opt.Peer, err)
	}
	return s, c, nil
}

func isTimeout(err error) bool {
	var n net.Error
	return errors.As(err, &n) // every error of the socket itself that is no end: timeouts, unreachable, closed here
}
