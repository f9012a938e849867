package vip

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"baton/internal/mono"
)

// sim is the shell of a Keeper with a kernel that exists only here: it knows
// addresses, ends leases, and fails where it is told to.
type sim struct {
	k      *Keeper
	now    mono.Time
	kernel []simAddr
	broken []netip.Prefix // steps on these fail
	trace  strings.Builder
}

type simAddr struct {
	Entry
	renewed mono.Time
}

func (s *sim) say(format string, args ...any) {
	fmt.Fprintf(&s.trace, "%s: %s\n", time.Duration(s.now), fmt.Sprintf(format, args...))
}

// expire takes the addresses whose lease has ended.
func (s *sim) expire() {
	s.kernel = slices.DeleteFunc(s.kernel, func(a simAddr) bool {
		end := !a.Foreign && s.now.Sub(a.renewed) >= LeaseValid
		if end {
			s.say("kernel: %s expired", a.Prefix)
		}
		return end
	})
}

func (s *sim) step(ev Event) {
	s.expire()
	for queue := s.k.Step(s.now, ev, nil); len(queue) > 0; queue = queue[1:] {
		switch act := queue[0]; act.Kind {
		case Sync:
			queue = s.sync(act.Instance, queue)
		case Send:
			s.say("send %s on %s x%d%s", act.Address.Prefix, act.Address.Interface, act.Count, map[ARPForm]string{ARPReply: " reply", ARPBoth: " both"}[act.Form])
		default:
			s.say("%s %s", act.Kind, act.Address.Prefix)
		}
	}
}

func (s *sim) sync(instance string, queue []Action) []Action {
	var have Set
	for _, a := range s.kernel {
		have = append(have, a.Entry)
	}
	for _, st := range Diff(have, s.k.Want(nil)) {
		if h, _ := s.k.owner(st.Address); instance != "" && h != nil && h.Config.Instance != instance {
			continue
		}
		ok := !slices.Contains(s.broken, st.Prefix)
		if ok {
			s.say("%s %s on %s", st.Op, st.Prefix, st.Interface)
		} else {
			s.say("%s %s on %s FAILS", st.Op, st.Prefix, st.Interface)
		}
		queue = s.k.Step(s.now, Event{Kind: s.apply(st, ok), Address: st.Address}, queue)
	}
	for _, a := range s.k.Settle(nil) {
		if !slices.ContainsFunc(have, func(e Entry) bool { return e.Address == a }) {
			queue = s.k.Step(s.now, Event{Kind: Removed, Address: a}, queue)
		}
	}
	return queue
}

func (s *sim) apply(st Step, ok bool) EventKind {
	same := func(a simAddr) bool { return a.Interface == st.Interface && a.Prefix == st.Prefix }
	if !ok || st.Op == Refuse {
		return Failed
	}
	switch st.Op {
	case Add:
		s.kernel = append(s.kernel, simAddr{Entry{Address: st.Address}, s.now})
		return Added
	case Renew:
		s.kernel[slices.IndexFunc(s.kernel, same)].renewed = s.now
		return Renewed
	}
	s.kernel = slices.DeleteFunc(s.kernel, same)
	return Removed
}

// run lets time pass until the given instant, with a Timer at each deadline.
func (s *sim) run(until mono.Time) {
	for s.k.Deadline() <= until {
		s.now = max(s.now, s.k.Deadline())
		s.step(Event{Kind: Timer})
	}
	s.now = until
}
