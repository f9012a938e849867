package packet

import (
	"encoding/binary"
	"net/netip"
	"time"
)

// Advert is one VRRP advertisement.
type Advert struct {
	VRID     uint8
	Priority uint8         // 0: the master resigns
	Interval time.Duration // version 2: whole seconds, 0..255
	Auth     Auth
	// Addresses are the virtual addresses, IPv4, at most 255. Parse reuses the
	// room of this slice: who keeps a parsed Advert copies them.
	Addresses []netip.Addr
}

const (
	version2     = 2
	typeAdvert   = 1
	headLen      = 8 // version and type .. checksum
	authLen      = 8 // always there in version 2, zeros without authentication
	checksumAt   = 6
	intervalUnit = time.Second // unit of the interval field of version 2
)

// MaxAddresses is how many addresses an advert can carry.
const MaxAddresses = 255

// MaxLen is the length of the longest VRRPv2 advert.
const MaxLen = headLen + 4*MaxAddresses + authLen

// Parse reads one VRRPv2 advert from b, which starts at the VRRP header. Bytes
// after the advert, such as Ethernet padding, are ignored. On any other answer
// than OK the contents of a are undefined, but its VRID is set if b has one.
//
// Parse checks the form only; Check compares with what the instance expects.
func (a *Advert) Parse(b []byte) Reason {
	if len(b) < headLen {
		return Short
	}
	a.VRID = b[1]
	switch {
	case b[0]>>4 != version2:
		return Version
	case b[0]&0xf != typeAdvert:
		return Type
	}
	n := int(b[3])
	total := headLen + 4*n + authLen
	if len(b) < total {
		return Count
	}
	b = b[:total]
	if Sum(b) != 0 {
		return Checksum
	}
	a.Priority = b[2]
	a.Auth.Type = AuthType(b[4])
	a.Interval = time.Duration(b[5]) * intervalUnit
	a.Addresses = a.Addresses[:0]
	for p := b[headLen : total-authLen]; len(p) > 0; p = p[4:] {
		a.Addresses = append(a.Addresses, netip.AddrFrom4([4]byte(p)))
	}
	copy(a.Auth.Data[:], b[total-authLen:])
	return OK
}

// Check compares a parsed advert with the receiving instance's settings, in the
// order of RFC 2338 section 7.1. Without authentication the data bytes are
// ignored, as that RFC's section 5.3.10 asks.
func (a *Advert) Check(auth Auth, interval time.Duration) Reason {
	switch {
	case a.Auth.Type != auth.Type:
		return AuthKind
	case auth.Type != AuthNone && a.Auth.Data != auth.Data:
		return AuthData
	case a.Interval != interval:
		return Interval
	}
	return OK
}

// Len returns the length of what Append appends.
func (a *Advert) Len() int { return headLen + 4*len(a.Addresses) + authLen }

// Append appends the advert as VRRPv2, checksum included. It panics when the
// Advert cannot be expressed: conf/keepalived admits no such configuration.
func (a *Advert) Append(dst []byte) []byte {
	secs := a.Interval / intervalUnit
	if len(a.Addresses) > MaxAddresses || secs < 0 || secs > 255 || secs*intervalUnit != a.Interval {
		panic("BUG: advert does not fit VRRPv2")
	}
	start := len(dst)
	dst = append(dst, version2<<4|typeAdvert, a.VRID, a.Priority, uint8(len(a.Addresses)), uint8(a.Auth.Type), uint8(secs), 0, 0)
	for _, addr := range a.Addresses {
		ip := addr.As4()
		dst = append(dst, ip[:]...)
	}
	dst = append(dst, a.Auth.Data[:]...)
	msg := dst[start:]
	binary.BigEndian.PutUint16(msg[checksumAt:], Sum(msg))
	return dst
}

// Sum is the Internet checksum of b (RFC 1071): what to write into a zeroed
// checksum field, and 0 over a message whose checksum is right.
func Sum(b []byte) uint16 {
	var sum uint32
	for ; len(b) >= 2; b = b[2:] {
		sum += uint32(binary.BigEndian.Uint16(b))
	}
	if len(b) == 1 {
		sum += uint32(b[0]) << 8
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}
