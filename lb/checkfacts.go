package lb

import (
	"os"

	"baton/lb/health"
	"baton/lb/health/probe"
)

// factsOf is what the expressions of a server's checks see.
func (l *LB) factsOf(k *check) *probe.Facts {
	return &probe.Facts{
		World: l.set.World(), Proc: l.set.ProcVars(), Backend: k.backend.Facts(), Server: k.server.Facts(),
		Host: l.set.Host, PID: os.Getpid(),
		State: func() string { return string(health.AppendState(nil, l.stateOf(k))) },
	}
}

// stateOf is how a server is seen now.
func (l *LB) stateOf(k *check) health.State {
	s := k.server
	st := health.State{
		Word: k.told(), Addr: s.Addr(), Unix: s.Spec.Socket != "", Name: k.name(), Node: l.set.Host,
		Weight: s.Weight(), Sessions: int(s.Load.Load()), Queued: s.Queued(),
	}
	for _, slot := range k.backend.Slots() {
		st.WeightOfAll += slot.Weight
	}
	for _, o := range k.backend.Servers {
		st.SessionsOfAll += int(o.Load.Load())
	}
	return st
}

// told is the state as the server is told: before the first check too it hears how far
// it is.
func (k *check) told() string {
	if k.last.Load() == nil {
		m := health.New(*k.server.Spec.Check, 0)
		return m.String()
	}
	return k.word()
}
