package balance

import (
	"baton/lb/hash"
	"baton/lb/spec"
)

// Sum is the hash function of `hash-type` over b, with the avalanche step behind it
// where that is asked for.
func Sum(f spec.HashFunction, avalanche bool, b []byte) uint32 {
	var h uint32
	switch f {
	case spec.SDBM:
		h = hash.SDBM(b)
	case spec.DJB2:
		h = hash.DJB2(b)
	case spec.WT6:
		h = hash.WT6(b)
	case spec.CRC32:
		h = hash.CRC32(b)
	}
	if avalanche {
		h = hash.Avalanche(h)
	}
	return h
}
