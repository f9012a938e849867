package kernel

import (
	"fmt"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"

	"baton/internal/mono"
	"baton/internal/nettest"
	"baton/internal/sys"
	"baton/vip"
)

// A renewal gives each kind of address a new lease and changes nothing else of it.
func TestRenewalLeavesAddressesAlone(t *testing.T) {
	host := nettest.NewSwitch(t).Host("a", "10.0.0.1/24")
	at := func(prefix string) vip.Address { return vip.Address{Prefix: netip.MustParsePrefix(prefix)} }
	labelled, broadcast, peer, scoped := at("10.0.0.8/24"), at("10.0.1.9/24"), at("10.0.2.1/32"), at("10.0.3.1/32")
	labelled.Label = "eth0:vip"
	broadcast.Broadcast = netip.MustParseAddr("10.0.1.255")
	peer.Peer = netip.MustParseAddr("10.0.2.2")
	scoped.Scope = sys.ScopeLink
	c := instance("VI_1")
	c.Addresses = []vip.Address{labelled, broadcast, peer, scoped, at("fd00::9/64"), at("fd00::a/128"), at("fe80::9/64")}
	h := newHarness(t, host.NS, c)
	h.mustSet("VI_1", true)
	shown := func() string {
		var lines []string
		for line := range strings.Lines(host.IP("address", "show", "dev", "eth0")) {
			if !strings.Contains(line, "valid_lft") {
				lines = append(lines, line)
			}
		}
		return strings.Join(lines, "")
	}
	before := shown()
	now := mono.Now().Add(vip.LeaseRenew)
	h.tick(now)
	if after := shown(); after != before {
		t.Errorf("after a renewal:\n%s\nbefore:\n%s", after, before)
	}
	if s := h.Status()[0]; !s.Held || s.Renewed != now || s.Error != "" {
		t.Errorf("status %+v", s)
	}
}

// An address that cannot be renewed keeps none of those from it that travel with it.
func TestOneOfManyCannotBeRenewed(t *testing.T) {
	host := nettest.NewSwitch(t).Host("a", "10.0.0.1/24", "fd00::1/64")
	list := []string{"10.0.0.7/32", "fd00::8/128", "10.0.0.9/32"}
	h := newHarness(t, host.NS, instance("VI_1", list[0]), instance("VI_2", list[1]), instance("VI_3", list[2]))
	for _, s := range h.Status() {
		h.mustSet(s.Instance, true)
	}
	now := mono.Now().Add(vip.LeaseRenew)
	var errs [renewBatch]error
	host.Do(func() {
		c := instance("VI_2", list[1])
		c.Addresses[0].Interface = "lo" // stands for an interface that has just gone
		h.links["lo"] = 4711
		errs = h.replace([]vip.Address{h.cfgs[0].Addresses[0], c.Addresses[0], h.cfgs[2].Addresses[0]})
	})
	if errs[0] != nil || errs[1] == nil || errs[2] != nil {
		t.Errorf("errors %v", errs[:3])
	}
	if want := "renew fd00::8/128 on lo: no such device"; errs[1] == nil || errs[1].Error() != want {
		t.Errorf("error %v, want %s", errs[1], want)
	}
	h.tick(now)
	for _, s := range h.Status() {
		if s.Renewed != now {
			t.Errorf("%s was renewed at %v, want %v", s.Instance, s.Renewed, now)
		}
	}
}

// TestListIsReadAgain: renewals go by the list that was read, until somebody else changes
// something, a renewal comes too late, or the list is old.
func TestListIsReadAgain(t *testing.T) {
	host := nettest.NewSwitch(t).Host("a", "10.0.0.1/24")
	h := newHarness(t, host.NS, instance("VI_1", "10.0.0.9/24"))
	links := h.watch()
	awaitLink(t, links, func(l Link) bool { return l.Up })
	h.mustSet("VI_1", true)
	now := mono.Now()
	tick := func(after time.Duration) (read bool) {
		t.Helper()
		now = now.Add(after)
		before := h.listedAt
		h.tick(now)
		return h.listedAt != before
	}
	tick(vip.LeaseRenew)
	for range 2 {
		if tick(vip.LeaseRenew) {
			t.Error("read again though nothing has changed")
		}
	}
	if !tick(vip.LeaseValid) {
		t.Error("not read after a standstill")
	}
	if h.listedAt -= mono.Time(listHolds); !tick(vip.LeaseRenew) {
		t.Error("not read though it is old")
	}
	for _, change := range [][]string{
		{"addr", "change", "10.0.0.9/24", "dev", "eth0", "valid_lft", "forever", "preferred_lft", "forever"},
		{"addr", "add", "10.0.0.9/32", "dev", "eth0"},
	} {
		host.IP(change...)
		awaitStale(t, h)
		if !tick(vip.LeaseRenew) {
			t.Errorf("not read after %q", change)
		}
		if s := h.Status()[0]; !strings.Contains(s.Error, "was not put there by baton") {
			t.Errorf("%q: status %+v", change, s)
		}
		host.IP("addr", "del", change[2], "dev", "eth0")
		h.mustSet("VI_1", false)
		h.mustSet("VI_1", true)
		tick(vip.LeaseRenew)
	}
}

// longRound is a Manager in the middle of a round of renewals: one more address than a
// piece has is still to be renewed, 10.0.0.9 of VI_2.
func longRound(t *testing.T, host *nettest.Host) (h *harness, round mono.Time) {
	t.Helper()
	var first []string
	for i := range renewBatch {
		first = append(first, fmt.Sprintf("10.0.1.%d/32", i))
	}
	h = newHarness(t, host.NS, instance("VI_1", first...), instance("VI_2", "10.0.0.9/24"))
	links := h.watch()
	awaitLink(t, links, func(l Link) bool { return l.Up })
	h.mustSet("VI_1", true)
	h.mustSet("VI_2", true)
	for h.Deadline() == 0 {
		h.tick(mono.Now())
	}
	round = mono.Now().Add(vip.LeaseRenew)
	h.tick(round)
	if d := h.Deadline(); d != 0 {
		t.Fatalf("nothing is left to renew, deadline %v", d)
	}
	return h, round
}

// awaitStale waits until Watch has seen that something changed.
func awaitStale(t *testing.T, h *harness) {
	t.Helper()
	for end := time.Now().Add(patienceInTests); !h.stale.Load(); runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatal("Watch has seen no change")
		}
	}
}

// Whoever takes an address for himself in the middle of a round keeps it.
func TestAddressTakenWithinRound(t *testing.T) {
	host := nettest.NewSwitch(t).Host("a", "10.0.0.1/24")
	h, round := longRound(t, host)
	host.IP("addr", "change", "10.0.0.9/24", "dev", "eth0", "valid_lft", "forever", "preferred_lft", "forever")
	awaitStale(t, h)
	h.tick(round)
	if got := host.IP("addr", "show", "to", "10.0.0.9"); !strings.Contains(got, "valid_lft forever") {
		t.Errorf("leased again:\n%s", got)
	}
	if s := h.Status()[1]; !strings.Contains(s.Error, "was not put there by baton") {
		t.Errorf("status %+v", s)
	}
}

// Nor does what was refused since the round began belong to it.
func TestAddressRefusedWithinRound(t *testing.T) {
	host := nettest.NewSwitch(t).Host("a", "10.0.0.1/24")
	h, _ := longRound(t, host)
	h.mustSet("VI_2", false)
	host.IP("addr", "add", "10.0.0.9/24", "dev", "eth0")
	if err := h.set("VI_2", true); err == nil {
		t.Fatal("took an address that is somebody else's")
	}
	h.stale.Store(false) // as if Watch was late
	h.tick(mono.Now())   // before it is tried again
	if got := host.IP("addr", "show", "to", "10.0.0.9"); !strings.Contains(got, "valid_lft forever") {
		t.Errorf("leased:\n%s", got)
	}
}

// What changed while nobody listened is found with the new subscription.
func TestSubscriptionBeginsWithDoubt(t *testing.T) {
	host := nettest.NewSwitch(t).Host("a", "10.0.0.1/24")
	h := newHarness(t, host.NS, instance("VI_1", "10.0.0.9/24"))
	h.mustSet("VI_1", true)
	for i := range 2 {
		before := h.listedAt
		if h.tick(mono.Now().Add(time.Duration(i+1) * vip.LeaseRenew)); h.listedAt == before {
			t.Error("goes by a list that nobody watches over")
		}
	}
	host.IP("addr", "change", "10.0.0.9/24", "dev", "eth0", "valid_lft", "forever", "preferred_lft", "forever")
	links := h.watch()
	awaitLink(t, links, func(l Link) bool { return l.Up })
	if !h.stale.Load() {
		t.Error("renewals go on by a list from before")
	}
}
