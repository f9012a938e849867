package vip

import (
	"encoding/binary"
	"net/netip"
)

// NALen is the length of a frame that AppendNA appends.
const NALen = 14 + 40 + 32

// AppendNA appends an Ethernet frame with an unsolicited neighbour advertisement
// for an IPv6 address (RFC 4861 section 7.2.6): from the address itself to all
// nodes, with the Override flag and our hardware address. router says that this
// host forwards: neighbours that have the address as their default router would
// give it up without that flag.
func AppendNA(dst []byte, hw [6]byte, a netip.Addr, router bool) []byte {
	const (
		icmpv6   = 58
		advert   = 136
		override = 1 << 29
		routers  = 1 << 31
	)
	flags := uint32(override)
	if router {
		flags |= routers
	}
	target := a.As16()
	allNodes := [16]byte{0: 0xff, 1: 0x02, 15: 1}

	dst = append(dst, 0x33, 0x33, 0, 0, 0, 1) // all nodes, RFC 2464 section 7
	dst = append(dst, hw[:]...)
	dst = append(dst, 0x86, 0xdd)
	ip := len(dst)
	dst = append(dst, 6<<4, 0, 0, 0, 0, 32, icmpv6, 255)
	dst = append(dst, target[:]...)
	dst = append(dst, allNodes[:]...)
	msg := len(dst)
	dst = append(dst, advert, 0, 0, 0)
	dst = binary.BigEndian.AppendUint32(dst, flags)
	dst = append(dst, target[:]...)
	dst = append(dst, 2, 1) // target link-layer address, in units of 8 bytes
	dst = append(dst, hw[:]...)

	sum := uint32(len(dst)-msg) + icmpv6 // pseudo header, RFC 8200 section 8.1
	for b := dst[ip+8:]; len(b) > 0; b = b[2:] {
		sum += uint32(binary.BigEndian.Uint16(b))
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	binary.BigEndian.PutUint16(dst[msg+2:], ^uint16(sum))
	return dst
}
