package proxy

import (
	"net/netip"
	"sync/atomic"

	"baton/internal/sys"
	"baton/lb/cookie"
	"baton/lb/sample"
	"baton/lb/spec"
)

// Server is one `server` line at run time, shared by all loops.
type Server struct {
	Spec    *spec.Server
	Backend *Backend
	facts   sample.Target
	Index   int                  // in its backend
	Number  int                  // its numeric identifier
	global  int                  // among all servers: its place in a worker's pools
	at      atomic.Pointer[site] // changes while resolvers follow its name
	maxconn atomic.Int32         // 0: none. What holds at present: limit
	watch   *Watch               // of errors in its traffic; nil: nobody asks
	weight  atomic.Int32         // 0 to 256

	idle     atomic.Int32        // connections to it that rest in the pools
	Load     atomic.Int32        // sessions or requests that it serves now
	options  *sys.ConnectOptions // nil: none
	source   *spec.Source        // nil: as the kernel chooses
	varies   bool                // the source is not the same for all connections
	ports    atomic.Uint32       // turns among those of the source
	waiting  list                // those that wait for it and no other; under Backend.queue's mutex
	changed  atomic.Uint64       // see Changed
	returned atomic.Int64        // mono.Time at which its slow start began; 0: none goes on
	usable   atomic.Bool
	shares   atomic.Bool // it is one of those that share the traffic now
	could    bool        // share it, but for backups that others keep out; SetUsable's
	mayKill  bool        // a change of state may end sessions with it

	sessionRate rate
	*ServerCounters
}

// ServerCounters are what a server counts, also over reloads.
type ServerCounters struct {
	Sessions atomic.Uint64 // connections or requests given to it, ever
	BytesIn  atomic.Uint64 // from clients to it
	BytesOut atomic.Uint64
	ConnErrs atomic.Uint64 // connections that failed
	RespErrs atomic.Uint64 // responses that failed
	Retries  atomic.Uint64
	Redisps  atomic.Uint64
	Opened   atomic.Uint64 // connections opened; Sessions/Opened tells the reuse
}

// site is where a server is.
type site struct {
	addr     netip.AddrPort // invalid: unix, or its name has none yet
	sockaddr sys.Sockaddr
	unix     bool   // a unix socket, for ever
	cookie   string // made of addr; "": none
}

// Addr is the server's address and port; the address is invalid while its name has none,
// the port is 0 where it is the one that the client asked for.
func (s *Server) Addr() netip.AddrPort { return s.at.Load().addr }

// Nameless reports whether the server's name has no address yet.
func (s *Server) Nameless() bool { return s.Spec.Socket == "" && !s.Addr().Addr().IsValid() }

// Place is where the server is, for people.
func (s *Server) Place() string {
	if s.Spec.Socket != "" {
		return s.Spec.Host
	}
	return s.Addr().String()
}

// SetAddr moves the server: connections opened from now on go to a. A server on a unix
// socket stays there.
func (s *Server) SetAddr(a netip.AddrPort) {
	if s.Spec.Socket != "" {
		s.at.Store(&site{sockaddr: sys.UnixSockaddr(s.Spec.Socket), unix: true})
		return
	}
	at := &site{addr: a, sockaddr: sys.SockaddrOf(a)}
	if c := s.Backend.Spec.Cookie; c != nil && c.Dynamic {
		at.cookie = cookie.Dynamic(s.Backend.Spec.CookieKey, a)
	}
	s.at.Store(at)
}

// Cookie is the value that stands for the server in a persistence cookie; "": there is
// none.
func (s *Server) Cookie() string {
	if s.Spec.Cookie != "" {
		return s.Spec.Cookie
	}
	return s.at.Load().cookie
}

// Weight is the server's present weight.
func (s *Server) Weight() int { return int(s.weight.Load()) }

// SetWeight changes it for the next SetUsable.
func (s *Server) SetWeight(w int) { s.weight.Store(int32(w)) }

// SetMaxconn changes its limit; 0: none.
func (s *Server) SetMaxconn(n int) { s.maxconn.Store(int32(n)) }

// Usable reports whether the balancer may choose the server.
func (s *Server) Usable() bool { return s.usable.Load() }

// take counts a session in, unless the server is at its limit.
func (s *Server) take() bool {
	if s.maxconn.Load() == 0 {
		s.Load.Add(1)
		s.stamp()
		return true
	}
	for limit := s.limit(); ; {
		n := s.Load.Load()
		if n >= limit {
			return false
		}
		if s.Load.CompareAndSwap(n, n+1) {
			s.stamp()
			return true
		}
	}
}

// leave counts a session out and lets the next one of the queue in.
func (s *Server) leave() {
	s.Load.Add(-1)
	s.stamp()
	if s.maxconn.Load() == 0 || !s.Usable() {
		return
	}
	// More than one where the limit has grown with the backend's load since.
	for s.Queued() > 0 || s.Backend.queue.any.n.Load() > 0 {
		if !s.Backend.queue.grant(s) {
			return
		}
	}
}
