package proxy

import (
	"net/netip"

	"baton/internal/mono"
	"baton/internal/sys"
	"baton/lb/engine"
	"baton/lb/spec"
)

// Where connections to a server come from, where that is not the same for all: a source
// with a range of ports, or the client (usesrc). They serve one request each.

// open opens a connection to the server.
func (k *link) open(t *engine.Task, to *sys.Sockaddr, deadline mono.Time) (*engine.Conn, error) {
	tries := 1
	if k.server.varies {
		tries = k.server.source.Ports()
	}
	for ; ; tries-- {
		conn, err := t.Connect(to, k.shaped(), &k.guard, deadline)
		if tries > 1 && (err == sys.EADDRINUSE || err == sys.EADDRNOTAVAIL) {
			continue // the next port may be free
		}
		return conn, err
	}
}

// shaped are the options of a connection to the server.
func (k *link) shaped() *sys.ConnectOptions {
	s := k.server
	if !k.marked() && !s.varies {
		return s.options
	}
	marks := k.options.Marks
	k.options = sys.ConnectOptions{}
	if s.options != nil {
		k.options = *s.options
	}
	k.options.Marks = marks
	if s.varies {
		k.comeFrom(s)
	}
	return &k.options
}

// comeFrom chooses the source of the next connection.
func (k *link) comeFrom(s *Server) {
	var from netip.AddrPort
	switch s.source.As {
	case spec.AsClient:
		from = k.from
	case spec.AsClientIP:
		from = netip.AddrPortFrom(k.from.Addr(), 0)
	default:
		from = s.nextPort()
	}
	if from.IsValid() { // a client on a unix socket has no address
		k.source = sys.SockaddrOf(from)
		k.options.Source = &k.source
	}
}

// nextPort is the source with the port whose turn it is, of those that it has.
func (s *Server) nextPort() netip.AddrPort {
	turn := s.ports.Add(1) - 1
	from := s.source.Addr
	return netip.AddrPortFrom(from.Addr(), from.Port()+uint16(turn%uint32(s.source.Ports())))
}

// Source is where connections to the server come from; nil: from where the kernel chooses.
func (s *Server) Source() *spec.Source { return s.source }

// CheckOptions are those of the next connection that checks a server with a Source. There
// is no client whose address it could have (usesrc), so it comes from that of the source.
func (s *Server) CheckOptions() *sys.ConnectOptions {
	o := &sys.ConnectOptions{Interface: s.source.Interface}
	from := s.nextPort()
	if s.source.As == spec.AsAddress {
		o.Transparent, from = true, s.source.Presented
	}
	if !from.Addr().IsUnspecified() || from.Port() != 0 {
		at := sys.SockaddrOf(from)
		o.Source = &at
	}
	return o
}
