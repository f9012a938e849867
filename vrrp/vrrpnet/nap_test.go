package vrrpnet

import (
	"slices"
	"testing"
	"time"

	"baton/internal/mono"
	"baton/vrrp"
	"baton/vrrp/packet"

	"github.com/google/go-cmp/cmp"
)

// clocks are virtual: now stands still while the machine is suspended.
type clocks struct {
	mono  mono.Time
	boot  time.Duration
	delay time.Duration // between any two readings
}

func (c *clocks) pass(d time.Duration) { c.mono, c.boot = c.mono.Add(d), c.boot+d }

func (c *clocks) readMono() mono.Time { defer c.pass(c.delay); return c.mono }

func (c *clocks) readBoot() time.Duration { defer c.pass(c.delay); return c.boot }

func TestNapClock(t *testing.T) {
	c := &clocks{boot: time.Hour, delay: 20 * time.Millisecond} // suspended an hour before the start
	n := newNapClock(c.readBoot, c.readMono)
	var got []time.Duration
	for _, nap := range []time.Duration{0, 0, 5 * time.Second, 0, 50 * time.Millisecond, 0} {
		c.pass(time.Second)
		// Now and then the thread loses its processor between the clocks, for longer than
		// an advert interval.
		c.delay = 300*time.Millisecond - c.delay
		c.boot += nap
		got = append(got, n.nap().Round(time.Second))
		c.delay = 20 * time.Millisecond
	}
	if diff := cmp.Diff([]time.Duration{0, 0, 5 * time.Second, 0, 0, 0}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}

	c.delay = time.Microsecond
	for range 3 {
		if nap := n.nap(); nap != 0 {
			t.Errorf("napped for %v", nap)
		}
	}
	c.boot += 50 * time.Millisecond
	if nap := n.nap(); nap < 49*time.Millisecond || nap > 50*time.Millisecond {
		t.Errorf("napped for %v, want 50 ms", nap)
	}
}

// TestSuspended: a master whose machine was suspended takes its addresses off and
// sends nothing before it has listened.
func TestSuspended(t *testing.T) {
	ha, hb, _ := hosts(t)
	r := newRig(t, ha, config(150))
	c := &clocks{mono: mono.Now()}
	l := openLoop(r, c.mono)
	l.owner = r.owner
	l.naps = newNapClock(c.readBoot, c.readMono)
	m := r.s.roster.Load().members[0]
	l.step(m.group.Deadline(), m, vrrp.Event{Kind: vrrp.Timer})
	if s := r.status().State; s != vrrp.Master {
		t.Fatalf("state %v", s)
	}
	frames := hb.Capture("eth0", 0x0800)
	sent := r.status().Sent
	drain(r)

	c.boot += 10 * time.Second
	l.wake()
	if st := r.status(); st.State != vrrp.Backup || st.Why != vrrp.StalledAlone || st.Sent != sent {
		t.Errorf("after the nap: %+v", st)
	}
	if lines := drain(r); !slices.Contains(lines, "VI addresses up false") {
		t.Errorf("the owner was told %q", lines)
	}
	l.wake() // it has not napped again
	if d := m.group.Deadline().Sub(mono.Now()); d < 3*time.Second {
		t.Errorf("listens for %v only", d)
	}

	// The next thing that leaves is the advert of its next election.
	l.step(m.group.Deadline(), m, vrrp.Event{Kind: vrrp.Timer})
	frames.Next(func(f []byte) bool {
		_, payload, reason := packet.ParseIPv4(f[14:])
		return reason == packet.OK && payload[2] == 150
	})
	if got := r.status().Sent; got != sent+1 {
		t.Errorf("%d adverts since the nap, want 1", got-sent)
	}
}
