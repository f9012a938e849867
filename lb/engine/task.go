package engine

import (
	"fmt"
	"iter"
	"runtime/debug"

	"baton/internal/mono"
	"baton/internal/wheel"
)

// Job is what a Task runs: a session, from its first byte to its last.
type Job interface {
	// Run is the session's straight-line code.
	Run(t *Task)
	// Abort frees what the session holds after Run panicked.
	Abort()
}

// Task is a coroutine of a loop. Coroutines are reused from job to job, so that a
// new connection starts no goroutine.
type Task struct {
	loop  *Loop
	job   Job
	next  func() (struct{}, bool)
	stop  func()
	yield func(struct{}) bool

	timer    wheel.Timer
	deadline mono.Time // of the present suspension
	waiting  bool
	expired  bool // the present suspension ended by its deadline
	queued   bool // is in Loop.ready
}

// Go starts a job, from the loop's own goroutine (not from within a task: the
// new one runs at once, up to its first suspension).
func (l *Loop) Go(j Job) {
	t := l.task()
	t.job = j
	t.resume()
}

// GoSoon starts a job in this turn, after the running task has suspended.
func (l *Loop) GoSoon(j Job) {
	t := l.task()
	t.job = j
	t.queued = true
	l.ready = append(l.ready, t)
}

func (l *Loop) task() *Task {
	if n := len(l.tasks); n > 0 {
		t := l.tasks[n-1]
		l.tasks = l.tasks[:n-1]
		return t
	}
	t := &Task{loop: l}
	t.timer.Owner = t
	t.next, t.stop = iter.Pull(t.work)
	l.all = append(l.all, t)
	return t
}

// work is the coroutine: one job after the other.
func (t *Task) work(yield func(struct{}) bool) {
	t.yield = yield
	for {
		cut := t.runJob()
		t.job = nil
		t.loop.wheel.Stop(&t.timer)
		if cut {
			return
		}
		t.loop.tasks = append(t.loop.tasks, t)
		if !yield(struct{}{}) {
			return
		}
	}
}

// cutOff is what a suspension panics with when its loop ends: it unwinds the session.
type cutOff struct{}

// runJob keeps a session's bug from taking the other sessions with it. It reports
// whether the loop's end has cut the session off.
func (t *Task) runJob() (cut bool) {
	defer func() {
		p := recover()
		switch p.(type) {
		case nil:
		case cutOff:
			cut = true
			t.job.Abort()
		default:
			t.loop.Log.Error("BUG: session aborted", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			t.job.Abort()
		}
	}()
	t.job.Run(t)
	return false
}

func (t *Task) resume() {
	t.waiting = false
	t.next()
}

// Loop returns the loop that the task runs on.
func (t *Task) Loop() *Loop { return t.loop }

// Now is the time of this turn.
func (t *Task) Now() mono.Time { return t.loop.now }

// Suspend gives way until Wake, or until the deadline; it reports false in the
// latter case. A Wake that was meant for an earlier suspension may end this one:
// callers wait in a loop for their condition, as with a condition variable.
func (t *Task) Suspend(deadline mono.Time) bool {
	t.deadline, t.waiting, t.expired = deadline, true, false
	// The timer only ever has to fire early enough: when it comes too early,
	// Expired sets it again. So a deadline that moves on with every message is free.
	if deadline != mono.Never && (!t.timer.Armed() || deadline < t.timer.At()) {
		t.loop.wheel.Set(&t.timer, deadline)
	}
	t.giveWay()
	return !t.expired
}

// Wake resumes a suspended task in this turn. It may be called from other tasks
// of the same loop; from elsewhere, Post it.
func (t *Task) Wake() {
	if t.waiting && !t.queued {
		t.queued = true
		t.loop.ready = append(t.loop.ready, t)
	}
}

// Yield lets the loop serve others and goes on in its next turn.
func (t *Task) Yield() {
	t.deadline, t.waiting, t.expired = mono.Never, true, false
	t.Wake()
	t.giveWay()
}

// giveWay lets the loop go on; it does not come back when the loop has ended.
func (t *Task) giveWay() {
	if !t.yield(struct{}{}) {
		panic(cutOff{})
	}
}

// Expired is the timer's call.
func (t *Task) Expired(now mono.Time) {
	if !t.waiting || t.deadline == mono.Never {
		return
	}
	if t.deadline > now {
		t.loop.wheel.Set(&t.timer, t.deadline)
		return
	}
	if t.queued {
		return // woken in the same turn: that came first
	}
	t.expired = true
	t.resume()
}
