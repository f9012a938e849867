package vrrp

import (
	"net/netip"

	"baton/internal/mono"
)

// Heartbeat paths. A master sends its advert by every path; a backup's timer starts
// anew whichever of them it comes by, so only silence on all of them makes another
// master. The election does not know of paths: an advert means the same by each of
// them, and Event.From is the node's address on the interface of the instance.

// Sighting says whether the master's adverts come by a path.
type Sighting uint8

// The sightings. Nothing is known outside BACKUP: only masters send adverts.
const (
	Unknown Sighting = iota
	Seen
	Silent // for a master-down interval, while another path is not
)

func (s Sighting) String() string {
	switch s {
	case Seen:
		return "seen"
	case Silent:
		return "silent"
	}
	return "unknown"
}

// PathSight is what an instance knows of one path.
type PathSight struct {
	Sighting Sighting
	Since    mono.Time
	last     mono.Time // of the last advert, or Since
}

// PathSights returns what is known of the paths: of Interface first, then of
// Config.Paths. It is empty if there are no such.
func (i *Instance) PathSights() []PathSight { return i.sights }

// forgetSights begins a state in which nothing has been heard yet.
func (i *Instance) forgetSights(now mono.Time) {
	for n := range i.sights {
		i.sights[n] = PathSight{Since: now, last: now}
	}
}

// see notes by which path a BACKUP hears its master, and by which it does not.
func (i *Instance) see(now mono.Time, ev Event, note func(Note) Action, out []Action) []Action {
	told := func(n Note, path int) {
		a := note(n)
		a.Path = path
		out = append(out, a)
	}
	for n := range i.sights {
		s := &i.sights[n]
		switch {
		case n == ev.Path:
			if s.Sighting == Silent {
				told(PathSeen, n)
			}
			if s.Sighting != Seen {
				s.Sighting, s.Since = Seen, now
			}
			s.last = now
		case s.Sighting != Silent && now.Sub(s.last) > i.MasterDown():
			s.Sighting, s.Since = Silent, s.last
			told(PathSilent, n)
		}
	}
	return out
}

// farewell is a resignation that was heard. Adverts of the same node that come by
// another path meanwhile left it before.
type farewell struct {
	from  netip.Addr
	path  int
	until mono.Time
}

// belated reports whether an advert was sent before its sender's resignation, which
// came by a faster path, or is another copy of that. After it an advert by the same
// path says that the sender is back; it must not take longer than a master-down
// interval to arrive by another.
func (i *Instance) belated(now mono.Time, ev Event) bool {
	f := &i.farewell
	known := same(ev.From, f.from) && now < f.until
	switch {
	case len(i.sights) == 0:
		return false
	case known && ev.Path != f.path:
		return true
	case ev.Advert.Priority == 0:
		*f = farewell{ev.From, ev.Path, now.Add(i.MasterDown())}
	case known:
		f.until = now
	}
	return false
}
