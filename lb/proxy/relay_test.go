package proxy

import (
	"testing"
	"time"

	"baton/internal/mono"
)

// Which limit holds while nothing moves: a side counts while something is expected
// of it, and the fin limits once the opposite side has closed.
func TestIdleDeadline(t *testing.T) {
	all := idle{client: 10 * time.Second, server: 20 * time.Second, clientFin: time.Second, serverFin: 2 * time.Second}
	plain := idle{client: all.client, server: all.server}
	tests := []struct {
		name             string
		limits           idle
		upDone, downDone bool
		want             time.Duration
		silent           relayEnd
	}{
		{"both open", all, false, false, 10 * time.Second, clientSilent},
		{"server closed", all, false, true, time.Second, clientSilent},
		{"client closed", all, true, false, 2 * time.Second, serverSilent},
		{"server closed, no fin limit", plain, false, true, 10 * time.Second, clientSilent},
		{"client closed, no fin limit", plain, true, false, 20 * time.Second, serverSilent},
	}
	for _, tt := range tests {
		up, down := flow{done: tt.upDone}, flow{done: tt.downDone}
		now := mono.Time(0).Add(time.Hour)
		got, silent := idleDeadline(now, now, now, &up, &down, tt.limits)
		if got.Sub(now) != tt.want || silent != tt.silent {
			t.Errorf("%s: %v for %d, want %v for %d", tt.name, got.Sub(now), silent, tt.want, tt.silent)
		}
	}
	// With option independent-streams a side lives by what it says alone.
	up, down := flow{}, flow{}
	if got, silent := idleDeadline(10, 3, 10, &up, &down, idle{client: 5, server: 5}); got != 8 || silent != clientSilent {
		t.Errorf("a client heard at 3: %v for %d", got, silent)
	}
	up.w = 1 // taken of the client, and the server does not take it
	if got, silent := idleDeadline(10, 3, 3, &up, &down, idle{client: 5, server: 5}); got != 15 || silent != serverSilent {
		t.Errorf("a server that takes nothing: %v for %d", got, silent)
	}
	if got, _ := idleDeadline(0, 0, 0, &flow{}, &flow{}, idle{}); got != mono.Never {
		t.Errorf("without limits: %v", got)
	}
}
