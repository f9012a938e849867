package vip

import (
	"net/netip"
	"time"

	"baton/internal/mono"
)

// When the master asks the network who answers for its addresses: after a takeover,
// as soon as the lease of a predecessor that died has ended, and then again and
// again.
const (
	AskAfter = 5 * time.Second
	AskEvery = time.Minute
)

// AppendProbe appends an Ethernet frame that asks who has an address, from no
// address: an ARP probe (RFC 5227 section 2.1.1) or a neighbour solicitation as
// duplicate address detection sends it (RFC 4862 section 5.4.2). Whoever hears it
// learns nothing from it.
func AppendProbe(dst []byte, hw [6]byte, a netip.Addr) []byte {
	if a.Is6() {
		msg := append([]byte{neighbourAsk, 0, 0, 0, 0, 0, 0, 0}, a.AsSlice()...)
		b := a.As16()
		group := netip.AddrFrom16([16]byte{0: 0xff, 1: 0x02, 11: 1, 12: 0xff, 13: b[13], 14: b[14], 15: b[15]})
		return appendICMP6(dst, hw, netip.IPv6Unspecified(), group, msg)
	}
	dst = append(dst, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)
	dst = append(dst, hw[:]...)
	dst = append(dst, 0x08, 0x06, 0, 1, 8, 0, 6, 4, 0, 1)
	dst = append(dst, hw[:]...)
	dst = append(dst, make([]byte, 4+6)...) // no sender address, the target's is asked for
	ip := a.As4()
	return append(dst, ip[:]...)
}

// ParseClaim reads an Ethernet frame in which somebody says that an address is his:
// any ARP packet with it as the sender's, or a neighbour advertisement. The frame's
// own source address says who: it is what switches learn.
func ParseClaim(f []byte) (a netip.Addr, hw [6]byte, ok bool) {
	if len(f) < 14 {
		return a, hw, false
	}
	hw = [6]byte(f[6:12])
	switch {
	case f[12] == 0x08 && f[13] == 0x06 && len(f) >= 14+28 && string(f[14:20]) == "\x00\x01\x08\x00\x06\x04":
		a = netip.AddrFrom4([4]byte(f[28:32]))
		return a, hw, !a.IsUnspecified()
	case f[12] == 0x86 && f[13] == 0xdd && len(f) >= 14+40+24 && f[20] == icmp6 && f[21] == 255 && f[54] == neighbourAdvert:
		return netip.AddrFrom16([16]byte(f[62:78])), hw, true
	}
	return a, hw, false
}

// together puts the questions of all instances on the same instants, one second apart:
// one question can be about many addresses.
func together(t mono.Time) mono.Time {
	return (t + mono.Time(time.Second) - 1) / mono.Time(time.Second) * mono.Time(time.Second)
}
