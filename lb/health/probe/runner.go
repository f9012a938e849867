package probe

import (
	"context"
	"net/netip"
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

// Runner checks one server for as long as it runs.
type Runner struct {
	Target   Target
	Where    func() netip.AddrPort // asked before each check; nil: Target.Addr stays
	Check    spec.Check
	Offset   time.Duration // until the first check; see health.Offset
	OnReport func(Report)  // called by Run's goroutine, one at a time

	probe func(context.Context) health.Result // Target.Check, but for tests
}

// Run checks until ctx ends; a check that this cuts off is not reported. It goes on from
// was, what an earlier Runner has reported last; nil: the server was not checked before.
func (r *Runner) Run(ctx context.Context, was *health.Machine) {
	probe := r.probe
	if probe == nil {
		probe = func(ctx context.Context) health.Result {
			t := r.Target
			if r.Where != nil {
				t.Addr = r.Where()
			}
			return t.Check(ctx)
		}
	}
	first := mono.Now().Add(r.Offset)
	m := health.New(r.Check, first)
	if was != nil {
		m = was.Continue(r.Check, first)
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		timer.Reset(m.Deadline().Sub(mono.Now()))
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		m.Begin(mono.Now())
		result := probe(ctx)
		if ctx.Err() != nil {
			return
		}
		changed, noted := m.Step(mono.Now(), result)
		r.OnReport(Report{Machine: m, Changed: changed, Noted: noted})
	}
}
