package proxy

import (
	"sync"
	"sync/atomic"

	"baton/internal/mono"
	"baton/lb/engine"
)

// A backend's queue: sessions that found every server at its maxconn, first come
// first served. It is shared by all loops; the mutex is taken only while somebody
// waits.
type queue struct {
	mu      sync.Mutex
	first   *waiter
	last    *waiter
	Waiting atomic.Int32
}

// waiter is one queued session.
type waiter struct {
	task    *engine.Task
	loop    *engine.Loop
	prev    *waiter
	next    *waiter
	in      bool
	granted *Server // written under the queue's mutex before the wake-up
	wake    func()  // made once per session object
}

// push appends w and returns its place in the queue, from 1.
func (q *queue) push(w *waiter) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	w.prev, w.next, w.in, w.granted = q.last, nil, true, nil
	if q.last == nil {
		q.first = w
	} else {
		q.last.next = w
	}
	q.last = w
	return int(q.Waiting.Add(1))
}

func (q *queue) unlink(w *waiter) {
	if w.prev == nil {
		q.first = w.next
	} else {
		w.prev.next = w.next
	}
	if w.next == nil {
		q.last = w.prev
	} else {
		w.next.prev = w.prev
	}
	w.in = false
	q.Waiting.Add(-1)
}

// grant gives s, which has room, to the first waiter. It reports whether there was one.
func (q *queue) grant(s *Server) bool {
	q.mu.Lock()
	w := q.first
	if w == nil || !s.take() {
		q.mu.Unlock()
		return false
	}
	q.unlink(w)
	w.granted = s
	loop, wake := w.loop, w.wake // w may be in use again once the mutex is free
	q.mu.Unlock()
	loop.Post(wake)
	return true
}

// await queues the session until a server has room or the deadline passes, when it
// returns nil; place is that in the queue, from 1.
func (b *Backend) await(t *engine.Task, w *waiter, deadline mono.Time) (s *Server, place int) {
	w.task, w.loop = t, t.Loop()
	if w.wake == nil {
		w.wake = func() { w.task.Wake() }
	}
	place = b.queue.push(w)
	// A server may have become free between the failed try and the push.
	for _, slot := range b.Slots() {
		for b.queue.grant(b.Servers[slot.ID]) {
		}
	}
	for {
		inTime := t.Suspend(deadline)
		if s, waiting := b.queue.outcome(w, !inTime); !waiting {
			return s, place
		}
	}
}

// outcome tells whether w still waits, and which server it got. With leave set it
// gives up waiting.
func (q *queue) outcome(w *waiter, leave bool) (s *Server, waiting bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if w.in && leave {
		q.unlink(w)
	}
	return w.granted, w.in
}
