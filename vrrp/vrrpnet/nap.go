package vrrpnet

import (
	"time"

	"baton/internal/mono"
	"baton/internal/sys"
	"baton/vrrp"
)

// leastNap is the shortest suspension that is worth a word: below it is what the two
// clocks may be adjusted by.
const leastNap = time.Millisecond

// napClock finds out whether the machine was suspended. The monotonic clock, in which
// every deadline is, stands still then: for this node no time has passed, for the other
// one enough to become master.
type napClock struct {
	boot func() time.Duration // CLOCK_BOOTTIME
	now  func() mono.Time

	// ahead is by how much boot is ahead of now, or a little more: the two cannot be read
	// at the same moment.
	ahead time.Duration
}

func newNapClock(boot func() time.Duration, now func() mono.Time) napClock {
	t := now()
	return napClock{boot: boot, now: now, ahead: boot() - time.Duration(t)}
}

// nap returns how long the machine was suspended since the last call; 0 if it was not.
// That this thread lost its processor between two clocks never looks like it.
func (c *napClock) nap() time.Duration {
	before := c.now()
	boot := c.boot()
	after := c.now()
	nap := boot - time.Duration(after) - c.ahead
	most := boot - time.Duration(before)
	if nap < leastNap {
		c.ahead = min(c.ahead, most)
		return 0
	}
	c.ahead = most
	return nap
}

// wake tells all instances of a suspension, before anything that has been waiting is
// read or sent.
func (l *loop) wake() {
	nap := l.naps.nap()
	if nap == 0 {
		return
	}
	l.s.queue.put(Event{Kind: Suspended, Time: mono.Now(), Asleep: nap})
	for _, t := range l.r.teams {
		l.step(mono.Now(), t.members[0], vrrp.Event{Kind: vrrp.Slept, Asleep: nap})
	}
}

// openTicker has the thread wake up together with the machine, and not when the rest
// of its wait is over.
func (l *loop) openTicker() error {
	var err error
	l.tick, err = sys.NewTicker(maxWait)
	return err
}
