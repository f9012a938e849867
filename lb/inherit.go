package lb

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
		if k.runner != nil {
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
	k.nameless.Store(!k.server.Addr().Addr().IsValid())
	if k.server.Spec.Host == o.server.Spec.Host && k.resolver != nil && o.seat != nil {
		seat := *o.seat
		k.seat = &seat
	}
	if k.nameless.Load() == o.nameless.Load() && k.up == o.up {
		k.since.Store(o.since.Load())
	}
	last := o.last.Load()
	if k.runner == nil || last == nil || k.nameless.Load() {
		return
	}
	m := last.Continue(k.runner.Check, 0)
	k.was = last
	k.last.Store(&m)
	k.up = m.Up()
	k.since.Store(o.since.Load())
}

// lead has those that track a server stand as it does.
func (k *check) lead() {
	for _, o := range k.trackers {
		o.up = k.up
		o.since.Store(k.since.Load())
		o.lead()
	}
}
