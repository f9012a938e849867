package wheel

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"baton/internal/mono"
)

type probe struct {
	t     Timer
	fired []mono.Time
	then  func()
}

func (p *probe) Expired(now mono.Time) {
	p.fired = append(p.fired, now)
	if p.then != nil {
		p.then()
	}
}

// drive advances the wheel the way a loop does: from Next to Next.
func drive(w *Wheel, until mono.Time) {
	for {
		n := w.Next()
		if n == mono.Never || n > until {
			w.Advance(until)
			return
		}
		w.Advance(n)
	}
}

func TestExpiresOnTimeAndOnce(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		start := mono.Time(rng.Int64N(int64(40 * time.Hour)))
		w := New(start)
		var ps []*probe
		var want []mono.Time
		for range 50 {
			p := &probe{}
			p.t.Owner = p
			d := time.Duration(rng.Int64N(int64(1) << (10 + rng.IntN(38))))
			at := start.Add(d)
			w.Set(&p.t, at)
			ps, want = append(ps, p), append(want, at)
		}
		last := slices.Max(want).Add(2 * time.Millisecond)
		drive(w, last)
		for i, p := range ps {
			if len(p.fired) != 1 {
				t.Fatalf("timer for %v fired %d times", want[i], len(p.fired))
			}
			if late := p.fired[0].Sub(want[i]); late < 0 || late > 2*time.Millisecond {
				t.Fatalf("timer fired %v after its time", late)
			}
		}
	}
}

func TestCoarseAdvanceFiresAllDue(t *testing.T) {
	w := New(0)
	var ps []*probe
	for i := range 500 {
		p := &probe{}
		p.t.Owner = p
		w.Set(&p.t, mono.Time(i)*mono.Time(37*time.Millisecond))
		ps = append(ps, p)
	}
	w.Advance(mono.Time(time.Hour))
	for i, p := range ps {
		if len(p.fired) != 1 {
			t.Fatalf("timer %d fired %d times", i, len(p.fired))
		}
	}
	if w.Next() != mono.Never {
		t.Fatal("an empty wheel wants to be called")
	}
}

func TestStopAndRearmFromWithin(t *testing.T) {
	w := New(0)
	a, b := &probe{}, &probe{}
	a.t.Owner, b.t.Owner = a, b
	at := mono.Time(5 * time.Millisecond)
	w.Set(&a.t, at)
	w.Set(&b.t, at)
	a.then = func() {
		w.Stop(&b.t)                            // sits in the slot that is being drained
		w.Set(&a.t, at.Add(3*time.Millisecond)) // again, later
		a.then = nil
	}
	drive(w, mono.Time(time.Second))
	if len(a.fired) != 2 || len(b.fired) != 0 {
		t.Fatalf("a fired %d times, b %d; want 2 and 0", len(a.fired), len(b.fired))
	}
	if a.t.Armed() || b.t.Armed() {
		t.Fatal("a timer is still armed")
	}
}

func TestSetAllocatesNothing(t *testing.T) {
	w := New(0)
	p := &probe{}
	p.t.Owner = p
	now := mono.Time(0)
	if n := testing.AllocsPerRun(1000, func() {
		now = now.Add(700 * time.Microsecond)
		w.Set(&p.t, now.Add(3*time.Millisecond))
		w.Advance(now.Add(5 * time.Millisecond))
		p.fired = p.fired[:0]
		w.Set(&p.t, now.Add(50*time.Second))
		w.Advance(now)
	}); n != 0 {
		t.Fatalf("%v allocations", n)
	}
}

func BenchmarkSet(b *testing.B) {
	w := New(0)
	p := &probe{}
	p.t.Owner = p
	for i := range b.N {
		w.Set(&p.t, mono.Time(i)*1000+mono.Time(50*time.Second))
	}
}
