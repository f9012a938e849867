package spec

import (
	"net/netip"
	"time"
)

// Keepalive is `option tcpka` and the like with their limits; 0 leaves the system's.
type Keepalive struct {
	On         bool
	Probes     int
	Idle, Each time.Duration // whole seconds
}

// Source is where connections to servers come from (`source`).
type Source struct {
	Addr      netip.AddrPort // unspecified with port 0: as the kernel chooses
	LastPort  uint16         // of a range that begins with Addr's port; 0: it is one port
	Interface string
	As        SourceAs       // usesrc
	Presented netip.AddrPort // AsAddress
}

// Ports is the number of ports to come from; 1 for any that the kernel chooses.
func (s *Source) Ports() int { return max(int(s.LastPort)-int(s.Addr.Port()), 0) + 1 }

// SourceAs is whose address a server sees (usesrc), which need not be one of this host.
type SourceAs uint8

// The choices.
const (
	AsSelf     SourceAs = iota
	AsAddress           // one that is given
	AsClientIP          // the client's
	AsClient            // the client's, with its port
)

// BindTCP is what a bind line asks of its TCP sockets.
type BindTCP struct {
	Interface   string
	MSS         int // negative: so much less than what the client offers
	FastOpen    bool
	Defer       bool
	Transparent bool
	UserTimeout time.Duration
	Backlog     int // 0: the frontend's
}
