package userlist

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/go-crypt/crypt/algorithm/bcrypt"
	"github.com/go-crypt/crypt/algorithm/scrypt"
)

const (
	maxCost = 15 // of bcrypt: a check takes about two seconds, each step doubles it
	// bcryptLength is what bcrypt takes of a password; crypt(3) lets go what is longer.
	bcryptLength = 72
	// maxMemory bounds what one check of a yescrypt hash needs. Debian's passwd makes
	// hashes of 16 MiB.
	maxMemory = 64 << 20
)

// readBcrypt reads $2a$, $2b$ or $2y$, all of which name the same hash for what may
// stand in a configuration: $VERSION$COST$, 22 characters of salt and 31 of the hash.
func readBcrypt(text string) (func([]byte) bool, error) {
	cost, rest, ok := strings.Cut(text[len("$2b$"):], "$")
	n := 0
	if ok && len(cost) == 2 && strings.Trim(cost, "0123456789") == "" {
		n = int(cost[0]-'0')*10 + int(cost[1]-'0')
	}
	switch {
	case n < 4 || n > 31:
		return nil, fmt.Errorf("a hash of bcrypt needs a cost from 04 to 31, not '%s'", cost)
	case n > maxCost:
		return nil, fmt.Errorf("a hash of bcrypt with cost %d: above %d one check would take many seconds", n, maxCost)
	case len(rest) != 53 || !crypt64Only(rest):
		return nil, fmt.Errorf("a hash of bcrypt ends with 53 characters of ./0-9A-Za-z, not with '%s'", rest)
	}
	d, err := bcrypt.Decode(text)
	if err != nil {
		return nil, fmt.Errorf("a hash that is none: %w", err)
	}
	return func(password []byte) bool {
		if bytes.IndexByte(password, 0) >= 0 {
			return false // where crypt(3) would end it
		}
		return d.MatchBytes(password[:min(len(password), bcryptLength)])
	}, nil
}

// readYescrypt reads $y$SETTING$SALT$HASH with a setting of three characters, as all
// tools make it: the flags of yescrypt itself, the binary logarithm of N, and r.
func readYescrypt(text string) (func([]byte) bool, error) {
	parts := strings.Split(text, "$")
	if len(parts) != 5 {
		return nil, fmt.Errorf("a hash of yescrypt is $y$SETTING$SALT$HASH, not '%s'", text)
	}
	setting, salt, sum := parts[2], parts[3], parts[4]
	if len(setting) != 3 || setting[0] != 'j' || !crypt64Only(setting) {
		return nil, fmt.Errorf("a hash of yescrypt with the setting '%s': only such as j9T are supported", setting)
	}
	n, r := strings.IndexByte(crypt64, setting[1])+1, strings.IndexByte(crypt64, setting[2])+1
	switch {
	case n > 30 || 128*r<<n > maxMemory:
		return nil, fmt.Errorf("a hash of yescrypt with the setting '%s': one check would need more than %d MiB of memory", setting, maxMemory>>20)
	case len(salt) > 86 || !crypt64Only(salt):
		return nil, fmt.Errorf("the salt of a hash of yescrypt has at most 86 characters of ./0-9A-Za-z, not '%s'", salt)
	case len(sum) != 43 || !crypt64Only(sum):
		return nil, fmt.Errorf("a hash of yescrypt ends with 43 characters of ./0-9A-Za-z, not with '%s'", sum)
	}
	d, err := scrypt.Decode(text)
	if err != nil {
		return nil, fmt.Errorf("a hash that is none: %w", err)
	}
	return d.MatchBytes, nil
}
