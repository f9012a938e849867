package hash

import (
	"encoding/binary"
	"math/bits"
)

// The primes of the xxHash specification.
const (
	p32x1 uint32 = 0x9E3779B1
	p32x2 uint32 = 0x85EBCA77
	p32x3 uint32 = 0xC2B2AE3D
	p32x4 uint32 = 0x27D4EB2F
	p32x5 uint32 = 0x165667B1

	p64x1 uint64 = 0x9E3779B185EBCA87
	p64x2 uint64 = 0xC2B2AE3D27D4EB4F
	p64x3 uint64 = 0x165667B19E3779F9
	p64x4 uint64 = 0x85EBCA77C2B2AE63
	p64x5 uint64 = 0x27D4EB2F165667C5
)

func le32(b []byte) uint32 { return binary.LittleEndian.Uint32(b) }
func le64(b []byte) uint64 { return binary.LittleEndian.Uint64(b) }

// XXH32 is the 32-bit hash of the xxHash specification.
func XXH32(b []byte, seed uint32) uint32 {
	h := seed + p32x5
	n := uint32(len(b))
	if len(b) >= 16 {
		acc := [4]uint32{seed, seed, seed, seed}
		acc[0] += p32x1
		acc[0] += p32x2
		acc[1] += p32x2
		acc[3] -= p32x1
		for ; len(b) >= 16; b = b[16:] {
			for i := range acc {
				acc[i] = bits.RotateLeft32(acc[i]+le32(b[4*i:])*p32x2, 13) * p32x1
			}
		}
		h = bits.RotateLeft32(acc[0], 1) + bits.RotateLeft32(acc[1], 7) + bits.RotateLeft32(acc[2], 12) + bits.RotateLeft32(acc[3], 18)
	}
	h += n
	for ; len(b) >= 4; b = b[4:] {
		h = bits.RotateLeft32(h+le32(b)*p32x3, 17) * p32x4
	}
	for _, c := range b {
		h = bits.RotateLeft32(h+uint32(c)*p32x5, 11) * p32x1
	}
	h = (h ^ h>>15) * p32x2
	h = (h ^ h>>13) * p32x3
	return h ^ h>>16
}

// XXH64 is the 64-bit hash of the xxHash specification.
func XXH64(b []byte, seed uint64) uint64 {
	h := seed + p64x5
	n := uint64(len(b))
	if len(b) >= 32 {
		acc := [4]uint64{seed, seed, seed, seed}
		acc[0] += p64x1
		acc[0] += p64x2
		acc[1] += p64x2
		acc[3] -= p64x1
		for ; len(b) >= 32; b = b[32:] {
			for i := range acc {
				acc[i] = round64(acc[i], le64(b[8*i:]))
			}
		}
		h = bits.RotateLeft64(acc[0], 1) + bits.RotateLeft64(acc[1], 7) + bits.RotateLeft64(acc[2], 12) + bits.RotateLeft64(acc[3], 18)
		for _, a := range acc {
			h = (h^round64(0, a))*p64x1 + p64x4
		}
	}
	h += n
	for ; len(b) >= 8; b = b[8:] {
		h = bits.RotateLeft64(h^round64(0, le64(b)), 27)*p64x1 + p64x4
	}
	if len(b) >= 4 {
		h = bits.RotateLeft64(h^uint64(le32(b))*p64x1, 23)*p64x2 + p64x3
		b = b[4:]
	}
	for _, c := range b {
		h = bits.RotateLeft64(h^uint64(c)*p64x5, 11) * p64x1
	}
	return avalanche64(h)
}

func round64(acc, lane uint64) uint64 { return bits.RotateLeft64(acc+lane*p64x2, 31) * p64x1 }

func avalanche64(h uint64) uint64 {
	h = (h ^ h>>33) * p64x2
	h = (h ^ h>>29) * p64x3
	return h ^ h>>32
}
