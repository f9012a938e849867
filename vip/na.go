package vip

import (
	"encoding/binary"
	"net/netip"
)

const (
	icmp6           = 58
	neighbourAsk    = 135 // neighbour solicitation
	neighbourAdvert = 136
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
		advert   = neighbourAdvert
		override = 1 << 29
		routers  = 1 << 31
	)
	flags := uint32(override)
	if router {
		flags |= routers
	}
	ip := a.As16()
	msg := append(make([]byte, 0, NALen-14-40), advert, 0, 0, 0) // on the stack
	msg = binary.BigEndian.AppendUint32(msg, flags)
	msg = append(msg, ip[:]...)
	msg = append(msg, 2, 1) // target link-layer address, in units of 8 bytes
	msg = append(msg, hw[:]...)
	return appendICMP6(dst, hw, a, netip.AddrFrom16([16]byte{0: 0xff, 1: 0x02, 15: 1}), msg)
}

// appendICMP6 appends a frame to a multicast address, with the checksum that msg
// leaves out.
func appendICMP6(dst []byte, hw [6]byte, from, group netip.Addr, msg []byte) []byte {
	src, to := from.As16(), group.As16()
	dst = append(dst, 0x33, 0x33, to[12], to[13], to[14], to[15]) // RFC 2464 section 7
	dst = append(dst, hw[:]...)
	dst = append(dst, 0x86, 0xdd)
	ip := len(dst)
	dst = append(dst, 6<<4, 0, 0, 0, 0, byte(len(msg)), icmp6, 255)
	dst = append(dst, src[:]...)
	dst = append(dst, to[:]...)
	dst = append(dst, msg...)
	sum := uint32(len(msg)) + icmp6 // pseudo header, RFC 8200 section 8.1
	for b := dst[ip+8:]; len(b) > 0; b = b[2:] {
		sum += uint32(binary.BigEndian.Uint16(b))
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	binary.BigEndian.PutUint16(dst[ip+42:], ^uint16(sum))
	return dst
}
