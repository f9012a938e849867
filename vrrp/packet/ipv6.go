package packet

import (
	"encoding/binary"
	"net/netip"
)

// IPv6HeaderLen is the length of the header that AppendIPv6 writes.
const IPv6HeaderLen = 40

// Group6 is the IPv6 multicast address of VRRP (RFC 9568 section 5.1.2.2).
func Group6() netip.Addr { return netip.AddrFrom16([16]byte{0: 0xff, 1: 0x02, 15: 0x12}) }

// AppendIPv6 appends the header of an advert of n bytes, with the traffic class
// that AppendIPv4 gives. The source of a multicast advert is a link-local address
// (RFC 9568 section 5.1.2.1).
func AppendIPv6(dst []byte, ph Pseudo, hopLimit uint8, n int) []byte {
	src, to := ph.Source.As16(), ph.Destination.As16()
	dst = append(dst, 6<<4|tos>>4, tos&0xf<<4, 0, 0)
	dst = binary.BigEndian.AppendUint16(dst, uint16(n))
	dst = append(dst, Protocol, hopLimit)
	dst = append(dst, src[:]...)
	return append(dst, to[:]...)
}

// AppendIP appends the header of the family that the addresses are of.
func AppendIP(dst []byte, ph Pseudo, hopLimit uint8, n int) []byte {
	if ph.Destination.Is6() {
		return AppendIPv6(dst, ph, hopLimit, n)
	}
	return AppendIPv4(dst, ph, hopLimit, n)
}
