package proxy

import (
	"net/netip"

	"baton/lb/balance"
	"baton/lb/spec"
)

// newBackend makes a backend whose servers are not usable yet; ids counts servers
// over all backends.
func newBackend(sp *spec.Backend, index int, ids *int) *Backend {
	b := &Backend{
		Spec: sp, index: index,
		request: newRules(sp.HTTPReq), redirects: newRules(sp.Redirects), response: newRules(sp.HTTPRes),
	}
	b.slots.Store(new([]balance.Slot))
	for i, ss := range sp.Servers {
		b.Servers = append(b.Servers, &Server{
			Spec: ss, Backend: b, Index: i, global: *ids,
			Limit: int32(ss.Maxconn),
		})
		b.Servers[i].SetAddr(netip.AddrPortFrom(ss.Addr, ss.Port))
		b.Servers[i].SetWeight(ss.Weight)
		*ids++
	}
	return b
}

// SetUsable tells which servers are in service (by their index), from one
// goroutine at a time. It returns how many share the traffic now.
func (b *Backend) SetUsable(set *Set, up []bool) int {
	states := make([]balance.ServerState, len(b.Servers))
	for i, s := range b.Servers {
		s.usable.Store(up[i])
		states[i] = balance.ServerState{Up: up[i], Backup: s.Spec.Backup, Weight: s.Weight(), Load: &s.Load}
	}
	slots := balance.Eligible(states, b.Spec.AllBackups)
	b.slots.Store(&slots)
	b.usable.Store(int32(len(slots)))
	for _, w := range set.Workers {
		w.Loop.Post(func() { w.Reslot(b, slots) })
	}
	// Who waits in the queue may be served by a server that has come back.
	for _, slot := range slots {
		for b.queue.grant(b.Servers[slot.ID]) {
		}
	}
	return len(slots)
}
