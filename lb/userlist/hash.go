package userlist

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

const (
	maxPassword   = 511 // as in libxcrypt, whose crypt(3) refuses longer ones; it bounds the work
	defaultRounds = 5000
	minRounds     = 1000
	// maxRounds bounds how long one check takes: about half a second. crypt(3) allows
	// 999999999, some minutes.
	maxRounds = 1_000_000
)

// form is one form of hash.
type form struct {
	prefix  string // $6$
	salt    int    // longest
	length  int    // of the text behind the salt
	rounds  bool   // rounds=N$ may stand before the salt
	compute func(password, salt []byte, rounds int) []byte

	// Of a form that another module computes: it reads the whole hash. The others are nil.
	read func(text string) (match func(password []byte) bool, err error)
}

func forms() []form {
	return []form{
		{"$1$", 8, 22, false, md5Crypt, nil},
		{"$5$", 16, 43, true, sha256Crypt, nil},
		{"$6$", 16, 86, true, sha512Crypt, nil},
		{prefix: "$2a$", read: readBcrypt},
		{prefix: "$2b$", read: readBcrypt},
		{prefix: "$2y$", read: readBcrypt},
		{prefix: "$y$", read: readYescrypt},
	}
}

// hash is a crypt(3) hash, read.
type hash struct {
	form   form
	text   string // all of it
	rounds int
	salt   []byte
	sum    string                     // in crypt's base 64
	match  func(password []byte) bool // of a form with read, instead of the above
}

// otherForms are hashes by their prefixes that crypt(3) may know and we do not.
func otherForms() [][2]string {
	return [][2]string{
		{"$2x$", "bcrypt with the bug of $2x$"},
		{"$3$", "NT"},
		{"$7$", "scrypt"},
		{"$md5", "SunMD5"},
		{"$sha1$", "SHA-1"},
		{"$gy$", "gost-yescrypt"},
		{"_", "extended DES"},
	}
}

func parseHash(text string) (*hash, error) {
	for _, f := range forms() {
		if rest, ok := strings.CutPrefix(text, f.prefix); ok {
			return parseForm(f, text, rest)
		}
	}
	for _, o := range otherForms() {
		if strings.HasPrefix(text, o[0]) {
			return nil, fmt.Errorf("passwords hashed by %s are known, not supported yet", o[1])
		}
	}
	if len(text) == 13 && crypt64Only(text) {
		return nil, errors.New("passwords hashed by DES are known, not supported: they count 8 characters only")
	}
	return nil, errors.New("not a hash of crypt(3)")
}

func parseForm(f form, text, rest string) (*hash, error) {
	h := &hash{form: f, text: text, rounds: defaultRounds}
	if f.read != nil {
		var err error
		h.match, err = f.read(text)
		return h, err
	}
	if digits, ok := strings.CutPrefix(rest, "rounds="); ok && f.rounds {
		digits, after, _ := strings.Cut(digits, "$")
		n, err := strconv.Atoi(digits)
		switch {
		case err != nil || strings.TrimLeft(digits, "123456789") == digits:
			return nil, fmt.Errorf("'rounds=%s' of a hash is not a number", digits)
		case n < minRounds:
			return nil, fmt.Errorf("a hash with %d rounds: crypt(3) takes none below %d", n, minRounds)
		case n > maxRounds:
			return nil, fmt.Errorf("a hash with %d rounds: above %d one check would take seconds", n, maxRounds)
		}
		h.rounds, rest = n, after
	}
	salt, sum, ok := strings.Cut(rest, "$")
	switch {
	case !ok:
		return nil, fmt.Errorf("a hash '%s' without a $ behind its salt", f.prefix)
	case len(salt) > f.salt:
		return nil, fmt.Errorf("the salt of a hash '%s' has at most %d characters, not %d", f.prefix, f.salt, len(salt))
	case strings.ContainsAny(salt, ":\n"):
		return nil, fmt.Errorf("the salt of a hash '%s' cannot hold a colon or a line end", f.prefix)
	case len(sum) != f.length || !crypt64Only(sum):
		return nil, fmt.Errorf("a hash '%s' ends with %d characters of ./0-9A-Za-z, not with '%s'", f.prefix, f.length, sum)
	}
	h.salt, h.sum = []byte(salt), sum
	return h, nil
}

// matches computes the hash of a password and compares.
func (h *hash) matches(password []byte) bool {
	if h.match != nil {
		return h.match(password)
	}
	return subtle.ConstantTimeCompare(h.form.compute(password, h.salt, h.rounds), []byte(h.sum)) == 1
}

// digest is what is remembered of a password: no two users with different hashes have
// the same. The hash is of a length that its own text tells, so nothing separates both.
func (h *hash) digest(password []byte) [sha256.Size]byte {
	var room [1024]byte
	return sha256.Sum256(append(append(room[:0], h.text...), password...))
}

const crypt64 = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

func crypt64Only(s string) bool { return strings.Trim(s, crypt64) == "" }

// append64 appends n characters of 6 bits of b2<<16|b1<<8|b0, the lowest first.
func append64(dst []byte, b2, b1, b0 byte, n int) []byte {
	v := uint(b2)<<16 | uint(b1)<<8 | uint(b0)
	for range n {
		dst = append(dst, crypt64[v&63])
		v >>= 6
	}
	return dst
}
