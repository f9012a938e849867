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
	Interface string
}

// BindTCP is what a bind line asks of its TCP sockets.
type BindTCP struct {
	Interface   string
	MSS         int
	FastOpen    bool
	Defer       bool
	Transparent bool
	UserTimeout time.Duration
	Backlog     int // 0: the frontend's
}
