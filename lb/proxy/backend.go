package proxy

import (
	"net/netip"

	"baton/internal/mono"
	"baton/internal/sys"
	"baton/lb/balance"
	"baton/lb/sample"
	"baton/lb/spec"
)

// newBackend makes a backend whose servers are not usable yet; ids counts servers
// over all backends. was is the one that had its name before a reload, or nil.
func newBackend(sp *spec.Backend, index int, ids *int, fullconn int, was *Backend) *Backend {
	b := &Backend{
		Spec: sp, index: index, Counters: was.counters(), fullconn: fullconn, facts: factsOf(&sp.Common),
		request: newRules(sp.HTTPReq), redirects: newRules(sp.Redirects), response: newRules(sp.HTTPRes), after: newRules(sp.HTTPAfter),
	}
	b.persist = newPersistRules(sp.Persist)
	for _, u := range sp.UseServers {
		b.useServers = append(b.useServers, serverSwitch{compile(u.Cond), u.Server, u.Format})
	}
	b.content, b.requestContent = contentRules(sp.Mode, sp.TCPContent)
	b.answer, b.answerHead = contentRules(sp.Mode, sp.TCPResponse)
	b.slots.Store(new([]balance.Slot))
	numbers := numberServers(sp.Servers)
	for i, ss := range sp.Servers {
		b.Servers = append(b.Servers, &Server{
			Spec: ss, Backend: b, facts: sample.Target{Name: ss.Name, ID: numbers[i]}, Index: i, Number: numbers[i], global: *ids,
			ServerCounters: was.serverCounters(ss.Name),
		})
		b.Servers[i].SetMaxconn(max(ss.Maxconn, ss.Minconn))
		b.Servers[i].mayKill = mayKill(ss, sp.Servers)
		b.Servers[i].route(sp)
		b.Servers[i].stamp()
		b.Servers[i].SetAddr(netip.AddrPortFrom(ss.Addr, ss.Port))
		b.Servers[i].SetWeight(ss.Weight)
		*ids++
	}
	return b
}

// route works out what `source`, tcp-ut and the keepalive options ask of connections to
// the server. They are TCP's affair: none holds for a unix socket.
func (s *Server) route(sp *spec.Backend) {
	if s.Spec.Socket != "" {
		return
	}
	o := sys.ConnectOptions{UserTimeout: s.Spec.UserTimeout, Keepalive: keepalive(&sp.ServerKeepalive)}
	s.source = sp.Source
	if s.Spec.Source != nil {
		s.source = s.Spec.Source
	}
	if from := s.source; from != nil {
		o.Interface, o.Transparent = from.Interface, from.As != spec.AsSelf
		s.varies = from.Ports() > 1 || from.As == spec.AsClient || from.As == spec.AsClientIP
		at := from.Addr
		if from.As == spec.AsAddress {
			at = from.Presented
		}
		if !s.varies && (!at.Addr().IsUnspecified() || at.Port() != 0) {
			a := sys.SockaddrOf(at)
			o.Source = &a
		}
	}
	if s.varies || o != (sys.ConnectOptions{}) {
		s.options = &o
	}
}

func keepalive(k *spec.Keepalive) sys.Keepalive {
	return sys.Keepalive{On: k.On, Probes: k.Probes, Idle: k.Idle, Each: k.Each}
}

// numberServers gives the servers without an `id` their places in the backend, or the
// next number that is free.
func numberServers(servers []*spec.Server) []int {
	used := make(map[int]bool)
	for _, s := range servers {
		used[s.ID] = true
	}
	var numbers []int
	next := 1
	for _, s := range servers {
		n := s.ID
		if n == 0 {
			for used[next] {
				next++
			}
			n = next
		}
		next++
		numbers = append(numbers, n)
	}
	return numbers
}

// Standing is what a server gets.
type Standing struct {
	Serves bool // requests that belong to it
	Shares bool // new clients too, as far as its weight goes
}

// SetUsable tells how the servers stand (by their index), from one goroutine at a
// time. It returns how many share the traffic now.
func (b *Backend) SetUsable(set *Set, standing []Standing) int {
	now := mono.Now()
	states := make([]balance.ServerState, len(b.Servers))
	for i, s := range b.Servers {
		s.usable.Store(standing[i].Serves)
		states[i] = balance.ServerState{
			Up: standing[i].Shares, Backup: s.Spec.Backup, Number: s.Number, Weight: s.Weight(), Scaled: s.scaled(now), Load: s,
		}
	}
	plan := balance.NewPlan(&b.Spec.Balance, states, b.Spec.AllBackups)
	slots := plan.Slots
	b.slots.Store(&slots)
	b.usable.Store(int32(len(slots)))
	shares := make([]bool, len(b.Servers))
	for i := range slots {
		shares[slots[i].ID] = true
	}
	for i, s := range b.Servers {
		s.shares.Store(shares[i])
		if could := states[i].Up && states[i].Weight > 0; s.could != could {
			s.could = could
			s.stamp() // among servers of equal load it is the newest, a backup also while others serve
		}
		if !standing[i].Serves {
			b.queue.turnAway(s)
		}
	}
	for _, w := range set.Workers {
		w.Loop.Post(func() { w.Reslot(b, plan) })
	}
	// Who waits in the queue may be served by a server that has come back.
	for _, slot := range slots {
		for b.queue.grant(b.Servers[slot.ID]) {
		}
	}
	return len(slots)
}
