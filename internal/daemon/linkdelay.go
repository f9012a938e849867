package daemon

import (
	"sync"
	"time"

	"baton/conf/keepalived"
	"baton/vip/kernel"
)

// linkDelays is interface_up_down_delays: an interface that goes down, or comes up,
// counts as it was until that has lasted for its delay. One that vanishes or is
// another under the same name is told at once: its socket is dead.
type linkDelays struct {
	pass  func(kernel.Link)
	after func(time.Duration, func()) (stop func() bool)

	mu    sync.Mutex
	links map[string]*delayedLink
}

type delayedLink struct {
	down, up time.Duration
	known    bool
	told     bool        // its last told Up
	latest   kernel.Link // as it is
	turn     int         // tells a timer that it was stopped too late
	stop     func() bool // of the timer that runs; nil if none does
}

func newLinkDelays(delays []keepalived.LinkDelay, pass func(kernel.Link)) *linkDelays {
	d := &linkDelays{pass: pass, links: make(map[string]*delayedLink), after: func(t time.Duration, f func()) func() bool {
		return time.AfterFunc(t, f).Stop
	}}
	for _, one := range delays {
		d.links[one.Interface] = &delayedLink{down: one.Down, up: one.Up}
	}
	return d
}

// link takes what the watcher sees, and passes on what counts.
func (d *linkDelays) link(l kernel.Link) {
	d.mu.Lock()
	defer d.mu.Unlock()
	k := d.links[l.Name]
	if k == nil {
		d.pass(l)
		return
	}
	another := !k.known || k.latest.Index != l.Index
	k.known, k.latest = true, l
	if another || l.Up == k.told {
		k.cancel()
		k.told = l.Up
		d.pass(l)
		return
	}
	if k.stop == nil {
		delay := k.up
		if !l.Up {
			delay = k.down
		}
		k.turn++
		turn := k.turn
		k.stop = d.after(delay, func() { d.due(k, turn) })
	}
	l.Up = k.told // what else is new about it is told
	d.pass(l)
}

func (d *linkDelays) due(k *delayedLink, turn int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if turn != k.turn {
		return
	}
	k.stop = nil
	k.told = k.latest.Up
	d.pass(k.latest)
}

func (k *delayedLink) cancel() {
	if k.stop != nil {
		k.stop()
		k.stop = nil
		k.turn++
	}
}

// end stops the timers.
func (d *linkDelays) end() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, k := range d.links {
		k.cancel()
	}
}
