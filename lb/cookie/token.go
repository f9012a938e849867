package cookie

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"strconv"
)

// Token reads the routing token of a terminal server ([MS-RDPBCGR] 2.2.1.1, the cookie
// msts): IP.PORT.RESERVED, each a decimal number. Address and port are numbers whose
// bytes in memory, on the little-endian host that made the token, are in network order.
func Token(value []byte) (netip.AddrPort, bool) {
	ip, rest, ok := bytes.Cut(value, dot)
	port, _, more := bytes.Cut(rest, dot)
	a, err := strconv.ParseUint(string(ip), 10, 32)
	p, errPort := strconv.ParseUint(string(port), 10, 16)
	if !ok || !more || err != nil || errPort != nil {
		return netip.AddrPort{}, false
	}
	var addr [4]byte
	binary.LittleEndian.PutUint32(addr[:], uint32(a))
	return netip.AddrPortFrom(netip.AddrFrom4(addr), uint16(p)<<8|uint16(p)>>8), true
}

var dot = []byte{'.'}
