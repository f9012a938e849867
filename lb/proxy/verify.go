package proxy

import (
	"runtime"
	"sync"

	"baton/internal/mono"
	"baton/lb/engine"
	"baton/lb/rules"
	"baton/lb/sample"
	"baton/lb/userlist"
)

// verifier computes the hashes of passwords away from the event loops, first come, first
// served: they are slow on purpose. The zero value is ready for use.
type verifier struct {
	mu      sync.Mutex
	waiting []*verification
	workers int
}

// verification is a session that waits for an answer.
type verification struct {
	question *userlist.Question
	task     *engine.Task
	done     bool // of the task's loop
}

// answer suspends the session until q has its answer.
func (v *verifier) answer(t *engine.Task, q *userlist.Question) {
	w := &verification{question: q, task: t}
	v.mu.Lock()
	v.waiting = append(v.waiting, w)
	start := v.workers < maxVerifiers()
	if start {
		v.workers++
	}
	v.mu.Unlock()
	if start {
		go v.work()
	}
	for !w.done {
		t.Suspend(mono.Never)
	}
}

// maxVerifiers is how many hashes are computed at a time: half of the processors stay for
// traffic.
func maxVerifiers() int { return max(1, runtime.GOMAXPROCS(0)/2) }

// work answers until nobody waits any more.
func (v *verifier) work() {
	for {
		v.mu.Lock()
		if len(v.waiting) == 0 {
			v.waiting = nil
			v.workers--
			v.mu.Unlock()
			return
		}
		w := v.waiting[0]
		v.waiting[0] = nil
		v.waiting = v.waiting[1:]
		v.mu.Unlock()
		w.question.Answer()
		w.task.Loop().Post(func() {
			w.done = true
			w.task.Wake()
		})
	}
}

// verify has the question answered that an evaluation left open, if there is one: then
// the evaluation is to be repeated.
func (w *Worker) verify(t *engine.Task, a *userlist.Asker) bool {
	if a.Open == nil {
		return false
	}
	w.set.verifier.answer(t, a.Open)
	a.Answered()
	return true
}

// holds evaluates a rule's condition (nil: always), waiting for what it asks.
func (s *httpSession) holds(t *engine.Task, cond rules.Cond) bool {
	_, holds := s.judge(t, cond, nil)
	return holds
}

// judge is holds with a ctx that may be there already (nil: none); it returns the one that
// is valid then.
func (s *httpSession) judge(t *engine.Task, cond rules.Cond, c *sample.Ctx) (valid *sample.Ctx, holds bool) {
	for {
		if c == nil {
			c = s.ctx()
		}
		if cond == nil {
			return c, true
		}
		s.x.auth.Open = nil // what others have left open does not count
		if cond(c) {
			return c, true
		}
		if !s.w.verify(t, &s.x.auth) {
			return c, false
		}
		c = nil
	}
}

// asking is ctx for an evaluation that verify may follow: what others have left open
// does not count.
func (s *httpSession) asking() *sample.Ctx {
	s.x.auth.Open = nil
	return s.ctx()
}

// prepare has answered what a rule's expression or format asks of userlists, before the
// rule is followed: that cannot wait any more. A reply's headers and log lines are not
// looked at; there http_auth tells what rules have found out.
func (s *httpSession) prepare(t *engine.Task, r *httpRule) {
	if !s.w.set.userlists || r.Expr == nil && r.Format == nil {
		return
	}
	for again := true; again; again = s.w.verify(t, &s.x.auth) {
		c := s.asking()
		if r.Expr != nil {
			r.Expr.Eval(c)
		}
		if r.Format != nil {
			s.w.value = s.format(s.w.value[:0], r.Format, c)
		}
	}
}
