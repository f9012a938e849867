package vip

import (
	"net/netip"
	"testing"
	"time"

	"baton/internal/mono"
)

// The thread that has just sent an advert is awake a little before a renewal's
// deadline. It renews then, so that the lease keeps step with the adverts and a dead
// node's kernel does not let go later than the other node counts from the last advert.
func TestRenewalKeepsStepWithWhoIsAwake(t *testing.T) {
	a := Address{Prefix: netip.MustParsePrefix("10.0.0.9/24"), Interface: "eth0"}
	k := NewKeeper([]Config{{Instance: "VI_1", Interface: "eth0", Addresses: []Address{a}}})
	k.Step(0, Event{Kind: Up, Instance: "VI_1"}, nil)
	k.Step(0, Event{Kind: Added, Address: a}, nil)

	advert := mono.Time(0)
	for range 4 { // before the first question who else has the address
		tooEarly := advert.Add(800 * time.Millisecond)
		if k.Due(tooEarly) || len(k.Step(tooEarly, Event{Kind: Timer}, nil)) != 0 {
			t.Fatalf("renews at %v already", tooEarly)
		}
		advert = advert.Add(time.Second)
		if !k.Due(advert) {
			t.Fatalf("does not renew with the advert at %v, deadline %v", advert, k.Deadline())
		}
		if out := k.Step(advert, Event{Kind: Timer}, nil); len(out) != 1 || out[0].Kind != Sync {
			t.Fatalf("with the advert at %v: %v", advert, out)
		}
		k.Step(advert, Event{Kind: Renewed, Address: a}, nil)
		if want := min(advert.Add(LeaseRenew), mono.Time(AskAfter)); k.Deadline() != want {
			t.Fatalf("deadline %v, want %v", k.Deadline(), want)
		}
	}
}
