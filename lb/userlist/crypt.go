package userlist

import (
	"crypto/md5"
	"crypto/sha256"
	"crypto/sha512"
	stdhash "hash"
)

// sha512Crypt and sha256Crypt follow "Unix crypt using SHA-256 and SHA-512" (U. Drepper, version 0.4).
func sha512Crypt(password, salt []byte, rounds int) []byte {
	sum := shaCrypt(sha512.New(), password, salt, rounds)
	var out []byte
	i, j, k := 0, 21, 42
	for range 21 {
		out = append64(out, sum[i], sum[j], sum[k], 4)
		i, j, k = j+1, k+1, i+1
	}
	return append64(out, 0, 0, sum[63], 2)
}

func sha256Crypt(password, salt []byte, rounds int) []byte {
	sum := shaCrypt(sha256.New(), password, salt, rounds)
	var out []byte
	i, j, k := 0, 10, 20
	for range 10 {
		out = append64(out, sum[i], sum[j], sum[k], 4)
		i, j, k = k+1, i+1, j+1
	}
	return append64(out, 0, sum[31], sum[30], 3)
}

func shaCrypt(h stdhash.Hash, password, salt []byte, rounds int) []byte {
	h.Write(password)
	h.Write(salt)
	h.Write(password)
	b := h.Sum(nil)

	h.Reset()
	h.Write(password)
	h.Write(salt)
	h.Write(repeated(b, len(password)))
	for n := len(password); n > 0; n >>= 1 {
		if n&1 != 0 {
			h.Write(b)
		} else {
			h.Write(password)
		}
	}
	a := h.Sum(nil)

	h.Reset()
	for range password {
		h.Write(password)
	}
	p := repeated(h.Sum(nil), len(password))

	h.Reset()
	for range 16 + int(a[0]) {
		h.Write(salt)
	}
	s := repeated(h.Sum(nil), len(salt))

	return stretch(h, a, p, s, rounds)
}

// stretch runs the rounds that make the hash slow; it is the same for all forms.
func stretch(h stdhash.Hash, a, password, salt []byte, rounds int) []byte {
	for i := range rounds {
		h.Reset()
		if i&1 != 0 {
			h.Write(password)
		} else {
			h.Write(a)
		}
		if i%3 != 0 {
			h.Write(salt)
		}
		if i%7 != 0 {
			h.Write(password)
		}
		if i&1 != 0 {
			h.Write(a)
		} else {
			h.Write(password)
		}
		a = h.Sum(a[:0])
	}
	return a
}

// repeated is n bytes of b again and again.
func repeated(b []byte, n int) []byte {
	out := make([]byte, 0, n+len(b))
	for len(out) < n {
		out = append(out, b...)
	}
	return out[:n]
}

// md5Crypt is the hash of FreeBSD's and glibc's $1$; its rounds are always 1000.
func md5Crypt(password, salt []byte, _ int) []byte {
	h := md5.New()
	h.Write(password)
	h.Write(salt)
	h.Write(password)
	b := h.Sum(nil)

	h.Reset()
	h.Write(password)
	h.Write([]byte("$1$"))
	h.Write(salt)
	h.Write(repeated(b, len(password)))
	for n := len(password); n > 0; n >>= 1 {
		if n&1 != 0 {
			h.Write([]byte{0})
		} else {
			h.Write(password[:1])
		}
	}
	sum := stretch(h, h.Sum(nil), password, salt, 1000)

	var out []byte
	for i := range 4 {
		out = append64(out, sum[i], sum[i+6], sum[i+12], 4)
	}
	out = append64(out, sum[4], sum[10], sum[5], 4)
	return append64(out, 0, 0, sum[11], 2)
}
