package vip

import (
	"net/netip"
	"slices"

	"baton/internal/mono"
)

// Keeper keeps the addresses of all instances: who shall have them, their
// leases, and when they are announced.
type Keeper struct {
	holdings []Holding
	sync     mono.Time // next renewal or retry, at the latest
	early    mono.Time // the same, at the earliest
	next     mono.Time // what Deadline has found, while known
	known    bool
	lanes    []lane // for frames that must keep a distance
	places   map[addressKey]place
}

// addressKey is what an address is known by; place is where it stands in holdings.
type addressKey struct {
	ifname string
	prefix netip.Prefix
}

type place struct{ holding, address int }

// Holding is what one instance holds.
type Holding struct {
	Config Config
	Wanted bool    // between Up and Down
	Leases []Lease // one for each of Config.Addresses

	again   mono.Time // second burst
	repeat  int       // its frames
	ask     mono.Time // next question who else has the addresses
	refresh mono.Time
	extra   mono.Time
}

// NewKeeper makes a Keeper of instances that hold nothing. Every address has its
// Interface, and no two of them are the same.
func NewKeeper(cfgs []Config) *Keeper {
	k := &Keeper{sync: mono.Never, early: mono.Never, places: map[addressKey]place{}}
	for i, c := range cfgs {
		for j, a := range c.Addresses {
			k.places[addressKey{a.Interface, a.Prefix}] = place{i, j}
		}
		if c.Announce == (Schedule{}) {
			c.Announce = DefaultSchedule()
		}
		if c.Static {
			c.Announce = Schedule{RefreshRepeat: 1}
			k.sync, k.early = 0, 0
		}
		k.holdings = append(k.holdings, Holding{
			Config: c, Leases: make([]Lease, len(c.Addresses)), Wanted: c.Static,
			again: mono.Never, refresh: mono.Never, ask: mono.Never, extra: mono.Never,
		})
	}
	return k
}

// Want appends the addresses that shall stand to out, in the order of the
// configuration.
func (k *Keeper) Want(out Set) Set {
	for i := range k.holdings {
		if h := &k.holdings[i]; h.Wanted {
			for _, a := range h.Config.Addresses {
				out = append(out, Entry{Address: a})
			}
		}
	}
	return out
}

// WantRoutes appends the routes that shall stand to out, each once:
// several instances may name the same.
func (k *Keeper) WantRoutes(out []Route) []Route {
	for i := range k.holdings {
		if h := &k.holdings[i]; h.Wanted {
			for _, r := range h.Config.Routes {
				if !slices.ContainsFunc(out, r.is) {
					out = append(out, r)
				}
			}
		}
	}
	return out
}

// WantRules does for rules what WantRoutes does.
func (k *Keeper) WantRules(out []Rule) []Rule {
	for i := range k.holdings {
		if h := &k.holdings[i]; h.Wanted {
			for _, r := range h.Config.Rules {
				if !slices.Contains(out, r) {
					out = append(out, r)
				}
			}
		}
	}
	return out
}

// Holdings returns the instances' present state. The caller must not change it;
// it is valid until the next Step.
func (k *Keeper) Holdings() []Holding { return k.holdings }

// Deadline is when Step has something to do; mono.Never if nothing. It is asked for
// much more often than it changes.
func (k *Keeper) Deadline() mono.Time {
	if !k.known {
		k.next, k.known = k.deadline(), true
	}
	return k.next
}

func (k *Keeper) deadline() mono.Time {
	d := k.sync
	for i := range k.lanes {
		d = min(d, k.lanes[i].deadline())
	}
	for i := range k.holdings {
		d = min(d, k.holdings[i].again, k.holdings[i].refresh, k.holdings[i].ask, k.holdings[i].extra)
	}
	return d
}

// Holds reports whether an address is wanted and there: it may be announced.
func (k *Keeper) Holds(a Address) bool {
	h, i := k.owner(a)
	return h != nil && h.Wanted && h.Leases[i].Held
}

// Stale reports whether an address is wanted and its lease was not confirmed since an
// instant.
func (k *Keeper) Stale(a Address, since mono.Time) bool {
	h, i := k.owner(a)
	return h != nil && h.Wanted && !(h.Leases[i].Held && h.Leases[i].Renewed >= since)
}

// Settle returns the addresses that nobody wants and whose lease is still held
// after a Sync has told all its steps: no step dealt with them because the kernel
// does not have them any more (tell Removed), or because it could not be asked
// (tell Failed).
func (k *Keeper) Settle(out []Address) []Address {
	for i := range k.holdings {
		h := &k.holdings[i]
		for j, l := range h.Leases {
			if l.Held && !h.Wanted {
				out = append(out, h.Config.Addresses[j])
			}
		}
	}
	return out
}

// Due reports whether a Timer event at now would do something. It may, a little
// ahead of the Deadline.
func (k *Keeper) Due(now mono.Time) bool { return now >= min(k.early, k.Deadline()) }

// Step takes an event, appends what has to be done to out, and does what is due
// at now as well. An event for an unknown instance or address does nothing.
func (k *Keeper) Step(now mono.Time, ev Event, out []Action) []Action {
	if ev.Kind == Renewed { // there are hundreds, and nothing follows from them
		if h, i := k.owner(ev.Address); h != nil {
			h.Leases[i].confirm(now)
		}
		return out
	}
	k.known = false
	switch ev.Kind {
	case Up, Down, Announce:
		if h := k.holding(ev.Instance); h != nil {
			out = k.stepInstance(now, ev, h, out)
		}
	case Missing:
		if k.sync != mono.Never {
			out = k.startSync(now, out)
		}
	case Added, Removed, Failed:
		if h, i := k.owner(ev.Address); h != nil {
			out = k.stepAddress(now, ev.Kind, h, i, out)
		}
	}
	return k.due(now, out)
}

func (k *Keeper) stepInstance(now mono.Time, ev Event, h *Holding, out []Action) []Action {
	switch ev.Kind {
	case Up:
		if !h.Wanted {
			h.ask = together(now.Add(AskAfter))
		}
		h.Wanted = true
		return k.syncOne(now, h, out)
	case Down:
		h.Wanted = false
		h.again, h.refresh, h.ask, h.extra = mono.Never, mono.Never, mono.Never, mono.Never
		return k.syncOne(now, h, out)
	case Announce:
		// A conflict calls for this again and again; each time the second burst
		// moves, so it comes when the conflict is over. Nobody but the holder
		// may announce an address.
		if h.Wanted {
			s := h.Config.Announce
			if ev.Conflict {
				out = k.burst(now, h, s.ConflictRepeat, s.ConflictAgain, out)
			} else {
				out = k.burst(now, h, s.Repeat, s.Again, out)
			}
		}
	}
	return out
}

func (k *Keeper) stepAddress(now mono.Time, kind EventKind, h *Holding, i int, out []Action) []Action {
	l, a := &h.Leases[i], h.Config.Addresses[i]
	switch kind {
	case Added:
		if h.Wanted && l.Held {
			// It was ours and it vanished: somebody removed it, or this process
			// stood still for longer than the lease. Neighbours may have learned
			// anything meanwhile.
			s := h.Config.Announce
			out = append(out, Action{Kind: Returned, Address: a})
			out = k.send(now, a, s.Repeat, s, out)
			h.plan(now, s.Repeat, s.Again)
		}
		l.confirm(now)
	case Removed:
		*l = Lease{}
	case Failed:
		if l.overdue(now) {
			*l = Lease{} // nothing is left to renew or to remove
		}
		if h.Wanted || l.Held {
			retry := LeaseRetry
			if h.Config.Static { // its interface may not be there for long
				retry = LeaseRenew
			}
			k.sync = min(k.sync, now.Add(retry))
			k.early = min(k.early, k.sync)
		}
	}
	return out
}

// due does what the clock asks for.
func (k *Keeper) due(now mono.Time, out []Action) []Action {
	if now >= k.early {
		out = k.startSync(now, out)
	}
	for i := range k.holdings {
		h := &k.holdings[i]
		if now >= h.again {
			out = k.announce(now, h, h.repeat, out)
			h.again = mono.Never
		}
		if now >= h.refresh {
			out = k.announce(now, h, h.Config.Announce.RefreshRepeat, out)
			h.refresh = now.Add(h.Config.Announce.Refresh)
		}
		if now >= h.extra {
			out = k.announceExtra(now, h, out)
			h.extra = now.Add(h.Config.Announce.Extra)
		}
		if now >= h.ask {
			for j, l := range h.Leases {
				if l.Held {
					out = append(out, Action{Kind: Ask, Address: h.Config.Addresses[j]})
				}
			}
			h.ask = together(now.Add(AskEvery))
		}
	}
	return k.drain(now, out)
}

// syncOne asks for a Sync of one instance. The time of the next renewal of all stays
// what it is.
func (k *Keeper) syncOne(now mono.Time, h *Holding, out []Action) []Action {
	switch {
	case h.Wanted && k.sync == mono.Never:
		k.sync = now.Add(LeaseRenew)
		k.early = k.sync - mono.Time(leaseEarly)
	case !k.busyWithout(h):
		k.sync, k.early = mono.Never, mono.Never
	}
	return append(out, Action{Kind: Sync, Instance: h.Config.Instance})
}

// busyWithout reports whether anything is held, or should be, by others than h, or
// should be by h.
func (k *Keeper) busyWithout(h *Holding) bool {
	for i := range k.holdings {
		other := &k.holdings[i]
		if other.Wanted || other != h && slices.ContainsFunc(other.Leases, func(l Lease) bool { return l.Held }) {
			return true
		}
	}
	return false
}

// startSync asks for a Sync, which renews every lease, and plans the next.
func (k *Keeper) startSync(now mono.Time, out []Action) []Action {
	k.sync, k.early = mono.Never, mono.Never
	for i := range k.holdings {
		if k.holdings[i].Wanted {
			k.sync = now.Add(LeaseRenew)
			k.early = k.sync - mono.Time(leaseEarly)
		}
	}
	return append(out, Action{Kind: Sync})
}

func (k *Keeper) holding(instance string) *Holding {
	for i := range k.holdings {
		if k.holdings[i].Config.Instance == instance {
			return &k.holdings[i]
		}
	}
	return nil
}

// owner returns the instance that an address belongs to, and its place there.
func (k *Keeper) owner(a Address) (*Holding, int) {
	p, ok := k.places[addressKey{a.Interface, a.Prefix}]
	if !ok {
		return nil, 0
	}
	return &k.holdings[p.holding], p.address
}
