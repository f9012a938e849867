package hash

import (
	"encoding/binary"
	"math/bits"
)

// secret is the default secret of XXH3.
var secret = [192]byte{
	0xb8, 0xfe, 0x6c, 0x39, 0x23, 0xa4, 0x4b, 0xbe, 0x7c, 0x01, 0x81, 0x2c, 0xf7, 0x21, 0xad, 0x1c, 0xde, 0xd4, 0x6d, 0xe9, 0x83, 0x90, 0x97, 0xdb,
	0x72, 0x40, 0xa4, 0xa4, 0xb7, 0xb3, 0x67, 0x1f, 0xcb, 0x79, 0xe6, 0x4e, 0xcc, 0xc0, 0xe5, 0x78, 0x82, 0x5a, 0xd0, 0x7d, 0xcc, 0xff, 0x72, 0x21,
	0xb8, 0x08, 0x46, 0x74, 0xf7, 0x43, 0x24, 0x8e, 0xe0, 0x35, 0x90, 0xe6, 0x81, 0x3a, 0x26, 0x4c, 0x3c, 0x28, 0x52, 0xbb, 0x91, 0xc3, 0x00, 0xcb,
	0x88, 0xd0, 0x65, 0x8b, 0x1b, 0x53, 0x2e, 0xa3, 0x71, 0x64, 0x48, 0x97, 0xa2, 0x0d, 0xf9, 0x4e, 0x38, 0x19, 0xef, 0x46, 0xa9, 0xde, 0xac, 0xd8, 0xa8,
	0xfa, 0x76, 0x3f, 0xe3, 0x9c, 0x34, 0x3f, 0xf9, 0xdc, 0xbb, 0xc7, 0xc7, 0x0b, 0x4f, 0x1d, 0x8a, 0x51, 0xe0, 0x4b, 0xcd, 0xb4, 0x59, 0x31, 0xc8,
	0x9f, 0x7e, 0xc9, 0xd9, 0x78, 0x73, 0x64, 0xea, 0xc5, 0xac, 0x83, 0x34, 0xd3, 0xeb, 0xc3, 0xc5, 0x81, 0xa0, 0xff, 0xfa, 0x13, 0x63, 0xeb, 0x17,
	0x0d, 0xdd, 0x51, 0xb7, 0xf0, 0xda, 0x49, 0xd3, 0x16, 0x55, 0x26, 0x29, 0xd4, 0x68, 0x9e, 0x2b, 0x16, 0xbe, 0x58, 0x7d, 0x47, 0xa1, 0xfc, 0x8f,
	0xf8, 0xb8, 0xd1, 0x7a, 0xd0, 0x31, 0xce, 0x45, 0xcb, 0x3a, 0x8f, 0x95, 0x16, 0x04, 0x28, 0xaf, 0xd7, 0xfb, 0xca, 0xbb, 0x4b, 0x40, 0x7e,
}

const (
	mx1 uint64 = 0x165667919E3779F9
	mx2 uint64 = 0x9FB21C651E98DF25
)

// XXH3 is the 64-bit variant of XXH3 in the xxHash specification.
func XXH3(b []byte, seed uint64) uint64 {
	switch n := len(b); {
	case n == 0:
		return avalanche64(seed ^ le64(secret[56:]) ^ le64(secret[64:]))
	case n <= 3:
		return xxh3To3(b, seed)
	case n <= 8:
		return xxh3To8(b, seed)
	case n <= 16:
		return xxh3To16(b, seed)
	case n <= 128:
		return xxh3To128(b, seed)
	case n <= 240:
		return xxh3To240(b, seed)
	}
	return xxh3Long(b, seed)
}

func xxh3To3(b []byte, seed uint64) uint64 {
	n := len(b)
	combined := uint32(b[n-1]) | uint32(n)<<8 | uint32(b[0])<<16 | uint32(b[n>>1])<<24
	flip := uint64(le32(secret[0:])^le32(secret[4:])) + seed
	return avalanche64(uint64(combined) ^ flip)
}

func xxh3To8(b []byte, seed uint64) uint64 {
	n := len(b)
	seed ^= uint64(bits.ReverseBytes32(uint32(seed))) << 32
	flip := (le64(secret[8:]) ^ le64(secret[16:])) - seed
	h := (uint64(le32(b[n-4:])) + uint64(le32(b))<<32) ^ flip
	h ^= bits.RotateLeft64(h, 49) ^ bits.RotateLeft64(h, 24)
	h *= mx2
	h ^= h>>35 + uint64(n)
	h *= mx2
	return h ^ h>>28
}

func xxh3To16(b []byte, seed uint64) uint64 {
	n := len(b)
	lo := le64(b) ^ ((le64(secret[24:]) ^ le64(secret[32:])) + seed)
	hi := le64(b[n-8:]) ^ ((le64(secret[40:]) ^ le64(secret[48:])) - seed)
	return avalanche3(uint64(n) + bits.ReverseBytes64(lo) + hi + fold(lo, hi))
}

func xxh3To128(b []byte, seed uint64) uint64 {
	n := len(b)
	h := uint64(n) * p64x1
	for i := (n - 1) / 32; i >= 0; i-- {
		h += mix16(b[16*i:], secret[32*i:], seed)
		h += mix16(b[n-16*(i+1):], secret[32*i+16:], seed)
	}
	return avalanche3(h)
}

func xxh3To240(b []byte, seed uint64) uint64 {
	n := len(b)
	h := uint64(n) * p64x1
	for i := range 8 {
		h += mix16(b[16*i:], secret[16*i:], seed)
	}
	h = avalanche3(h)
	for i := 8; i < n/16; i++ {
		h += mix16(b[16*i:], secret[16*(i-8)+3:], seed)
	}
	return avalanche3(h + mix16(b[n-16:], secret[136-17:], seed))
}

// xxh3Long goes over stripes of 64 bytes; the secret moves on 8 bytes each, and
// starts anew after every block.
func xxh3Long(b []byte, seed uint64) uint64 {
	key := secret
	if seed != 0 {
		for i := 0; i < len(key); i += 16 {
			binary.LittleEndian.PutUint64(key[i:], le64(secret[i:])+seed)
			binary.LittleEndian.PutUint64(key[i+8:], le64(secret[i+8:])-seed)
		}
	}
	acc := [8]uint64{uint64(p32x3), p64x1, p64x2, p64x3, p64x4, uint64(p32x2), p64x5, uint64(p32x1)}
	const stripe = 64
	const perBlock = (len(secret) - stripe) / 8
	n := len(b)
	stripes := (n - 1) / stripe
	for i := range stripes {
		accumulate(&acc, b[stripe*i:], key[8*(i%perBlock):])
		if i%perBlock == perBlock-1 {
			for j := range acc {
				acc[j] = (acc[j] ^ acc[j]>>47 ^ le64(key[len(key)-stripe+8*j:])) * uint64(p32x1)
			}
		}
	}
	accumulate(&acc, b[n-stripe:], key[len(key)-stripe-7:])
	h := uint64(n) * p64x1
	for i := 0; i < 8; i += 2 {
		h += fold(acc[i]^le64(key[11+8*i:]), acc[i+1]^le64(key[11+8*i+8:]))
	}
	return avalanche3(h)
}

func accumulate(acc *[8]uint64, b, key []byte) {
	for i := range acc {
		v := le64(b[8*i:])
		k := v ^ le64(key[8*i:])
		acc[i^1] += v
		acc[i] += (k & 0xffffffff) * (k >> 32)
	}
}

func mix16(b, key []byte, seed uint64) uint64 {
	return fold(le64(b)^(le64(key)+seed), le64(b[8:])^(le64(key[8:])-seed))
}

func fold(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}

func avalanche3(h uint64) uint64 {
	h = (h ^ h>>37) * mx1
	return h ^ h>>32
}
