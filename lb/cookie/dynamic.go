package cookie

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"baton/lb/hash"
)

// Dynamic is the value of a server at that address for `cookie ... dynamic`: all
// balancers that have the same key give it. HAProxy 2.6 was seen to hash the key, the
// address and the port as 32 bits, in network order. Without an
// address, or without a key, there is none.
func Dynamic(key string, at netip.AddrPort) string {
	if !at.Addr().IsValid() || key == "" {
		return ""
	}
	b := append([]byte(key), at.Addr().AsSlice()...)
	b = binary.BigEndian.AppendUint32(b, uint32(at.Port()))
	return fmt.Sprintf("%016x", hash.XXH64(b, 0))
}
