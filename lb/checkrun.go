package lb

import (
	"context"
	"fmt"

	"baton/lb/health"
	"baton/lb/health/probe"
	"baton/lb/proxy"
	"baton/lb/spec"
)

// newRunners makes what checks a server and asks its agent.
func (l *LB) newRunners(k *check) {
	s, b := k.server, k.backend
	if c := s.Spec.Check; c != nil {
		target := probe.TargetOf(s.Addr(), c, b.Spec.Checks, &b.Spec.Timeouts)
		target.Proxy, target.Facts = probe.ProxyOf(s.Spec), l.factsOf(k)
		k.runner = &probe.Runner{
			Check: l.spreading(*c), OnReport: func(r probe.Report) { l.report(k, r) },
			Probe: func(ctx context.Context) health.Result {
				t := target // the server may have moved
				t.Addr = probe.TargetOf(s.Addr(), c, nil, &b.Spec.Timeouts).Addr
				return t.Check(ctx)
			},
		}
		k.state.CheckDown = !health.StartsUp(c)
		k.runner.Errors = observe(s, c)
	}
	if a := s.Spec.Agent; a != nil {
		k.agent = &probe.Runner{
			Agent: true, Check: l.spreading(spec.Check{Inter: a.Inter}), OnReport: func(r probe.Report) { l.reportAgent(k, r) },
			Probe: func(ctx context.Context) health.Result {
				t := probe.AgentTarget(s.Addr(), a, &b.Spec.Timeouts)
				return t.Check(ctx)
			},
		}
	}
}

func (l *LB) spreading(c spec.Check) spec.Check {
	c.Spread = l.cfg.Global.SpreadChecks
	return c
}

// observe lets the errors that a server's traffic meets reach its checks; nil: they
// are not to.
func observe(s *proxy.Server, c *spec.Check) <-chan health.Result {
	if c.Observe == spec.LayerNone {
		return nil
	}
	met := make(chan health.Result, 1)
	s.Observe(&proxy.Watch{Layer: c.Observe, Limit: int32(c.ErrorLimit), Reached: func(last proxy.Sight) {
		info := fmt.Sprintf("Detected %d consecutive errors, last one was: %v", c.ErrorLimit, last)
		select {
		case met <- health.Result{Status: health.Observed, Info: info}:
		default: // one that has not been heard yet says the same
		}
	}})
	return met
}
