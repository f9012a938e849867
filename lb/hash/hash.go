package hash

import (
	"hash/crc32"
	"math/bits"
)

// SDBM is the hash of the sdbm library, HAProxy's default for map-based hashing.
func SDBM(b []byte) (h uint32) {
	for _, c := range b {
		h = uint32(c) + h<<6 + h<<16 - h
	}
	return h
}

// DJB2 is Daniel J. Bernstein's hash with addition.
func DJB2(b []byte) uint32 {
	h := uint32(5381)
	for _, c := range b {
		h = h<<5 + h + uint32(c)
	}
	return h
}

// WT6 is HAProxy's own: two words that each byte changes and that turn each other
// by a number of bits which depends on them.
func WT6(b []byte) uint32 {
	h0, h1 := uint32(0xa53c965a), uint32(0x5ca6953a)
	turn0, turn1 := 6, 18
	for _, c := range b {
		h0, h1 = ^(h0 ^ uint32(c)), ^(h1 + uint32(c))
		h0, h1 = bits.RotateLeft32(h1, turn0), bits.RotateLeft32(h0, turn1)
		mix := (h0>>16 ^ h1) & 0xffff
		turn0, turn1 = int(mix&31), int(mix>>11)
	}
	return h0 ^ h1
}

// CRC32 is the checksum of Ethernet and gzip.
func CRC32(b []byte) uint32 { return crc32.ChecksumIEEE(b) }

// CRC32C is the checksum of SCTP (RFC 4960 appendix B).
func CRC32C(b []byte) uint32 { return crc32.Checksum(b, castagnoli) }

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Avalanche makes every bit of a hash depend on all of them: Bob Jenkins's full
// avalanche for 32-bit integers, and then a factor near three quarters of the range
// that spreads small differences over it.
func Avalanche(a uint32) uint32 {
	a = (a + 0x7ed55d16) + a<<12
	a = (a ^ 0xc761c23c) ^ a>>19
	a = (a + 0x165667b1) + a<<5
	a = (a + 0xd3a2646c) ^ a<<9
	a = (a + 0xfd7046c5) + a<<3
	a = (a ^ 0xb55a4f09) ^ a>>16
	return a * 0xc0000001
}
