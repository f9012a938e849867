package balance

import (
	"baton/internal/mono"
	"baton/lb/spec"
)

// Load is what an algorithm asks about a server while it chooses. All loops ask at
// once; the answers may be outdated the moment they are given.
type Load interface {
	// Served is the number of requests that the server works on.
	Served() int
	// Queued is the number of those that wait for this server and no other.
	Queued() int
	// Full reports that the server takes no further request now: it is at its limit,
	// or others wait for it already.
	Full() bool
	// Room is Full's opposite for an algorithm that counts what waits: with a
	// `maxqueue` requests may be added to the server's queue up to that.
	Room() bool
	// Crowded reports that as many requests wait for the server as its maxqueue allows.
	Crowded() bool
	// Changed is a number that grows, over all servers of the backend, whenever this
	// one's load changes: of two servers the smaller one rested longer.
	Changed() uint64
}

// Slot is a server that may be chosen.
type Slot struct {
	ID     int // index of the server in its backend
	Number int // its numeric identifier (`id`)
	Weight int // 1..256
	// Scaled is the weight in sixteenths, less than 16*Weight while a slow start
	// lasts. Algorithms that are static do not look at it.
	Scaled int
	Load   Load
}

// Result says what a picker found.
type Result uint8

// The results.
const (
	None   Result = iota // there is no server
	Full                 // there are servers, and all that could serve are full
	Picked               // a server; a hash may pick one that is full
)

// Picker is one algorithm's state for one backend on one event loop.
type Picker interface {
	// Pick returns the ID of the server for k.
	Pick(k Key, now mono.Time) (id int, r Result)
	// PickExcept is Pick among the servers other than except: for a retry after
	// that one failed. It returns None when there is no other.
	PickExcept(k Key, except int, now mono.Time) (id int, r Result)
	// Update replaces the servers.
	Update(p *Plan)
}

// New returns the picker of an algorithm for the event loop number loop (from 0),
// which has no servers until Update. Loop 0 starts with the first server, the
// others each one further on: else the first requests of all loops, often all the
// requests of a quiet service, would meet at one server.
func New(c *spec.Balance, loop int) Picker {
	switch c.Algorithm {
	case spec.RoundRobin:
		return &roundRobin{skip: loop}
	case spec.StaticRR:
		return &staticRR{next: loop}
	case spec.LeastConn:
		return &leastConn{}
	case spec.First:
		return &first{}
	case spec.Random:
		return newRandom(c, loop)
	}
	if c.Consistent {
		return &ringHash{factor: c.Factor, affinity: c.Affinity}
	}
	return &mapHash{turns: staticRR{next: loop}}
}

// skips reports whether a full or avoided slot must be passed over.
func (s *Slot) skips(except int) bool { return s.ID == except || s.Load.Full() }
