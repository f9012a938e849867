package proxy

import (
	"sync"
	"sync/atomic"
	"time"

	"baton/internal/mono"
	"baton/lb/engine"
)

// A backend's queues: of the sessions that found every server at its limit, and one
// per server of those that want this one and no other (a hash, persistence). They are
// shared by all loops; the mutex is taken only while somebody waits.
type queue struct {
	mu  sync.Mutex
	any list // for whichever server is free first
}

// list is one queue, in the order in which it will be served.
type list struct {
	first, last *waiter
	served      uint32       // how many have got a server, ever
	n           atomic.Int32 // read without the mutex
}

// waiter is one queued session.
type waiter struct {
	task    *engine.Task
	loop    *engine.Loop
	prev    *waiter
	next    *waiter
	list    *list   // where it waits; nil: it does not
	entered uint32  // list.served as it came
	ahead   int     // how many were served before it left
	granted *Server // written under the queue's mutex before the wake-up
	wake    func()  // made once per session object

	class  int           // the lowest is served first, whoever came when
	offset time.Duration // within a class: it counts as having come so much later
	due    mono.Time     // when it came, and offset
}

// before reports whether w is to be served ahead of o, which came before it.
func (w *waiter) before(o *waiter) bool {
	if w.class != o.class {
		return w.class < o.class
	}
	return w.due < o.due
}

// push adds w to a list.
func (l *list) push(w *waiter) {
	after := l.last
	for after != nil && w.before(after) {
		after = after.prev
	}
	w.entered = l.served
	w.list, w.granted, w.prev = l, nil, after
	if after == nil {
		w.next, l.first = l.first, w
	} else {
		w.next, after.next = after.next, w
	}
	if w.next == nil {
		l.last = w
	} else {
		w.next.prev = w
	}
	l.n.Add(1)
}

func (l *list) unlink(w *waiter) {
	if w.prev == nil {
		l.first = w.next
	} else {
		w.prev.next = w.next
	}
	if w.next == nil {
		l.last = w.prev
	} else {
		w.next.prev = w.prev
	}
	w.ahead = int(l.served - w.entered)
	w.list, w.prev, w.next = nil, nil, nil
	l.n.Add(-1)
}

// grant gives s, if it has room, to the first of those who wait for it or for any
// server. It reports whether there was one.
func (q *queue) grant(s *Server) bool {
	q.mu.Lock()
	w := s.waiting.first
	if s.shares.Load() {
		if any := q.any.first; w == nil || any != nil && any.before(w) {
			w = any
		}
	}
	if w == nil || !s.take() {
		q.mu.Unlock()
		return false
	}
	l := w.list
	l.unlink(w)
	l.served++
	s.stamp()
	w.granted = s
	loop, wake := w.loop, w.wake // w may be in use again once the mutex is free
	q.mu.Unlock()
	loop.Post(wake)
	return true
}

// turnAway ends the waiting for a server that has left service: its sessions choose
// again.
func (q *queue) turnAway(s *Server) {
	if s.Queued() == 0 {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for s.waiting.first != nil {
		w := s.waiting.first
		s.waiting.unlink(w)
		w.loop.Post(w.wake)
	}
}

// await queues the session for server s, or for any where that is nil, until one has
// room. It returns that one, or nil: with inTime when s has left service, without when
// the deadline has passed or the guard is over. ahead is how many were served first.
func (b *Backend) await(t *engine.Task, w *waiter, s *Server, guard *engine.Guard, deadline mono.Time) (granted *Server, inTime bool, ahead int) {
	w.task, w.loop = t, t.Loop()
	if w.wake == nil {
		w.wake = func() { w.task.Wake() }
	}
	b.queue.mu.Lock()
	// Not the loop's instant: it is that of the turn's begin, by which one who comes late in
	// a long turn would overtake those whom other loops have queued since.
	w.due = mono.Now().Add(w.offset)
	if s != nil {
		s.waiting.push(w)
		s.stamp()
	} else {
		b.queue.any.push(w)
	}
	b.queue.mu.Unlock()
	// A server may have become free, or left, between the failed try and the push.
	switch {
	case s == nil:
		for _, slot := range b.Slots() {
			for b.queue.grant(b.Servers[slot.ID]) {
			}
		}
	case !s.Usable():
		b.queue.turnAway(s)
	default:
		for b.queue.grant(s) {
		}
	}
	for {
		inTime = guard.Over() || t.Suspend(deadline) // it may have ended with the request
		if granted, waiting := b.queue.outcome(w, !inTime || guard.Over()); !waiting {
			w.granted = nil
			return granted, inTime, w.ahead
		}
	}
}

// abandon ends the wait of a session that was cut off while it waited.
func (k *link) abandon() {
	if k.backend == nil {
		return
	}
	if s, _ := k.backend.queue.outcome(&k.waiter, true); s != nil {
		k.waiter.granted = nil
		s.leave()
	}
}

// outcome tells whether w still waits, and which server it got. With leave set it
// gives up waiting.
func (q *queue) outcome(w *waiter, leave bool) (s *Server, waiting bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if w.list != nil && leave {
		w.list.unlink(w)
	}
	return w.granted, w.list != nil
}
