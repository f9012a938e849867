package balance

import (
	"encoding/binary"
	"net/netip"
	"sync/atomic"

	"baton/internal/mono"
	"baton/lb/spec"
)

// Key is what a hashing algorithm ties to a server. Without OK there is nothing to
// hash and servers take turns.
type Key struct {
	Hash uint32
	OK   bool
}

// KeyOf is the key of `balance source`: the address as a big-endian number, IPv6
// folded to 32 bits by exclusive or. HAProxy 2.6 was seen to do the same with its
// default hash-type, so a client keeps its server when baton takes HAProxy's place.
// IPv4-mapped addresses count as IPv4. The zero Addr gives a Key without OK.
func KeyOf(a netip.Addr) Key {
	a = a.Unmap()
	switch {
	case a.Is4():
		b := a.As4()
		return Key{binary.BigEndian.Uint32(b[:]), true}
	case a.Is6():
		b := a.As16()
		h := binary.BigEndian.Uint32(b[0:]) ^ binary.BigEndian.Uint32(b[4:]) ^
			binary.BigEndian.Uint32(b[8:]) ^ binary.BigEndian.Uint32(b[12:])
		return Key{h, true}
	}
	return Key{}
}

// Slot is a server that may be chosen.
type Slot struct {
	ID     int           // index of the server in its backend
	Weight int           // 1..256
	Load   *atomic.Int32 // requests in flight and queued, shared by all loops; only leastconn reads it
}

// Picker is one algorithm's state for one backend on one event loop.
type Picker interface {
	// Pick returns the ID of the server for k; ok is false without servers.
	Pick(k Key, now mono.Time) (id int, ok bool)
	// PickExcept is Pick among the servers other than except: for a retry after
	// that one failed. ok is false when there is no other.
	PickExcept(k Key, except int, now mono.Time) (id int, ok bool)
	// Update replaces the servers. The slots stay the caller's and are not kept,
	// so all loops may be given the same ones.
	Update(slots []Slot)
}

// New returns the picker of an algorithm for the event loop number loop (from 0),
// which has no servers until Update. Loop 0 starts with the first server, the
// others each one further on: else the first requests of all loops, often all the
// requests of a quiet service, would meet at one server.
func New(a spec.Algorithm, loop int) Picker {
	switch a {
	case spec.LeastConn:
		return &leastConn{start: loop}
	case spec.SourceHash:
		return &sourceHash{turns: roundRobin{skip: loop}}
	case spec.RoundRobin:
		return &roundRobin{skip: loop}
	}
	panic("BUG: balance: unknown algorithm")
}
