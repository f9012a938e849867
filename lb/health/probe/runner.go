package probe

import (
	"context"
	"time"

	"baton/internal/mono"
	"baton/lb/health"
	"baton/lb/spec"
)

// Report is what a Runner says after each check.
type Report struct {
	Machine health.Machine // a copy: its state after the check
	Changed bool           // the server went up or down
	Noted   bool           // `option log-health-checks` logs this check
}

// Runner checks one server, or asks its agent, for as long as it runs.
type Runner struct {
	Check    spec.Check
	Agent    bool // Probe asks an agent, each Check.Inter
	Probe    func(context.Context) health.Result
	Offset   time.Duration        // until the first check; see health.Offset
	Errors   <-chan health.Result // what traffic has met, see health.Machine.Observe; nil: nothing
	OnReport func(Report)         // called by Run's goroutine, one at a time
}

// Run checks until ctx ends; a check that this cuts off is not reported. It goes on from
// was, what an earlier Runner has reported last; nil: the server was not checked before.
func (r *Runner) Run(ctx context.Context, was *health.Machine) {
	m := r.machine(mono.Now().Add(r.Offset), was)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		timer.Reset(m.Deadline().Sub(mono.Now()))
		select {
		case <-ctx.Done():
			return
		case met := <-r.Errors:
			changed, noted := m.Observe(mono.Now(), r.Check.OnError, met)
			r.OnReport(Report{Machine: m, Changed: changed, Noted: noted})
			continue
		case <-timer.C:
		}
		m.Begin(mono.Now())
		result := r.Probe(ctx)
		if ctx.Err() != nil {
			return
		}
		changed, noted := m.Step(mono.Now(), result)
		r.OnReport(Report{Machine: m, Changed: changed, Noted: noted})
	}
}

func (r *Runner) machine(first mono.Time, was *health.Machine) health.Machine {
	m := health.New(r.Check, first)
	if r.Agent {
		m = health.NewAgent(r.Check, first)
	}
	if was != nil {
		m.Continue(was)
	}
	return m
}
