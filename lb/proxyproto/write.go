package proxyproto

import (
	"encoding/binary"
	"net/netip"
)

// AppendV1 appends a version 1 header: UNKNOWN where an address is missing. Where one
// is IPv4 and the other IPv6, both are written as IPv6.
func AppendV1(dst []byte, src, to netip.AddrPort) []byte {
	if !src.IsValid() || !to.IsValid() {
		return append(dst, "PROXY UNKNOWN\r\n"...)
	}
	src, to, four := alike(src, to)
	if four {
		dst = append(dst, "PROXY TCP4 "...)
	} else {
		dst = append(dst, "PROXY TCP6 "...)
	}
	dst = src.Addr().AppendTo(dst)
	dst = append(dst, ' ')
	dst = to.Addr().AppendTo(dst)
	dst = append(dst, ' ')
	dst = appendUint(dst, src.Port())
	dst = append(dst, ' ')
	dst = appendUint(dst, to.Port())
	return append(dst, "\r\n"...)
}

// Extra is what a version 2 header may tell besides addresses.
type Extra struct {
	Authority []byte // empty: none
	UniqueID  []byte // empty: none
	SSL       bool   // that the client did not come by TLS
	CRC32C    bool   // a checksum
}

// AppendV2 appends a version 2 header: LOCAL where an address is missing. The TLVs
// stand in the order in which HAProxy writes them.
func AppendV2(dst []byte, src, to netip.AddrPort, x *Extra) []byte {
	start := len(dst)
	dst = append(dst, signature...)
	src, to, four := alike(src, to)
	switch {
	case !src.IsValid() || !to.IsValid():
		dst = append(dst, version2|cmdLocal, 0, 0, 0)
	case four:
		dst = append(dst, version2|cmdProxy, overTCP4, 0, 0)
		a, b := src.Addr().As4(), to.Addr().As4()
		dst = append(append(dst, a[:]...), b[:]...)
	default:
		dst = append(dst, version2|cmdProxy, overTCP6, 0, 0)
		a, b := src.Addr().As16(), to.Addr().As16()
		dst = append(append(dst, a[:]...), b[:]...)
	}
	if src.IsValid() && to.IsValid() {
		dst = binary.BigEndian.AppendUint16(dst, src.Port())
		dst = binary.BigEndian.AppendUint16(dst, to.Port())
	}
	sum := 0
	if x.CRC32C {
		dst = append(dst, TypeCRC32C, 0, 4, 0, 0, 0, 0)
		sum = len(dst) - 4 - start
	}
	if len(x.Authority) > 0 {
		dst = appendTLV(dst, TypeAuthority, x.Authority[:min(len(x.Authority), maxAuthority)])
	}
	if len(x.UniqueID) > 0 {
		dst = appendTLV(dst, TypeUniqueID, x.UniqueID[:min(len(x.UniqueID), maxUniqueID)])
	}
	if x.SSL {
		dst = append(dst, TypeSSL, 0, 5, 0, 0, 0, 0, 0)
	}
	header := dst[start:]
	binary.BigEndian.PutUint16(header[14:], uint16(len(header)-headLen))
	if x.CRC32C {
		binary.BigEndian.PutUint32(header[sum:], checksum(header, sum))
	}
	return dst
}

// alike unmaps addresses and makes them of one family.
func alike(src, to netip.AddrPort) (a, b netip.AddrPort, four bool) {
	src = netip.AddrPortFrom(src.Addr().Unmap(), src.Port())
	to = netip.AddrPortFrom(to.Addr().Unmap(), to.Port())
	if src.Addr().Is4() == to.Addr().Is4() || !src.IsValid() || !to.IsValid() {
		return src, to, src.Addr().Is4()
	}
	return netip.AddrPortFrom(netip.AddrFrom16(src.Addr().As16()), src.Port()), netip.AddrPortFrom(netip.AddrFrom16(to.Addr().As16()), to.Port()), false
}

func appendTLV(dst []byte, typ byte, value []byte) []byte {
	dst = append(dst, typ)
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(value)))
	return append(dst, value...)
}

func appendUint(dst []byte, n uint16) []byte {
	if n >= 10 {
		dst = appendUint(dst, n/10)
	}
	return append(dst, '0'+byte(n%10))
}
