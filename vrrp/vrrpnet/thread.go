package vrrpnet

import (
	"errors"
	"runtime"
	"time"

	"baton/internal/mono"
	"baton/internal/sys"
)

// thread keeps the thread that the loop runs on under SCHED_RR.
//
// The loop's goroutine is not locked to it. Go's monitor marks a goroutine for
// preemption that has run or been in system calls for 10 ms without the scheduler
// having had a word, which this one is all the time. One that is locked to its thread
// then hands its slot to another thread, an ordinary one, and sleeps until that one has
// found it in the queue and handed the slot back. On a host whose processors are busy
// with other work that took up to 80 ms here. One that is not locked is found in the
// queue by its own thread, at once; and if another one was faster, that one becomes the
// VRRP thread.
type thread struct {
	id      int // 0: none yet
	refused bool
	passed  mono.Time // when the goroutine last went through the scheduler
}

// breath is how often the goroutine goes through the scheduler, where many timers keep it
// from sleeping for long.
const breath = 5 * time.Millisecond

// breathe has the goroutine go through the scheduler now and then, of its own accord. Go's
// monitor looks for goroutines that have not for 10 ms, be they running or in system
// calls, and having found one it looks every 20 microseconds for the next millisecond:
// with an advert every half a millisecond that was a third of the process's time.
func (t *thread) breathe(now mono.Time) {
	if now.Sub(t.passed) >= breath {
		runtime.Gosched()
		t.passed = now
	}
}

// follow makes the calling thread the VRRP thread, and the one before an ordinary one.
// It is called before and after each wait: the goroutine changes its thread where a
// system call ends.
func (t *thread) follow() {
	id := sys.ThreadID()
	if id == t.id {
		return
	}
	if !t.refused {
		t.refused = sys.RealTime() != nil
	}
	t.release()
	t.id = id
}

// release makes the VRRP thread an ordinary one.
func (t *thread) release() {
	if t.id != 0 && !t.refused {
		_ = sys.OrdinaryTime(t.id) // it may have ended meanwhile
	}
	t.id = 0
}

// protect says what shields the thread from a busy host no better. The loop does the
// rest.
func (s *Speaker) protect() {
	err := sys.RealTime()
	if err == nil {
		err = sys.OrdinaryTime(0) // until the loop says which thread it is
	}
	if err := errors.Join(err, sys.LockMemory()); err != nil {
		s.queue.put(Event{Kind: Unprivileged, Time: mono.Now(), Err: err})
	}
}
