package sample

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"

	"baton/lb/hash"
)

// hashConverters are the hashes and digests of chapter 7.3.1.
var hashConverters = []converter{
	{"crc32", []argKind{argInt}, 0, Bin, Int, hash32(hash.CRC32), checkAvalanche, "CRC-32; 1: with full avalanche"},
	{"crc32c", []argKind{argInt}, 0, Bin, Int, hash32(hash.CRC32C), checkAvalanche, "CRC-32C; 1: with full avalanche"},
	{"digest", []argKind{argStr}, 1, Bin, Bin, runDigest, checkDigest, "message digest by name: sha256, ..."},
	{"djb2", []argKind{argInt}, 0, Bin, Int, hash32(hash.DJB2), checkAvalanche, "hash of Daniel J. Bernstein; 1: with full avalanche"},
	{"hmac", []argKind{argStr, argKeyVar}, 2, Bin, Bin, runHMAC, checkDigest, "message authentication code: digest, key in base64 or variable"},
	{"sdbm", []argKind{argInt}, 0, Bin, Int, hash32(hash.SDBM), checkAvalanche, "hash of sdbm; 1: with full avalanche"},
	{"sha1", nil, 0, Bin, Bin, func(c *Ctx, _ []Arg, s *Sample) bool { return s.setBin(sumSHA1(c.room(), s.B)) }, nil, "SHA-1 digest"},
	{"sha2", []argKind{argInt}, 0, Bin, Bin, runDigest, checkSHA2, "SHA-2 digest of 224, 256, 384 or 512 bits"},
	{"wt6", []argKind{argInt}, 0, Bin, Int, hash32(hash.WT6), checkAvalanche, "hash wt6; 1: with full avalanche"},
	{"xxh3", []argKind{argInt}, 0, Bin, Int, func(_ *Ctx, a []Arg, s *Sample) bool { return s.setInt(int64(hash.XXH3(s.B, uint64(a[0].Int)))) }, nil, "xxHash, XXH3 of 64 bits, with a seed"},
	{"xxh32", []argKind{argInt}, 0, Bin, Int, func(_ *Ctx, a []Arg, s *Sample) bool { return s.setInt(int64(hash.XXH32(s.B, uint32(a[0].Int)))) }, nil, "xxHash of 32 bits, with a seed"},
	{"xxh64", []argKind{argInt}, 0, Bin, Int, func(_ *Ctx, a []Arg, s *Sample) bool { return s.setInt(int64(hash.XXH64(s.B, uint64(a[0].Int)))) }, nil, "xxHash of 64 bits, with a seed"},
}

func checkAvalanche(a []Arg) string {
	if a[0].Int != 0 && a[0].Int != 1 {
		return "the argument is 1 for full avalanche, or 0"
	}
	return ""
}

func hash32(f func([]byte) uint32) func(*Ctx, []Arg, *Sample) bool {
	return func(_ *Ctx, a []Arg, s *Sample) bool {
		h := f(s.B)
		if a[0].Int == 1 {
			h = hash.Avalanche(h)
		}
		return s.setInt(int64(h))
	}
}

// A digest appends the sum of b to dst.
type digest struct {
	sum   func(dst, b []byte) []byte
	block int // of HMAC (RFC 2104)
}

func sumMD5(dst, b []byte) []byte  { h := md5.Sum(b); return append(dst, h[:]...) }
func sumSHA1(dst, b []byte) []byte { h := sha1.Sum(b); return append(dst, h[:]...) }

// digests by the names that OpenSSL gives them.
var digests = map[string]digest{
	"md5":        {sumMD5, 64},
	"sha1":       {sumSHA1, 64},
	"sha224":     {func(dst, b []byte) []byte { h := sha256.Sum224(b); return append(dst, h[:]...) }, 64},
	"sha256":     {func(dst, b []byte) []byte { h := sha256.Sum256(b); return append(dst, h[:]...) }, 64},
	"sha384":     {func(dst, b []byte) []byte { h := sha512.Sum384(b); return append(dst, h[:]...) }, 128},
	"sha512":     {func(dst, b []byte) []byte { h := sha512.Sum512(b); return append(dst, h[:]...) }, 128},
	"sha512-224": {func(dst, b []byte) []byte { h := sha512.Sum512_224(b); return append(dst, h[:]...) }, 128},
	"sha512-256": {func(dst, b []byte) []byte { h := sha512.Sum512_256(b); return append(dst, h[:]...) }, 128},
}

func checkDigest(a []Arg) string {
	name := make([]byte, len(a[0].Str))
	for i := range name {
		name[i] = lowerByte(a[0].Str[i])
	}
	d, ok := digests[string(name)]
	if !ok {
		return "no digest is called '" + a[0].Str + "': write md5, sha1, sha224, sha256, sha384 or sha512"
	}
	a[0].Aux = d
	return ""
}

func checkSHA2(a []Arg) string {
	switch a[0].Int {
	case 0:
		a[0].Aux = digests["sha256"]
	case 224, 256, 384, 512:
		a[0].Aux = digests["sha"+a[0].Str]
	default:
		return "SHA-2 has 224, 256, 384 or 512 bits, not " + a[0].Str
	}
	return ""
}

func runDigest(c *Ctx, a []Arg, s *Sample) bool {
	return s.setBin(a[0].Aux.(digest).sum(c.room(), s.B))
}

// runHMAC follows RFC 2104.
func runHMAC(c *Ctx, a []Arg, s *Sample) bool {
	d := a[0].Aux.(digest)
	key, ok := c.key(&a[1])
	if !ok || d.block+len(s.B) > scratchSize {
		return false
	}
	mac, ok := c.hmac(d, key, s.B)
	return ok && s.setBin(mac)
}

func (c *Ctx) hmac(d digest, key, msg []byte) ([]byte, bool) {
	pad := &c.pad
	*pad = [128]byte{}
	if len(key) > d.block {
		d.sum(pad[:0], key)
	} else {
		copy(pad[:], key)
	}
	if d.block+len(msg) > scratchSize {
		return nil, false
	}
	buf := c.room()
	for _, b := range pad[:d.block] {
		buf = append(buf, b^0x36)
	}
	inner := d.sum(c.inner[:0], append(buf, msg...))
	buf = buf[:0]
	for _, b := range pad[:d.block] {
		buf = append(buf, b^0x5c)
	}
	return d.sum(c.mac[:0], append(buf, inner...)), true
}

// key is an argument's bytes, or those that the variable it names holds in base64.
func (c *Ctx) key(a *Arg) ([]byte, bool) {
	if a.Var.Name == "" {
		return a.B, true
	}
	v, ok := c.Var(a.Var)
	if !ok {
		return nil, false
	}
	text := c.AsText(&v)
	out := c.room()[:scratchSize]
	if base64.StdEncoding.DecodedLen(len(text)) > len(out) {
		return nil, false
	}
	n, err := base64.StdEncoding.Decode(out, text)
	return out[:n], err == nil
}
