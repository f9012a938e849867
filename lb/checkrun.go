package lb

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"strconv"

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
		target.Socket = probe.SocketOf(s.Spec, c.Addr)
		target.From = comesFrom(s)
		target.Proxy, target.Facts = probe.ProxyOf(s.Spec), l.factsOf(k)
		k.runner = &probe.Runner{
			Check: l.spreading(*c), OnReport: func(r probe.Report) { l.report(k, r) },
			Probe: func(ctx context.Context) health.Result {
				t := target // the server may have moved
				t.Addr = probe.TargetOf(s.Addr(), c, nil, &b.Spec.Timeouts).Addr
				return t.Check(ctx)
			},
		}
		if e := planned(b.Spec.Checks); e != nil {
			k.runner.Probe = func(ctx context.Context) health.Result { return l.command(k, e, &target).Check(ctx) }
		}
		k.state.CheckDown = !health.StartsUp(c)
		k.runner.Errors = observe(s, c)
	}
	if a := s.Spec.Agent; a != nil {
		k.agent = &probe.Runner{
			Agent: true, Check: l.spreading(spec.Check{Inter: a.Inter}), OnReport: func(r probe.Report) { l.reportAgent(k, r) },
			Probe: func(ctx context.Context) health.Result {
				t := probe.AgentTarget(s.Addr(), a, &b.Spec.Timeouts)
				t.Socket, t.From = probe.SocketOf(s.Spec, a.Addr), comesFrom(s)
				return t.Check(ctx)
			},
		}
	}
}

// comesFrom is where what checks a server comes from; nil: from anywhere.
func comesFrom(s *proxy.Server) *probe.From {
	from := s.Source()
	if from == nil {
		return nil
	}
	return &probe.From{Next: s.CheckOptions, Tries: from.Ports()}
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

// planned is the command of external checks; nil: they are none.
func planned(plan *spec.CheckPlan) *spec.External {
	if plan == nil {
		return nil
	}
	return plan.External
}

// command is an external check of k as it is now, with the arguments and variables of
// chapter 4.2, external-check command. It has the time of a whole check.
func (l *LB) command(k *check, e *spec.External, t *probe.Target) *probe.Command {
	s, b := k.server, k.backend
	const none = "NOT_USED"
	proxyAddr, proxyPort := l.firstBind(b)
	addr, port := s.Addr().Addr().String(), strconv.Itoa(int(s.Addr().Port()))
	if at := s.Spec.Socket; at != "" {
		if addr, port = at, ""; at[0] == 0 {
			addr = "" // as HAProxy has it: an abstract name is no file's
		}
	}
	proto := "tcp"
	if b.Spec.Mode == spec.HTTP {
		proto = "h1"
	}
	var env []string
	if l.cfg.Global.ExternalEnv {
		env = os.Environ()
	}
	env = append(env,
		"HAPROXY_PROXY_ADDR="+proxyAddr, "HAPROXY_PROXY_ID="+strconv.Itoa(b.Facts().ID), "HAPROXY_PROXY_NAME="+b.Spec.Name, "HAPROXY_PROXY_PORT="+proxyPort,
		"HAPROXY_SERVER_ADDR="+addr, "HAPROXY_SERVER_CURCONN="+strconv.Itoa(int(s.Load.Load())), "HAPROXY_SERVER_ID="+strconv.Itoa(s.Number),
		"HAPROXY_SERVER_MAXCONN="+strconv.Itoa(s.Spec.Maxconn), "HAPROXY_SERVER_NAME="+s.Spec.Name, "HAPROXY_SERVER_PORT="+port,
		"HAPROXY_SERVER_SSL=0", "HAPROXY_SERVER_PROTO="+proto)
	if e.Path != "" {
		env = append(env, "PATH="+e.Path)
	}
	return &probe.Command{
		Path: e.Command, Env: env, Time: cmp.Or(t.Answer, t.Total),
		Args: []string{cmp.Or(proxyAddr, none), cmp.Or(proxyPort, none), addr, cmp.Or(port, none)},
	}
}

// firstBind is the first listener of a `listen` section: address and port, or the path
// of a socket.
func (l *LB) firstBind(b *proxy.Backend) (addr, port string) {
	if !b.Spec.Listen {
		return "", ""
	}
	for _, fe := range l.set.Frontends {
		if fe.Spec.Name != b.Spec.Name {
			continue
		}
		for i := range fe.Spec.Binds {
			switch bind := &fe.Spec.Binds[i]; bind.Kind {
			case spec.BindIP:
				return bind.Addr.Addr().String(), strconv.Itoa(int(bind.Addr.Port()))
			case spec.BindUnix:
				return bind.Path, ""
			}
		}
	}
	return "", ""
}
