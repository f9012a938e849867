package engine

import (
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"baton/internal/mono"
	"baton/internal/sys"
	"baton/internal/wheel"
)

// Loop is one event loop. Its methods belong to the loop's own goroutine, but
// for Post, Stop and Stalled.
type Loop struct {
	ID  int
	Log *slog.Logger

	ep     sys.Epoll
	events sys.Events
	wheel  *wheel.Wheel
	now    mono.Time

	byFD  []watched // by descriptor
	gen   int32     // tag of the next registration
	conns []*Conn   // free
	tasks []*Task   // coroutines without a job
	all   []*Task   // every coroutine
	ready []*Task   // to be resumed before the next wait
	bufs  []*Buffer // free
	slabs []sys.Slab
	pipes []*Pipe // free and empty

	each func() // called at the end of every turn

	mail struct {
		sync.Mutex
		queue, spare []func()
		closed       bool // the loop has ended and wake with it
	}
	wake     sys.EventFD
	mailed   atomic.Bool  // queue is not empty
	sleeping atomic.Bool  // blocked in epoll_wait: as alive as a loop can be
	turned   atomic.Int64 // mono.Time of the last turn
	stopping bool
}

// watched is a descriptor's entry in the loop: exactly one of its fields is set.
type watched struct {
	tag      int32 // tells this registration from an earlier one of the same number
	conn     *Conn
	listener *Listener
	mailbox  bool
}

// NewLoop opens a loop.
func NewLoop(id int, log *slog.Logger) (*Loop, error) {
	ep, err := sys.NewEpoll()
	if err != nil {
		return nil, fmt.Errorf("epoll: %w", err)
	}
	wake, err := sys.NewEventFD()
	if err != nil {
		ep.Close()
		return nil, fmt.Errorf("eventfd: %w", err)
	}
	now := mono.Now()
	l := &Loop{ID: id, Log: log, ep: ep, wake: wake, wheel: wheel.New(now), now: now}
	l.turned.Store(int64(now))
	w := l.register(wake.FD)
	w.mailbox = true
	if err := ep.AddLevel(wake.FD, w.tag); err != nil {
		wake.Close()
		ep.Close()
		return nil, fmt.Errorf("epoll: %w", err)
	}
	return l, nil
}

// Now is the time of this turn, read once per batch of events.
func (l *Loop) Now() mono.Time { return l.now }

// OnTurn sets what is called at the end of every turn, before the loop may sleep.
func (l *Loop) OnTurn(f func()) { l.each = f }

// Post hands f to the loop, from any goroutine; it runs ahead of what comes after it. A
// loop that has ended drops it.
func (l *Loop) Post(f func()) {
	l.mail.Lock()
	defer l.mail.Unlock() // held over the write too: the number of a closed descriptor may be another's by now
	if l.mail.closed {
		return
	}
	l.mail.queue = append(l.mail.queue, f)
	if !l.mailed.Swap(true) {
		l.wake.Wake()
	}
}

// Stop ends Run after the present turn, from any goroutine.
func (l *Loop) Stop() { l.Post(func() { l.stopping = true }) }

// Stalled reports how long the loop has been busy with one turn; 0 while it sleeps.
func (l *Loop) Stalled() time.Duration {
	last := mono.Time(l.turned.Load())
	if l.sleeping.Load() {
		return 0
	}
	return mono.Now().Sub(last)
}

// Run turns the loop until Stop. It must be called once.
func (l *Loop) Run() {
	for !l.stopping {
		l.resumeReady()
		if l.each != nil {
			l.each()
		}
		// Under load something is always ready: ask without entering the scheduler first.
		n := l.ep.Poll(&l.events)
		if n == 0 && len(l.ready) == 0 && !l.mailed.Load() && !l.stopping {
			n = l.sleep()
		}
		l.now = mono.Now()
		l.turned.Store(int64(l.now))
		// Ahead of the events: what was posted before a client came is done before it is
		// served, so it meets no server that was known to be down.
		if l.mailed.Load() {
			l.readMail()
		}
		for i := range n {
			l.lookAhead(i, n)
			l.dispatch(l.events.At(i))
		}
		if l.wheel.Next() <= l.now {
			l.wheel.Advance(l.now)
		}
	}
	l.close()
}

func (l *Loop) sleep() int {
	wait := time.Duration(-1)
	if next := l.wheel.Next(); next != mono.Never {
		wait = max(0, next.Sub(mono.Now()))
	}
	l.sleeping.Store(true)
	n := l.ep.Wait(&l.events, wait)
	l.turned.Store(int64(mono.Now()))
	l.sleeping.Store(false)
	return n
}

func (l *Loop) dispatch(e sys.Event) {
	w := l.byFD[e.Fd] // by value: what follows may let the table grow
	if w.tag != e.Pad {
		return // closed earlier in this batch
	}
	switch {
	case w.conn != nil:
		w.conn.event(e.Bits)
	case w.listener != nil:
		w.listener.accept()
	case w.mailbox:
		l.wake.Drain()
	}
}

func (l *Loop) readMail() {
	l.mail.Lock()
	l.mailed.Store(false)
	todo := l.mail.queue
	l.mail.queue = l.mail.spare[:0]
	l.mail.Unlock()
	for i, f := range todo {
		f()
		todo[i] = nil
	}
	l.mail.spare = todo
}

func (l *Loop) resumeReady() {
	// Who comes while this runs waits for the next turn: a task that yields without end
	// must not keep the loop from its sockets and its clock.
	n := len(l.ready)
	for i := range n {
		t := l.ready[i]
		t.queued = false
		t.resume()
	}
	rest := copy(l.ready, l.ready[n:])
	clear(l.ready[rest:])
	l.ready = l.ready[:rest]
}

// Arm sets a timer of the loop's; its owner is called on the loop.
func (l *Loop) Arm(t *wheel.Timer, at mono.Time) { l.wheel.Set(t, at) }

// Disarm stops it.
func (l *Loop) Disarm(t *wheel.Timer) { l.wheel.Stop(t) }

// register makes an entry for a descriptor, with a fresh tag. The pointer is good
// until the next call.
func (l *Loop) register(fd sys.FD) *watched {
	for int(fd) >= len(l.byFD) {
		l.byFD = append(l.byFD, watched{})
	}
	l.gen++
	w := &l.byFD[fd]
	*w = watched{tag: l.gen}
	return w
}

func (l *Loop) forget(fd sys.FD) {
	l.gen++
	l.byFD[fd] = watched{tag: l.gen}
}

// Close ends a loop that has not run and will not.
func (l *Loop) Close() { l.close() }

// close frees what the loop holds: sessions are cut off and freed as after a bug of
// theirs, coroutines end, descriptors close.
func (l *Loop) close() {
	for _, t := range l.all {
		t.stop()
		if t.job != nil { // it had not begun
			t.job.Abort()
		}
	}
	for _, w := range l.byFD {
		switch {
		case w.conn != nil:
			w.conn.fd.Close()
		case w.listener != nil:
			w.listener.fd.Close()
		}
	}
	for _, p := range l.pipes {
		p.r.Close()
		p.w.Close()
	}
	l.mail.Lock()
	l.mail.closed = true
	l.wake.Close()
	l.mail.Unlock()
	l.ep.Close()
	for _, s := range l.slabs { // every session has ended, and with it whoever had a buffer
		s.Free()
	}
	l.slabs, l.bufs = nil, nil
}
