package rules

import (
	"net/netip"
	"unsafe"
)

// inNets follows the four cases of chapter 7.1.6. An IPv4-mapped address counts as
// the IPv4 address that it is, however its socket reports it.
func inNets(nets []netip.Prefix, a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	if !a.IsValid() {
		return false
	}
	for _, n := range nets {
		if inNet(n, a) {
			return true
		}
	}
	return false
}

func inNet(n netip.Prefix, a netip.Addr) bool {
	switch {
	case a.Is4() == n.Addr().Is4():
		return n.Contains(a)
	case a.Is4():
		return n.Contains(netip.AddrFrom16(a.As16()))
	}
	v4, ok := embedded4(a)
	return ok && n.Contains(v4)
}

// embedded4 returns the IPv4 address in 2002:IPV4:: and ::IPV4.
func embedded4(a netip.Addr) (netip.Addr, bool) {
	b := a.As16()
	if b[0] == 0x20 && b[1] == 0x02 {
		return netip.AddrFrom4([4]byte(b[2:6])), true
	}
	if [12]byte(b[:12]) == [12]byte{} {
		return netip.AddrFrom4([4]byte(b[12:])), true
	}
	return netip.Addr{}, false
}

// address reads an IP address without a zone.
func address(b []byte) (netip.Addr, bool) {
	if len(b) < 2 || len(b) > len("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255") {
		return netip.Addr{}, false
	}
	for _, c := range b {
		if c = lower(c); (c < '0' || c > '9') && (c < 'a' || c > 'f') && c != ':' && c != '.' {
			return netip.Addr{}, false
		}
	}
	// No copy for the request's sake: an Addr without a zone keeps nothing of the text.
	a, err := netip.ParseAddr(unsafe.String(unsafe.SliceData(b), len(b)))
	return a, err == nil
}
