package resolve

import (
	"time"

	"baton/internal/mono"
)

// Limits are a resolvers section's numbers.
type Limits struct {
	Retries int           // resolve_retries: rounds of queries before a failure
	Resolve time.Duration // timeout resolve: from one resolution to the next
	Retry   time.Duration // timeout retry: how long a round waits for answers
	Hold    Hold
}

// Hold is how long after the last valid answer a bad one changes nothing, by its
// status; Obsolete is how long a record counts after the last answer that held it.
type Hold struct{ NX, Refused, Timeout, Other, Obsolete time.Duration }

func (h *Hold) of(s Status) time.Duration {
	switch s {
	case NX:
		return h.NX
	case Refused:
		return h.Refused
	case Timeout:
		return h.Timeout
	}
	return h.Other
}

// Lookup keeps one name resolved: it asks all name servers together, takes the first
// valid answer, and where all answers were bad turns to the other family before it
// tries again (chapter 5.3.2).
type Lookup struct {
	Name   string
	first  Type // asked for first
	limits Limits
	peers  int // name servers

	at      mono.Time // when Tick has something to do
	asking  bool
	resting bool // a round has failed before its time was over: the next waits for its turn
	rounds  int  // left
	present Type
	flipped bool // the other family's turn
	bad     int  // name servers that gave a bad answer to the present query
	last    Status

	valid   mono.Time // of the last valid answer
	was     Status    // what the last resolution came to
	known   []known
	changed bool
}

// known is a record and when an answer last held it.
type known struct {
	Record
	seen mono.Time
}

// NewLookup makes the lookup of a name by as many name servers; the first query is
// due at once. An address that was known at the start counts as a valid answer of now.
func NewLookup(name string, first Type, l Limits, servers int, now mono.Time, initial []Record) *Lookup {
	k := &Lookup{Name: name, first: first, limits: l, peers: servers, at: now, was: Other}
	for _, r := range initial {
		k.known = append(k.known, known{r, now})
		k.valid, k.was = now, Valid
	}
	return k
}

// Deadline is when Tick wants to be called.
func (k *Lookup) Deadline() mono.Time { return k.at }

// Soon brings the next resolution forward, for a server that a check found silent.
func (k *Lookup) Soon(now mono.Time) {
	if !k.asking {
		k.at = min(k.at, now)
	}
}

// Tick does what is due. ask means that every name server is to be asked now for
// Query's type.
func (k *Lookup) Tick(now mono.Time) (ask bool) {
	switch {
	case now < k.at:
		return false
	case !k.asking:
		k.asking, k.rounds = true, k.limits.Retries
		k.last = Timeout
		return k.ask(now, k.first, false)
	case k.resting:
		return k.ask(now, k.first, false)
	case k.bad > 0:
		return k.failed(now) // some servers have answered badly, the others never
	}
	k.last = Timeout
	if !k.next(now) {
		return false
	}
	return k.ask(now, k.present, k.flipped)
}

// Query is the type of the query that stands open.
func (k *Lookup) Query() (Type, bool) { return k.present, k.asking }

func (k *Lookup) ask(now mono.Time, t Type, flipped bool) bool {
	k.present, k.flipped, k.bad, k.resting = t, flipped, 0, false
	k.at = now.Add(k.limits.Retry)
	return true
}

// Take takes a name server's answer to the open query. ask: as with Tick.
func (k *Lookup) Take(now mono.Time, a Answer) (ask bool) {
	if !k.asking {
		return false // a slow server: another one was first
	}
	if k.resting && a.Status != Valid {
		return false // it has been counted
	}
	if a.Status == Valid {
		k.keep(now, a.Records)
		k.done(now, Valid)
		return false
	}
	k.last = a.Status
	k.bad++
	if k.bad < k.peers {
		return false // a slow server may know better
	}
	return k.failed(now)
}

// failed goes on after all name servers have answered badly: with the other family at
// once, with the next round when this one's time is over.
func (k *Lookup) failed(now mono.Time) bool {
	if !k.flipped && k.first != SRV {
		other := A
		if k.first == A {
			other = AAAA
		}
		return k.ask(now, other, true)
	}
	switch {
	case !k.next(now):
		return false
	case now < k.at:
		k.resting = true
		return false
	}
	return k.ask(now, k.first, false)
}

// next counts a round; after the last one the resolution has failed.
func (k *Lookup) next(now mono.Time) bool {
	k.rounds--
	if k.rounds > 0 {
		return true
	}
	k.done(now, k.last)
	return false
}

func (k *Lookup) done(now mono.Time, s Status) {
	k.asking, k.resting = false, false
	k.at = now.Add(k.limits.Resolve)
	k.was = s
	if s == Valid {
		k.valid = now
	} else if now.Sub(k.valid) >= k.limits.Hold.of(s) && len(k.known) > 0 {
		k.known = k.known[:0]
		k.changed = true
	}
}

// keep merges an answer into what is known: a name server may give a part of the
// records at a time.
func (k *Lookup) keep(now mono.Time, rs []Record) {
	for _, r := range rs {
		if i := k.find(r); i >= 0 {
			k.changed = k.changed || k.known[i].Record != r
			k.known[i] = known{r, now}
			continue
		}
		k.known = append(k.known, known{r, now})
		k.changed = true
	}
	kept := k.known[:0]
	for _, r := range k.known {
		if r.seen == now || now.Sub(r.seen) < k.limits.Hold.Obsolete {
			kept = append(kept, r)
		} else {
			k.changed = true
		}
	}
	k.known = kept
}

// find returns the place of the record that r renews: the same address, or the same
// target and port, whatever their weight is now.
func (k *Lookup) find(r Record) int {
	for i := range k.known {
		o := &k.known[i].Record
		if o.Target == r.Target && o.Port == r.Port && (r.Target != "" || o.Addr == r.Addr) {
			return i
		}
	}
	return -1
}

// Records returns what is known now, in the order in which it became known.
func (k *Lookup) Records() []Record {
	var rs []Record
	for _, r := range k.known {
		rs = append(rs, r.Record)
	}
	return rs
}

// Changed reports whether the records have changed since it was last asked.
func (k *Lookup) Changed() bool {
	c := k.changed
	k.changed = false
	return c
}

// Status is what the last resolution came to.
func (k *Lookup) Status() Status { return k.was }
