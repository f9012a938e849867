package vip

import (
	"time"

	"baton/internal/mono"
)

// lane holds back the announcements of one family on one interface so that they
// keep their distance (vrrp_garp_interval, vrrp_gna_interval): there are switches
// that take a burst for an attack.
type lane struct {
	ifname string
	six    bool
	next   mono.Time // when the next frame may leave
	queue  []pending
}

type pending struct {
	address Address
	left    int
	pause   time.Duration
	form    ARPForm
}

func (l *lane) deadline() mono.Time {
	if len(l.queue) == 0 {
		return mono.Never
	}
	return l.next
}

// burst announces all addresses of an instance and plans what follows.
func (k *Keeper) burst(now mono.Time, h *Holding, repeat int, again time.Duration, out []Action) []Action {
	if repeat == 0 {
		return out
	}
	out = k.announce(now, h, repeat, out)
	h.plan(now, repeat, again)
	return out
}

// plan sets the times of the second burst and of the refresh, counted from now.
func (h *Holding) plan(now mono.Time, repeat int, again time.Duration) {
	h.again, h.refresh, h.extra, h.repeat = mono.Never, mono.Never, mono.Never, repeat
	if d := h.Config.Announce.Extra; d > 0 {
		h.extra = now.Add(d)
	}
	if again > 0 {
		h.again = now.Add(again)
	}
	if d := h.Config.Announce.Refresh; d > 0 {
		h.refresh = now.Add(d)
	}
}

// announce announces the addresses of an instance that are there.
func (k *Keeper) announce(now mono.Time, h *Holding, count int, out []Action) []Action {
	for i, l := range h.Leases {
		if l.Held {
			out = k.send(now, h.Config.Addresses[i], count, h.Config.Announce, out)
		}
	}
	return out
}

// announceExtra announces once what adverts do not show to switches: the addresses on
// VMACs that adverts do not leave by, or on any interface.
func (k *Keeper) announceExtra(now mono.Time, h *Holding, out []Action) []Action {
	for i, l := range h.Leases {
		a := h.Config.Addresses[i]
		_, virtual := h.Config.VMACOf(a.Interface)
		if l.Held && (h.Config.Announce.ExtraAll || virtual) {
			out = k.send(now, a, 1, h.Config.Announce, out)
		}
	}
	return out
}

// send announces one address: at once, or in its lane.
func (k *Keeper) send(now mono.Time, a Address, count int, s Schedule, out []Action) []Action {
	if count == 0 {
		return out
	}
	six := a.Prefix.Addr().Is6()
	pause := s.ARPInterval
	if six {
		pause = s.NAInterval
	}
	if pause == 0 {
		return append(out, Action{Kind: Send, Address: a, Count: count, Form: s.Form})
	}
	l := k.lane(a.Interface, six)
	for i := range l.queue {
		if p := &l.queue[i]; p.address == a {
			p.left = max(p.left, count)
			return out
		}
	}
	if len(l.queue) == 0 {
		l.next = max(l.next, now)
	}
	l.queue = append(l.queue, pending{a, count, pause, s.Form})
	return out
}

func (k *Keeper) lane(ifname string, six bool) *lane {
	for i := range k.lanes {
		if l := &k.lanes[i]; l.ifname == ifname && l.six == six {
			return l
		}
	}
	k.lanes = append(k.lanes, lane{ifname: ifname, six: six})
	return &k.lanes[len(k.lanes)-1]
}

// drain lets the next frame of every lane go whose time has come. The addresses
// take turns, so that each is announced once before any is announced twice. One
// that has been lost meanwhile is dropped.
func (k *Keeper) drain(now mono.Time, out []Action) []Action {
	for i := range k.lanes {
		l := &k.lanes[i]
		for len(l.queue) > 0 && l.next <= now {
			p := l.queue[0]
			l.queue = l.queue[1:]
			h, j := k.owner(p.address)
			if h == nil || !h.Wanted || !h.Leases[j].Held {
				continue
			}
			out = append(out, Action{Kind: Send, Address: p.address, Count: 1, Form: p.form})
			l.next = now.Add(p.pause)
			if p.left--; p.left > 0 {
				l.queue = append(l.queue, p)
			}
		}
	}
	return out
}
