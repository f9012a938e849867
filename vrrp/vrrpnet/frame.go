package vrrpnet

import (
	"net/netip"

	"baton/internal/sys"
)

// etherLen is the length of an Ethernet header.
const etherLen = 14

// appendEther appends the header of a frame to a multicast group, from a virtual
// router's hardware address: switches learn from adverts where that is (RFC 9568
// section 7.3). Made here and not by an interface that has the address, an advert
// needs no such interface to be up: it is down on a backup, which must not be heard
// with that address.
func appendEther(dst []byte, from [6]byte, group netip.Addr) []byte {
	ethertype := uint16(0x0800)
	if group.Is6() {
		a := group.As16() // RFC 2464 section 7
		dst = append(dst, 0x33, 0x33, a[12], a[13], a[14], a[15])
		ethertype = 0x86dd
	} else {
		a := group.As4() // RFC 1112 section 6.4
		dst = append(dst, 0x01, 0x00, 0x5e, a[1]&0x7f, a[2], a[3])
	}
	dst = append(dst, from[:]...)
	return append(dst, byte(ethertype>>8), byte(ethertype))
}

func (l *link) sendFrame(b []byte) sys.Errno {
	if l.frames == sys.NoFD {
		return sys.ENETDOWN
	}
	_, errno := l.frames.Send(b)
	return errno
}
