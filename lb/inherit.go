package lb

import "baton/lb/health"

// inherit takes over what the LB of the configuration before has found out about the
// servers. Its checks and resolvers have ended, those of l have not begun.
func (l *LB) inherit(old *LB) {
	was := byName(old.checks)
	for name, k := range byName(l.checks) {
		if o := was[name]; o != nil {
			k.inherit(o)
		}
	}
	for _, k := range l.checks {
		if k.runner != nil || k.agent != nil {
			k.lead()
		}
	}
}

func byName(checks []*check) map[string]*check {
	m := make(map[string]*check)
	for _, k := range checks {
		m[k.backend.Spec.Name+"/"+k.server.Spec.Name] = k
	}
	return m
}

// inherit takes over from the server that had the name before. One that was down is not
// trusted before its checks pass, whatever the files have changed about it.
func (k *check) inherit(o *check) {
	k.server.Inherit(o.server)
	k.state.Nameless = k.server.Nameless()
	defer k.publish()
	if k.server.Spec.Host == o.server.Spec.Host && k.resolver != nil && o.seat != nil {
		seat := *o.seat
		k.seat = &seat
	}
	if k.agent != nil && o.agent != nil {
		k.inheritAgent(o)
	}
	if k.state.Serves() == o.state.Serves() {
		k.since.Store(o.since.Load())
	}
	last := o.last.Load()
	if k.runner == nil || last == nil || k.state.Nameless {
		return
	}
	m := health.New(k.runner.Check, 0)
	m.Continue(last)
	k.was = last
	k.last.Store(&m)
	k.state.CheckDown = !m.Up()
	k.state.Stopping = o.state.Stopping && m.Up()
	k.since.Store(o.since.Load())
}

// inheritAgent keeps what the agent has said.
func (k *check) inheritAgent(o *check) {
	k.state.AgentDown, k.state.Drain, k.state.Maint = o.state.AgentDown, o.state.Drain, o.state.Maint
	k.wasAgent = o.lastAgent.Load()
	k.lastAgent.Store(k.wasAgent)
}

// lead has those that track a server stand as it does.
func (k *check) lead() {
	for _, o := range k.trackers {
		o.state.CheckDown, o.state.Stopping, o.state.Drain, o.state.Maint = !k.state.Up(), k.state.Stopping, k.state.Drain, k.state.Maint
		o.publish()
		o.since.Store(k.since.Load())
		o.lead()
	}
}

// restore has the server go on from what a state file tells of it: its checks, what an
// operator wanted of it, and the weight where the configured one is what it was. That of
// a server that tracks another is the other's.
func (k *check) restore() {
	was := k.server.Spec.Saved
	if was == nil || k.server.Spec.Track != "" {
		return
	}
	k.state.Maint, k.state.Drain = was.Maint, was.Drain && !was.Maint
	const heaviest = 256
	if was.Initial == k.server.Spec.Weight {
		k.server.SetWeight(min(was.Weight, heaviest))
	}
	if k.runner == nil {
		return
	}
	m := health.New(k.runner.Check, 0)
	m.Restore(was.Health, !was.Down)
	k.was, k.state.CheckDown = &m, !m.Up()
}
