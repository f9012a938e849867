package proxy

import (
	"baton/internal/mono"
	"baton/lb/spec"
)

// limit is how many requests the server may work on now; 0: any number. With
// `minconn` it follows the load of the whole backend up to `fullconn`, and in a slow
// start it grows from 1 (manual chapters 4.2, fullconn, and 5.2, slowstart). The
// backend's load counts those that wait and the one that asks, as HAProxy was seen to.
func (s *Server) limit() int32 {
	limit := s.maxconn.Load()
	if limit == 0 {
		return 0
	}
	if low := int32(s.Spec.Minconn); low > 0 && low < limit {
		if load, full := int64(s.Backend.Conns.Load()), int64(s.Backend.fullconn); load < full {
			limit = max(low, int32(load*int64(limit)/full))
		}
	}
	if s.returned.Load() != 0 {
		now, whole := s.warmth(mono.Now())
		limit = max(1, int32(int64(limit)*now/whole))
	}
	return limit
}

// Warm starts the slow start of a server that has come back.
func (s *Server) Warm(now mono.Time) {
	if s.Spec.SlowStart > 0 {
		s.returned.Store(int64(now))
	}
}

// Warming reports whether a slow start is going on, and ends one whose time is over.
func (s *Server) Warming(now mono.Time) bool {
	began := s.returned.Load()
	if began == 0 {
		return false
	}
	if done, whole := s.warmth(now); done == whole {
		s.returned.CompareAndSwap(began, 0)
	}
	return true
}

// warmth is how far a slow start has come, of how much.
func (s *Server) warmth(now mono.Time) (done, whole int64) {
	whole = int64(s.Spec.SlowStart)
	began := s.returned.Load()
	if began == 0 {
		return whole, whole
	}
	return min(max(int64(now)-began, 0), whole), whole
}

// scaled is the server's weight in sixteenths, as balance wants it.
func (s *Server) scaled(now mono.Time) int {
	w := s.Weight() * 16
	if !s.Backend.Spec.Balance.Static() {
		done, whole := s.warmth(now)
		if whole > 0 {
			w = int(int64(w) * done / whole)
		}
	}
	return max(1, w)
}

// fullconn is the load at which servers with a `minconn` reach their maxconn: the
// configured one, or a tenth of what the frontends that may lead here admit.
func (s *Set) fullconn(b *spec.Backend, frontends []*spec.Frontend) int {
	if b.Fullconn > 0 {
		return b.Fullconn
	}
	sum := 0
	for _, fe := range frontends {
		leads := fe.DefaultBackend == b.Name || fe.Listen && fe.Name == b.Name
		for _, u := range fe.UseBackends {
			leads = leads || u.Backend == b.Name
		}
		switch {
		case !leads:
		case fe.Maxconn > 0:
			sum += fe.Maxconn
		default:
			sum += int(s.Maxconn)
		}
	}
	return max(1, (sum+9)/10)
}

// Served, Queued, Full, Room and Changed are balance.Load.

// Served is the number of requests that the server works on.
func (s *Server) Served() int { return int(s.Load.Load()) }

// Queued is the number of requests that wait for this server.
func (s *Server) Queued() int { return int(s.waiting.n.Load()) }

// Full reports that the server takes no further request now.
func (s *Server) Full() bool {
	limit := s.limit()
	return limit > 0 && (s.Load.Load() >= limit || s.Queued() > 0)
}

// Room reports whether leastconn may choose the server: it counts the places in the
// server's own queue where a `maxqueue` makes them few.
func (s *Server) Room() bool {
	limit := s.limit()
	return limit == 0 || s.Served()+s.Queued() < int(limit)+s.Spec.Maxqueue
}

// Crowded reports whether as many requests wait for the server as `maxqueue` allows.
func (s *Server) Crowded() bool { return s.Spec.Maxqueue > 0 && s.Queued() >= s.Spec.Maxqueue }

// Changed is the time, in changes of load within the backend, of this server's last.
func (s *Server) Changed() uint64 { return s.changed.Load() }

// stamp notes a change of load; only leastconn wants to know.
func (s *Server) stamp() {
	if b := s.Backend; b.Spec.Balance.Algorithm == spec.LeastConn {
		s.changed.Store(b.changes.Add(1))
	}
}
