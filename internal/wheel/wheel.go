// Package wheel is a hierarchical timing wheel: arming, moving and stopping a
// timer costs a few instructions and no allocation, however many there are.
//
// It is pure and single-threaded: each event loop owns one. A tick is a
// millisecond. Level n has 64 slots of 64^n ticks; a timer sits in the level
// where its distance fits and moves down as time comes near.
package wheel

import (
	"math/bits"
	"time"

	"baton/internal/mono"
)

const (
	tick   = time.Millisecond
	slots  = 64
	levels = 5 // 64^5 ms: 12 days; later timers wait at the edge and are moved again
)

// Expirer is told when its timer expires.
type Expirer interface{ Expired(now mono.Time) }

// Timer is one timer, embedded in what it belongs to. The zero value is stopped.
type Timer struct {
	next, prev *Timer // ring through the slot's head; nil when stopped
	at         int64  // in ticks
	level      uint8
	slot       uint8
	Owner      Expirer
}

// Armed reports whether the timer is going to expire.
func (t *Timer) Armed() bool { return t.next != nil }

// At returns when the timer expires, rounded up to a tick.
func (t *Timer) At() mono.Time { return mono.Time(t.at * int64(tick)) }

// Wheel holds timers.
type Wheel struct {
	now   int64 // ticks that were fully handled
	heads [levels][slots]Timer
	used  [levels]uint64 // bit s: slot s of the level is not empty
	due   Timer          // head of the ring that drain is working on
}

// New returns an empty wheel that starts at now.
func New(now mono.Time) *Wheel {
	w := &Wheel{now: int64(now) / int64(tick)}
	for l := range w.heads {
		for s := range w.heads[l] {
			h := &w.heads[l][s]
			h.next, h.prev = h, h
		}
	}
	return w
}

// Set arms t for the instant at, moving it if it was armed. An instant that has
// passed expires at the next Advance.
func (w *Wheel) Set(t *Timer, at mono.Time) {
	w.Stop(t)
	if at == mono.Never {
		return
	}
	t.at = max((int64(at)+int64(tick)-1)/int64(tick), w.now+1)
	w.insert(t)
}

// Stop disarms t.
func (w *Wheel) Stop(t *Timer) {
	if t.next == nil {
		return
	}
	t.prev.next, t.next.prev = t.next, t.prev
	t.next, t.prev = nil, nil
	if h := &w.heads[t.level][t.slot]; h.next == h {
		w.used[t.level] &^= 1 << t.slot
	}
}

func (w *Wheel) insert(t *Timer) {
	d := t.at - w.now // >= 1
	level := (bits.Len64(uint64(d)) - 1) / 6
	at := t.at
	if level >= levels {
		level = levels - 1
		at = w.now + 1<<(6*levels) - 1<<(6*(levels-1))
	}
	slot := uint8(at >> (6 * level) & (slots - 1))
	t.level, t.slot = uint8(level), slot
	h := &w.heads[level][slot]
	t.prev, t.next = h.prev, h
	h.prev.next, h.prev = t, t
	w.used[level] |= 1 << slot
}

// Next returns the instant at which Advance has something to do: an expiry, or a
// slot to redistribute, never later than the first expiry. mono.Never: nothing is armed.
func (w *Wheel) Next() mono.Time {
	best := int64(-1)
	for l := range w.used {
		if w.used[l] == 0 {
			continue
		}
		shift := 6 * l
		cur := w.now >> shift
		// Slots are ahead of the current one, modulo 64; the current one itself comes last.
		rot := bits.RotateLeft64(w.used[l], -int(cur&(slots-1))-1)
		at := (cur + 1 + int64(bits.TrailingZeros64(rot))) << shift
		if best < 0 || at < best {
			best = at
		}
	}
	if best < 0 {
		return mono.Never
	}
	return mono.Time(best * int64(tick))
}

// Advance moves the wheel to now and calls Expired on every timer that is due.
// An owner may arm and stop timers from within the call.
func (w *Wheel) Advance(now mono.Time) {
	target := int64(now) / int64(tick)
	for {
		next := w.Next()
		if next == mono.Never || int64(next)/int64(tick) > target {
			break
		}
		w.now = int64(next) / int64(tick)
		// From the top, so that what comes down lands in slots still to be handled.
		for l := levels - 1; l >= 0; l-- {
			if w.now&(1<<(6*l)-1) != 0 {
				continue
			}
			w.drain(l, uint8(w.now>>(6*l)&(slots-1)), now)
		}
	}
	w.now = max(w.now, target)
}

// drain empties one slot: due timers expire, others move down.
func (w *Wheel) drain(level int, slot uint8, now mono.Time) {
	if w.used[level]&(1<<slot) == 0 {
		return
	}
	h := &w.heads[level][slot]
	first, last := h.next, h.prev
	h.next, h.prev = h, h
	w.used[level] &^= 1 << slot
	// The timers hang on a head of their own meanwhile: an owner's Stop stays valid.
	list := &w.due
	list.next, list.prev = first, last
	first.prev, last.next = list, list
	for list.next != list {
		t := list.next
		list.next, t.next.prev = t.next, list
		t.next, t.prev = nil, nil
		if t.at <= w.now {
			t.Owner.Expired(now)
		} else {
			w.insert(t)
		}
	}
}
