package packet

import (
	"bytes"
	"encoding/binary"
	"net/netip"
)

// An origin is what baton appends to an advert that leaves by a heartbeat path
// (vrrp.Config.Paths): the address that the same node's adverts come from on the
// interface of the instance. A node has another address on each path, but must be one
// node in an election, where the address decides between equal priorities. The
// advert's own checksum and count of addresses end before it, so it looks like
// padding to others.
//
//	 0..3   the bytes fe 42 48 50
//	 4..19  the address; of IPv4 as ::ffff:a.b.c.d
//	20..21  0
//	22..23  Internet checksum over these 24 bytes

// OriginLen is the length of an origin.
const OriginLen = 24

const originSumAt = 22

func originMark() [4]byte { return [4]byte{0xfe, 'B', 'H', 'P'} }

// AppendOrigin appends an origin behind an advert.
func AppendOrigin(dst []byte, addr netip.Addr) []byte {
	start := len(dst)
	mark, ip := originMark(), addr.As16()
	dst = append(append(dst, mark[:]...), ip[:]...)
	dst = append(dst, 0, 0, 0, 0)
	o := dst[start:]
	binary.BigEndian.PutUint16(o[originSumAt:], Sum(o))
	return dst
}

// ParseOrigin reads the origin at the beginning of what follows an advert. ok is
// false if there is none, or not one of the family that is asked for.
func ParseOrigin(b []byte, ipv6 bool) (addr netip.Addr, ok bool) {
	mark := originMark()
	if len(b) < OriginLen || !bytes.Equal(b[:len(mark)], mark[:]) || Sum(b[:OriginLen]) != 0 {
		return netip.Addr{}, false
	}
	addr = netip.AddrFrom16([16]byte(b[4:20])).Unmap()
	return addr, addr.Is6() == ipv6 && !addr.IsUnspecified() && !addr.IsMulticast()
}
