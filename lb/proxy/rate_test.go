package proxy

import (
	"testing"
	"time"

	"baton/internal/mono"
)

// With a limit of ten a burst of ten is let in, then, from a second after its first on,
// one every tenth of a second, as HAProxy 2.6 was seen to do.
func TestRateWait(t *testing.T) {
	var r rate
	now := mono.Time(0).Add(time.Hour + 123*time.Millisecond)
	start := now
	var at []time.Duration
	for len(at) < 25 {
		if wait := r.wait(10, now); wait > 0 {
			now = now.Add(wait)
			continue
		}
		r.add(now)
		at = append(at, now.Sub(start).Round(10*time.Millisecond))
	}
	for i, got := range at {
		want := time.Duration(0)
		if i >= 10 {
			want = time.Second + time.Duration(i-9)*100*time.Millisecond
		}
		if i >= 20 {
			want = 2*time.Second + time.Duration(i-19)*100*time.Millisecond
		}
		if diff := (got - want).Abs(); diff > 110*time.Millisecond {
			t.Errorf("event %d at %v, want about %v", i, got, want)
		}
	}
	if r.wait(0, now) != 0 {
		t.Error("there is no limit to wait for")
	}
}
