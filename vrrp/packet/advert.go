package packet

import (
	"encoding/binary"
	"net/netip"
	"time"
)

// Advert is one VRRP advertisement.
type Advert struct {
	Version  uint8 // 2 or 3; 0 means 2
	VRID     uint8
	Priority uint8         // 0: the master resigns
	Interval time.Duration // version 2: whole seconds, 0..255; version 3: hundredths of one, 0..4095
	Auth     Auth          // version 2 only
	// PlainSum leaves the pseudo header out of the checksum of a version 3 advert
	// over IPv4, as RFC 9568 section 5.2.8 has it; with it is what keepalived sends.
	// Parse takes both and says which one it was.
	PlainSum bool
	// Addresses are the virtual addresses, at most 255, all of one family; version
	// 2 knows IPv4 only. Parse reuses the room of this slice: who keeps a parsed
	// Advert copies them.
	Addresses []netip.Addr
}

// Pseudo is what a checksum of version 3 covers beside the advert: where it comes
// from and goes to. Both addresses are of one family, which is the family of the
// virtual addresses too. Version 2 does not look at it.
type Pseudo struct {
	Source, Destination netip.Addr
}

const (
	version2   = 2
	version3   = 3
	typeAdvert = 1
	headLen    = 8 // version and type .. checksum
	authLen    = 8 // always there in version 2, zeros without authentication
	checksumAt = 6

	unit2 = time.Second           // of the interval field of version 2, 8 bits
	unit3 = 10 * time.Millisecond // of the interval field of version 3, 12 bits
	max3  = 1<<12 - 1
)

// MaxAddresses is how many addresses an advert can carry.
const MaxAddresses = 255

// MaxLen is the length of the longest advert: version 3, IPv6.
const MaxLen = headLen + 16*MaxAddresses

// Parse reads one advert of the given version (2 or 3) from b, which starts at
// the VRRP header. Bytes after the advert, such as Ethernet padding, are ignored.
// On any other answer than OK the contents of a are undefined, but its VRID is set
// if b has one.
//
// Parse checks the form only; Check compares with what the instance expects.
func (a *Advert) Parse(b []byte, version uint8, ph Pseudo) Reason {
	if len(b) < headLen {
		return Short
	}
	a.VRID = b[1]
	switch {
	case b[0]>>4 != version:
		return Version
	case b[0]&0xf != typeAdvert:
		return Type
	}
	a.Version, a.Priority = version, b[2]
	if version == version3 {
		return a.parse3(b, ph)
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
	a.Auth.Type = AuthType(b[4])
	a.Interval = time.Duration(b[5]) * unit2
	a.PlainSum = false
	a.addresses(b[headLen:total-authLen], false)
	copy(a.Auth.Data[:], b[total-authLen:])
	return OK
}

// parse3 reads what version 3 has behind the priority (RFC 9568 section 5.1). The
// reserved bits before the interval are ignored, as section 5.2.6 asks.
func (a *Advert) parse3(b []byte, ph Pseudo) Reason {
	six := ph.Destination.Is6()
	size := 4
	if six {
		size = 16
	}
	total := headLen + size*int(b[3])
	if len(b) < total {
		return Count
	}
	b = b[:total]
	a.PlainSum = false
	if sum(ph.sum(len(b)), b) != 0 {
		// A sum over nothing but the advert is right in one of the two readings of
		// RFC 5798 for IPv4. IPv6 has always had the pseudo header.
		if six || Sum(b) != 0 {
			return Checksum
		}
		a.PlainSum = true
	}
	a.Auth = Auth{}
	a.Interval = time.Duration(binary.BigEndian.Uint16(b[4:])&max3) * unit3
	a.addresses(b[headLen:], six)
	return OK
}

func (a *Advert) addresses(b []byte, six bool) {
	a.Addresses = a.Addresses[:0]
	for len(b) > 0 {
		if six {
			a.Addresses = append(a.Addresses, netip.AddrFrom16([16]byte(b)))
			b = b[16:]
		} else {
			a.Addresses = append(a.Addresses, netip.AddrFrom4([4]byte(b)))
			b = b[4:]
		}
	}
}

// Check compares a parsed advert with the receiving instance's settings, in the
// order of RFC 2338 section 7.1. Without authentication the data bytes are
// ignored, as that RFC's section 5.3.10 asks. Another interval is a reason in
// version 2 only: a backup of version 3 adopts the master's.
func (a *Advert) Check(auth Auth, interval time.Duration) Reason {
	switch {
	case a.Version == version3:
		return OK
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
func (a *Advert) Len() int {
	n := headLen
	for _, addr := range a.Addresses {
		n += addr.BitLen() / 8
	}
	if a.Version != version3 {
		n += authLen
	}
	return n
}

// Append appends the advert, checksum included. It panics when the Advert cannot
// be expressed: conf/keepalived admits no such configuration.
func (a *Advert) Append(dst []byte, ph Pseudo) []byte {
	start := len(dst)
	if len(a.Addresses) > MaxAddresses {
		panic("BUG: advert with more addresses than it can count")
	}
	if a.Version == version3 {
		units := a.Interval / unit3
		if units < 0 || units > max3 || units*unit3 != a.Interval {
			panic("BUG: advert interval does not fit VRRPv3")
		}
		dst = append(dst, version3<<4|typeAdvert, a.VRID, a.Priority, uint8(len(a.Addresses)), uint8(units>>8), uint8(units), 0, 0)
	} else {
		secs := a.Interval / unit2
		if secs < 0 || secs > 255 || secs*unit2 != a.Interval {
			panic("BUG: advert interval does not fit VRRPv2")
		}
		dst = append(dst, version2<<4|typeAdvert, a.VRID, a.Priority, uint8(len(a.Addresses)), uint8(a.Auth.Type), uint8(secs), 0, 0)
	}
	for _, addr := range a.Addresses {
		if addr.Is4() {
			ip := addr.As4()
			dst = append(dst, ip[:]...)
		} else {
			ip := addr.As16()
			dst = append(dst, ip[:]...)
		}
	}
	pseudo := uint32(0)
	switch {
	case a.Version != version3:
		dst = append(dst, a.Auth.Data[:]...)
	case ph.Destination.Is6() || !a.PlainSum:
		pseudo = ph.sum(len(dst) - start)
	}
	msg := dst[start:]
	binary.BigEndian.PutUint16(msg[checksumAt:], sum(pseudo, msg))
	return dst
}

// sum adds up the pseudo header (RFC 8200 section 8.1, and the same with the
// addresses of IPv4) of an advert of n bytes.
func (ph Pseudo) sum(n int) uint32 {
	sum := uint32(Protocol) + uint32(n)
	for _, addr := range [...]netip.Addr{ph.Source, ph.Destination} {
		b := addr.As16()
		half := b[:]
		if addr.Is4() {
			half = b[12:]
		}
		for ; len(half) > 0; half = half[2:] {
			sum += uint32(binary.BigEndian.Uint16(half))
		}
	}
	return sum
}

// Sum is the Internet checksum of b (RFC 1071): what to write into a zeroed
// checksum field, and 0 over a message whose checksum is right.
func Sum(b []byte) uint16 { return sum(0, b) }

// sum goes on from what has been added up already.
func sum(sum uint32, b []byte) uint16 {
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
