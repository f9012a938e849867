package lb

import (
	"net/netip"
	"strings"

	"baton/internal/mono"
	"baton/lb/proxy"
	"baton/lb/resolve"
)

// Names that rules want resolved (do-resolve). They are asked for once, and an answer
// serves for hold valid.

// question is one rule's.
type question struct {
	of   wanted
	done func(netip.Addr)
}

// asked is a name and who waits for it.
type asked struct {
	open
	waiters []func(netip.Addr)
	addr    netip.Addr
	until   mono.Time // addr serves until then
}

const (
	pendingQuestions = 1024 // that the resolver has not taken yet
	maxAsked         = 8192 // names at a time: clients choose them
)

var _ proxy.Resolver = (*resolver)(nil)

// Ask looks a name up for a rule. More at a time than can be taken find nothing.
func (r *resolver) Ask(name string, preferIPv4 bool, done func(netip.Addr)) {
	of := wanted{strings.ToLower(name), resolve.AAAA}
	if preferIPv4 {
		of.first = resolve.A
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.over {
		select {
		case r.questions <- question{of, done}:
			return
		default:
		}
	}
	done(netip.Addr{})
}

// silence answers all who wait, and whoever asks from now on, with nothing: the resolver
// ends, and sessions may go on for a while.
func (r *resolver) silence() {
	r.mu.Lock()
	r.over = true
	r.mu.Unlock()
	for _, a := range r.asked {
		for _, done := range a.waiters {
			done(netip.Addr{})
		}
	}
	for {
		select {
		case q := <-r.questions:
			q.done(netip.Addr{})
		default:
			return
		}
	}
}

func (r *resolver) answer(q question, now mono.Time) {
	a := r.asked[q.of]
	switch {
	case a != nil && now < a.until:
		q.done(a.addr)
		return
	case a == nil || len(a.waiters) == 0:
		// A name that is none must not stay in the books as one that nobody answers for.
		if _, err := resolve.Query(0, q.of.name, q.of.first, r.spec.Payload); err != nil || len(r.servers) == 0 || len(r.asked) >= maxAsked {
			q.done(netip.Addr{})
			return
		}
		a = &asked{open: open{Lookup: resolve.NewLookup(q.of.name, q.of.first, r.limits, len(r.servers), now, nil)}}
		r.asked[q.of] = a
	}
	a.waiters = append(a.waiters, q.done)
}

// follow does what is due for the names that rules asked for, and tells when it wants to
// be called again.
func (r *resolver) follow(now mono.Time) (next mono.Time) {
	next = mono.Never
	for of, a := range r.asked {
		if len(a.waiters) > 0 {
			if a.Tick(now) {
				r.send(&a.open)
			}
			if _, asking := a.Query(); asking {
				next = min(next, a.Deadline())
				continue
			}
			if found := a.Records(); len(found) > 0 {
				a.addr, a.until = found[0].Addr, now.Add(r.spec.HoldValid)
			}
			for _, done := range a.waiters {
				done(a.addr)
			}
			a.waiters = nil
			delete(r.byID, a.id)
		}
		if now >= a.until {
			delete(r.asked, of)
		} else {
			next = min(next, a.until)
		}
	}
	return next
}
