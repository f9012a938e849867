package runner

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"baton/checkscript"
	"baton/internal/mono"

	"golang.org/x/sync/errgroup"
)

// Options is what a Runner works with. The three functions that ask the
// balancer may be nil when no probe needs them.
type Options struct {
	Probes  []checkscript.Probe
	Secure  bool                                                         // enable_script_security, see Validate
	Serving func() bool                                                  // Self
	Usable  func(backend string) int                                     // Backend
	Dial    func(ctx context.Context, frontend string) (net.Conn, error) // Traffic
	Full    func(frontend string) bool                                   // Traffic: Dial would not wait for room; may be nil

	// OnVerdict is called after a probe's verdict changed, on that probe's own
	// goroutine: calls for different probes may overlap. Verdict answers with the
	// new value already.
	OnVerdict func(probe string)
	Log       *slog.Logger
}

// Runner runs probes until its context ends.
type Runner struct {
	opt Options
	set atomic.Pointer[set]

	mu       sync.Mutex // guards what follows: Run against Reload
	ctx      context.Context
	work     errgroup.Group
	unfollow context.CancelFunc // ends the counting of processes
}

// Status is one probe as the operator sees it.
type Status struct {
	Probe    checkscript.Probe
	Verdict  checkscript.Verdict
	Value    int       // File: the number
	Since    mono.Time // of the verdict
	Last     string    // the last result in words; "" before the first
	LastAt   mono.Time
	Duration time.Duration // how long the last run took
	Streak   int           // results in a row against the verdict
	Need     int           // that change it
	Runs     uint64
	Failures uint64
}

// New prepares the probes and starts nothing. A script that cannot be run is an
// error here, see Validate.
func New(o Options) (*Runner, error) {
	r := &Runner{opt: o}
	s, err := r.makeSet(o.Probes, o.Secure, nil)
	if err != nil {
		return nil, err
	}
	r.set.Store(s)
	return r, nil
}

// newProbe prepares a probe. before is the one that had its name until now, or nil.
func (r *Runner) newProbe(p checkscript.Probe, secure bool, before *probe) (*probe, error) {
	pr := &probe{Probe: p, runner: r, changed: make(chan struct{}, 1)}
	switch p.Kind {
	case checkscript.Script:
		s, err := prepare(p, secure)
		if err == nil {
			err = s.permitted()
		}
		if err != nil {
			return nil, fmt.Errorf("vrrp_script %s: %w", p.Name, err)
		}
		pr.start = s.start
	case checkscript.Self:
		pr.start = startSelf(r.opt.Serving)
	case checkscript.Traffic:
		pr.start = newTraffic(p, r.opt).start
	case checkscript.Backend, checkscript.Interface, checkscript.File, checkscript.Process:
	}
	st := Status{Probe: p, Since: mono.Now()}
	if p.InitFail {
		st.Verdict = checkscript.Down
	}
	if before != nil && before.Kind == p.Kind {
		was := before.status.Load()
		st.Verdict, st.Value, st.Since = was.Verdict, was.Value, was.Since
		pr.link.Store(before.link.Load())
		pr.value.Store(before.value.Load())
	}
	pr.status.Store(&st)
	return pr, nil
}

// Run runs the probes. It returns when ctx has ended and every process it
// started is gone.
func (r *Runner) Run(ctx context.Context) error {
	r.mu.Lock()
	r.ctx = ctx
	r.begin(r.set.Load())
	r.mu.Unlock()
	<-ctx.Done()
	r.mu.Lock() // a Reload that has begun starts its probes, and none begins any more
	defer r.mu.Unlock()
	return r.work.Wait()
}

// BackendChanged tells the track_backend probes of a backend that its number of
// usable servers changed. It does not block.
func (r *Runner) BackendChanged(backend string) {
	for _, p := range r.set.Load().order {
		if p.Kind == checkscript.Backend && p.Backend == backend {
			p.wake()
		}
	}
}

// Verdict returns a probe's verdict; a name that is not known is Pending.
func (r *Runner) Verdict(name string) checkscript.Verdict {
	if p := r.set.Load().probes[name]; p != nil {
		return p.status.Load().Verdict
	}
	return checkscript.Pending
}

// Reading returns what a probe says; a name that is not known is Pending.
func (r *Runner) Reading(name string) checkscript.Reading {
	p := r.set.Load().probes[name]
	if p == nil {
		return checkscript.Reading{}
	}
	st := p.status.Load()
	return checkscript.Reading{Verdict: st.Verdict, Number: p.Kind == checkscript.File, Value: st.Value}
}

// Status returns the probes in the order of Options.Probes.
func (r *Runner) Status() []Status {
	order := r.set.Load().order
	out := make([]Status, len(order))
	for i, p := range order {
		out[i] = *p.status.Load()
	}
	return out
}

// result is the end of a run.
type result struct {
	ok   bool
	text string // "exit status 1", "503 in 4ms"
}

// run is one run under way. Its result comes through the channel given to start.
type run interface {
	terminate() // SIGTERM
	kill()      // SIGKILL
}

type probe struct {
	checkscript.Probe
	runner  *Runner
	start   func(ctx context.Context, done chan<- result) run
	cancel  context.CancelFunc // nil: does not run yet; Runner.mu guards it
	changed chan struct{}      // Backend: the count of usable servers changed
	status  atomic.Pointer[Status]

	link  atomic.Uint32 // Interface: a linkState
	value atomic.Int64  // File: the number read last
	count atomic.Int64  // Process: how many match, plus 1; 0 before they were counted
}

// run is the life of a probe.
func (p *probe) run(ctx context.Context) {
	switch p.Kind {
	case checkscript.Backend:
		p.followBackend(ctx)
	case checkscript.Interface:
		p.followInterface(ctx)
	case checkscript.File:
		p.followFile(ctx)
	case checkscript.Process:
		p.followProcess(ctx)
	default:
		p.drive(ctx)
	}
}

// drive is the life of a probe that runs at intervals.
func (p *probe) drive(ctx context.Context) {
	// A request judges its own time, see traffic.overdue; this bounds it.
	limit := p.Probe
	if p.Kind == checkscript.Traffic {
		limit.Timeout = 2 * trafficPatience * cmp.Or(p.Timeout, p.Interval)
	}
	c := checkscript.NewChecker(limit, mono.Now())
	c.Resume(p.status.Load().Verdict)
	done := make(chan result, 1) // one run at a time, so its result never blocks
	timer := time.NewTimer(0)
	defer timer.Stop()

	var cur run
	var began mono.Time
	for {
		select {
		case <-ctx.Done():
			stop(cur, done, p.runner.opt.Log)
			return
		case res := <-done:
			cur = nil
			ev := checkscript.Failed
			if res.ok {
				ev = checkscript.Passed
			}
			now := mono.Now()
			overran := c.Overran()
			_, changed := c.Step(now, ev)
			if !overran {
				p.publish(c, now, now.Sub(began), res, changed)
			}
		case <-timer.C:
			now := mono.Now()
			do, changed := c.Step(now, checkscript.Tick)
			switch do {
			case checkscript.Start:
				began = now
				cur = p.start(ctx, done)
			case checkscript.Terminate:
				p.publish(c, now, now.Sub(began), result{text: fmt.Sprintf("no result within %v", cmp.Or(limit.Timeout, limit.Interval))}, changed)
				cur.terminate()
			case checkscript.Kill:
				cur.kill()
			case checkscript.Nothing:
			}
		}
		timer.Reset(c.Deadline().Sub(mono.Now()))
	}
}

// stop ends a run at shutdown: SIGTERM, a moment, SIGKILL.
func stop(cur run, done <-chan result, log *slog.Logger) {
	if cur == nil {
		return
	}
	cur.terminate()
	select {
	case <-done:
		return
	case <-time.After(300 * time.Millisecond):
	}
	cur.kill()
	select {
	case <-done:
	case <-time.After(checkscript.KillAfter):
		log.Error("a check script survives SIGKILL (it hangs in the kernel); leaving it behind")
	}
}

func (p *probe) publish(c *checkscript.Checker, now mono.Time, took time.Duration, res result, changed bool) {
	have, need := c.Streak()
	p.store(now, took, res, c.Verdict(), have, need, changed)
}

func (p *probe) store(now mono.Time, took time.Duration, res result, v checkscript.Verdict, have, need int, changed bool) {
	st := *p.status.Load()
	was := st.Verdict
	st.Last, st.LastAt, st.Duration = res.text, now, took
	st.Streak, st.Need = have, need
	st.Value = int(p.value.Load())
	st.Runs++
	if !res.ok {
		st.Failures++
	}
	if changed {
		st.Verdict, st.Since = v, now
	}
	p.status.Store(&st)
	if !changed {
		return
	}
	if p.Kind == checkscript.File {
		p.runner.opt.Log.Info(fmt.Sprintf("probe %s: %s", p.Name, res.text))
	} else {
		p.runner.opt.Log.Info(fmt.Sprintf("probe %s is %v (was %v): %s", p.Name, v, was, res.text))
	}
	if p.runner.opt.OnVerdict != nil {
		p.runner.opt.OnVerdict(p.Name)
	}
}

// followBackend is the life of a track_backend probe: it looks when it is told
// that something changed, and never in between. Rise and fall do not apply: the
// servers' own checks have counted already.
func (p *probe) followBackend(ctx context.Context) {
	need := max(p.MinServers, 1)
	for {
		n := p.runner.opt.Usable(p.Backend)
		v := checkscript.Down
		if n >= need {
			v = checkscript.Up
		}
		res := result{ok: v == checkscript.Up, text: fmt.Sprintf("usable servers of backend %s: %d, needed: %d", p.Backend, n, need)}
		p.store(mono.Now(), 0, res, v, 0, 1, v != p.status.Load().Verdict)
		select {
		case <-ctx.Done():
			return
		case <-p.changed:
		}
	}
}
