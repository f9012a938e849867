package vip

import "baton/internal/mono"

// Inherit has the keeper of a new configuration go on where the one of the old was:
// who is master, which leases are held, what is to be announced when. was names the
// instances that there were by what they are called now. A Sync is due at once.
func (k *Keeper) Inherit(now mono.Time, old *Keeper, was map[string]string) {
	for i := range k.holdings {
		h := &k.holdings[i]
		o := old.holding(was[h.Config.Instance])
		if o == nil || h.Config.Static {
			continue
		}
		h.Wanted, h.again, h.repeat, h.ask = o.Wanted, o.again, o.repeat, o.ask
		h.refresh, h.extra = o.refresh, o.extra
		if every := h.Config.Announce.Refresh; h.Wanted && every != o.Config.Announce.Refresh {
			h.refresh = mono.Never
			if every > 0 {
				h.refresh = now.Add(every)
			}
		}
		if every := h.Config.Announce.Extra; h.Wanted && every > 0 {
			h.extra = now.Add(every)
		}
		if every := h.Config.Announce.Extra; h.Wanted && every != o.Config.Announce.Extra {
			h.extra = mono.Never
			if every > 0 {
				h.extra = now.Add(every)
			}
		}
		for j, a := range h.Config.Addresses {
			for n, b := range o.Config.Addresses {
				if a.Interface == b.Interface && a.Prefix == b.Prefix {
					h.Leases[j] = o.Leases[n]
				}
			}
		}
	}
	k.sync, k.early, k.known = 0, 0, false
}

// Left returns the addresses that the keeper of the old configuration holds and
// this one does not know.
func (k *Keeper) Left(old *Keeper) []Address {
	var out []Address
	for i := range old.holdings {
		for j, l := range old.holdings[i].Leases {
			a := old.holdings[i].Config.Addresses[j]
			if h, _ := k.owner(a); l.Held && h == nil {
				out = append(out, a)
			}
		}
	}
	return out
}
