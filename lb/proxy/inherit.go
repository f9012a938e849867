package proxy

import (
	"net/netip"

	"baton/lb/spec"
)

// frontendCounters are those of a frontend, new ones where the Set has none of the name.
func (s *Set) frontendCounters(name string) *Counters {
	for _, fe := range s.Frontends {
		if fe.Spec.Name == name {
			return fe.Counters
		}
	}
	return new(Counters)
}

// counters are those of a backend, new ones of none.
func (b *Backend) counters() *Counters {
	if b == nil {
		return new(Counters)
	}
	return b.Counters
}

// serverCounters are those of a server, new ones where the backend has none of the name.
func (b *Backend) serverCounters(name string) *ServerCounters {
	if b != nil {
		for _, s := range b.Servers {
			if s.Spec.Name == name {
				return s.ServerCounters
			}
		}
	}
	return new(ServerCounters)
}

// Inherit takes over what has been changed of a server while it ran under the
// configuration before, unless the files have changed the same thing.
func (s *Server) Inherit(was *Server) {
	s.SetWeight(inherited(was.Weight(), was.Spec.Weight, s.Spec.Weight))
	if s.Spec.Host == was.Spec.Host && (s.follows() && was.follows() || s.Spec.Addr == was.Spec.Addr) {
		s.SetAddr(netip.AddrPortFrom(was.Addr().Addr(), inherited(was.Addr().Port(), was.Spec.Port, s.Spec.Port)))
	}
	s.returned.Store(was.returned.Load())
}

// follows reports whether what is known of the server's address at run time is better
// than what the start of a configuration finds: a resolvers section has told, or init-addr
// says `last` first.
func (s *Server) follows() bool {
	first := s.Spec.InitAddr
	return s.Spec.Naming != nil || len(first) > 0 && first[0].Kind == spec.InitLast
}

// inherited is a value after a reload: as it came to be at run time, if the files say the
// same as before.
func inherited[T comparable](now, was, is T) T {
	if was == is {
		return now
	}
	return is
}
