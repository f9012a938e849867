package packet

import (
	"encoding/binary"
	"net/netip"
)

// Protocol is VRRP's IP protocol number.
const Protocol = 112

// IPv4HeaderLen is the length of the header that AppendIPv4 writes.
const IPv4HeaderLen = 20

// HopLimit is the TTL of every advert (RFC 3768 section 5.2.3): a router cannot
// forward a packet and leave it at 255.
const HopLimit = 255

// tos marks adverts as Internetwork Control (precedence 6), as keepalived does.
const tos = 0xC0

// Group is the IPv4 multicast address of VRRP (RFC 3768 section 5.2.2).
func Group() netip.Addr { return netip.AddrFrom4([4]byte{224, 0, 0, 18}) }

// Header is what a receiver of adverts needs of an IP header.
type Header struct {
	Pseudo
	TTL uint8 // or hop limit
}

// ParseIPv4 splits a packet as a raw socket delivers it. The kernel has checked
// the header already (its checksum, the fragments); payload aliases b.
func ParseIPv4(b []byte) (h Header, payload []byte, r Reason) {
	if len(b) < IPv4HeaderLen || b[0]>>4 != 4 || b[9] != Protocol {
		return h, nil, NotIPv4
	}
	head, total := int(b[0]&0xf)*4, int(binary.BigEndian.Uint16(b[2:]))
	if head < IPv4HeaderLen || head > total || total > len(b) {
		return h, nil, NotIPv4
	}
	h.Source = netip.AddrFrom4([4]byte(b[12:16]))
	h.Destination = netip.AddrFrom4([4]byte(b[16:20]))
	h.TTL = b[8]
	return h, b[head:total], OK
}

// AppendIPv4 appends the header of an advert of n bytes: no fragmentation flags,
// and Identification 0, which the kernel replaces by a number of its choice
// (raw(7), IP_HDRINCL). The header checksum is there for those who send the packet
// another way.
func AppendIPv4(dst []byte, ph Pseudo, ttl uint8, n int) []byte {
	start := len(dst)
	src, to := ph.Source.As4(), ph.Destination.As4()
	dst = append(dst, 4<<4|IPv4HeaderLen/4, tos)
	dst = binary.BigEndian.AppendUint16(dst, uint16(IPv4HeaderLen+n))
	dst = append(dst, 0, 0, 0, 0, ttl, Protocol, 0, 0)
	dst = append(dst, src[:]...)
	dst = append(dst, to[:]...)
	h := dst[start:]
	binary.BigEndian.PutUint16(h[10:], Sum(h))
	return dst
}
