package lb

import (
	"net/netip"

	"baton/internal/sys"
)

// localTarget is the address by which this host reaches its own listener: loopback
// for a wildcard, the address itself if the host owns it now. ok is false for an
// address that is elsewhere: connecting to it would ask the other node.
func localTarget(bind netip.AddrPort) (to netip.AddrPort, ok bool) {
	switch a := bind.Addr(); {
	case a == netip.IPv4Unspecified():
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), bind.Port()), true
	case a == netip.IPv6Unspecified():
		return netip.AddrPortFrom(netip.IPv6Loopback(), bind.Port()), true
	}
	return bind, sys.HasLocalAddress(bind.Addr())
}
