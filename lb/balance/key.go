package balance

import (
	"bytes"
	"encoding/binary"
	"net/netip"

	"baton/lb/hash"
	"baton/lb/spec"
)

// Key is what a hashing algorithm ties to a server. Without OK there is nothing to
// hash and servers take turns.
type Key struct {
	Hash uint32
	OK   bool
}

// KeyOf is the key of a text that was found in a request.
func KeyOf(c *spec.Balance, b []byte) Key { return Key{Sum(c.Function, c.Avalanche, b), true} }

// AddrKey is the key of `balance source`: the address as a big-endian number, IPv6
// folded to 32 bits by exclusive or. HAProxy was seen to ignore the hash function
// here, though not the avalanche step. IPv4-mapped addresses count as IPv4. The zero
// Addr gives a Key without OK.
func AddrKey(c *spec.Balance, a netip.Addr) Key {
	a = a.Unmap()
	var h uint32
	switch {
	case a.Is4():
		b := a.As4()
		h = binary.BigEndian.Uint32(b[:])
	case a.Is6():
		b := a.As16()
		for i := 0; i < len(b); i += 4 {
			h ^= binary.BigEndian.Uint32(b[i:])
		}
	default:
		return Key{}
	}
	if c.Avalanche {
		h = hash.Avalanche(h)
	}
	return Key{h, true}
}

// URI cuts from a request target what `balance uri` hashes. path is the target from
// its path on, for `path-only`; without one, as with "*", nothing is hashed, and that
// has a key too.
func URI(c *spec.Balance, target, path []byte) []byte {
	if c.PathOnly {
		target = path
	}
	if c.Len > 0 && len(target) > c.Len {
		target = target[:c.Len]
	}
	slashes := 0
	for i, b := range target {
		switch {
		case b == '?' && !c.Whole:
			return target[:i]
		case b == '/':
			if slashes++; c.Depth > 0 && slashes > c.Depth {
				return target[:i]
			}
		}
	}
	return target
}

// Param finds a parameter's value in a query string or a form's body. One that is
// there with an empty value is found; one without '=' is not.
func Param(query []byte, name string) (value []byte, ok bool) {
	for len(query) > 0 {
		one, rest, _ := bytes.Cut(query, amp)
		if len(one) > len(name) && one[len(name)] == '=' && string(one[:len(name)]) == name {
			return one[len(name)+1:], true
		}
		query = rest
	}
	return nil, false
}

var amp = []byte{'&'}

// Domain is what use_domain_only leaves of a host name: the label before the last
// dot, "1wt" of "haproxy.1wt.eu", and the whole of a name without one. What HAProxy
// was seen to do with empty labels is kept: the dot before one belongs to the result.
func Domain(host []byte) []byte {
	end := bytes.LastIndexByte(host, '.')
	if end <= 0 {
		return host
	}
	start := bytes.LastIndexByte(host[:end-1], '.') + 1
	return host[start:end]
}
