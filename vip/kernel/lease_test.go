package kernel

import (
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"baton/internal/mono"
	"baton/internal/nettest"
	"baton/vip"
)

// The holder is killed without a chance to clean up: the kernel itself takes its
// address away, and nobody else's, though it was the first of its subnet.
func TestLeaseEndsWithItsProcess(t *testing.T) {
	host := nettest.NewSwitch(t).Host("a")
	events := subscribeAddrs(t, host.NS)
	holder := startHolder(t, host.NS, "10.0.0.9/24")
	host.IP("addr", "add", "10.0.0.5/24", "dev", "eth0")

	for range 8 { // longer than one lease
		events.await("10.0.0.9/24", true)
	}
	expectAddrs(t, host.NS, "10.0.0.9/24 ours leased", "10.0.0.5/24 secondary")

	killed := time.Now()
	if err := holder.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if got := addrs(t, host.NS)[0]; got != "10.0.0.9/24 ours leased" { // leased: at most 3 s are left
		t.Errorf("after the kill: %s", got)
	}
	events.await("10.0.0.9/24", false)
	t.Logf("the kernel took the address %v after the kill", time.Since(killed).Round(time.Millisecond))
	expectAddrs(t, host.NS, "10.0.0.5/24")
}

// A process that stands still loses the address as well, and when it goes on it
// puts the address back and announces it.
func TestLeaseEndsWhileStopped(t *testing.T) {
	sw := nettest.NewSwitch(t)
	host, peer := sw.Host("a", "10.0.0.1/24"), sw.Host("b", "10.0.0.2/24")
	events := subscribeAddrs(t, host.NS)
	holder := startHolder(t, host.NS, "10.0.0.9/24")
	events.await("10.0.0.9/24", true)

	if err := holder.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	events.await("10.0.0.9/24", false)
	seen := peer.Capture("eth0", 0x0806)
	if err := holder.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	events.await("10.0.0.9/24", true)
	seen.Next(isGratuitous("10.0.0.9"))
}

func TestOrphansAndRelease(t *testing.T) {
	host := nettest.NewSwitch(t).Host("a", "10.0.0.1/24")
	want := []string{"10.0.0.8/32", "10.0.0.9/24"}
	clean := map[string]func() ([]string, error){
		"orphans": newHarness(t, host.NS, instance("VI_other", "10.0.0.77/24")).RemoveOrphans,
		"release": Release,
	}
	for name, f := range clean {
		holder := startHolder(t, host.NS, "10.0.0.9/24", "10.0.0.8/32")
		if err := holder.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = holder.Wait()
		for _, want := range [][]string{want, nil} { // the second time nothing is there
			var removed []string
			var err error
			host.Do(func() { removed, err = f() })
			if err != nil || !slices.Equal(removed, want) {
				t.Errorf("%s removed %v, %v; want %v", name, removed, err, want)
			}
		}
		expectAddrs(t, host.NS, "10.0.0.1/24")
	}
}

// Renewals are silent: the kernel reports each as an address again, but nothing
// is deleted, no second address appears, and Watch does not react to them.
func TestRenewalsAreSilent(t *testing.T) {
	host := nettest.NewSwitch(t).Host("a", "10.0.0.1/24")
	h := newHarness(t, host.NS, instance("VI_1", "10.0.0.9/24"))
	links := h.watch()
	awaitLink(t, links, func(l Link) bool { return l.Up })
	h.mustSet("VI_1", true)
	events := subscribeAddrs(t, host.NS)
	const n = 3 // before the first question who else has the address
	now := mono.Now()
	for i := range n {
		now = now.Add(vip.LeaseRenew)
		h.tick(now)
		if d := h.Deadline(); d != now.Add(vip.LeaseRenew) {
			t.Errorf("renewal %d: deadline %v, want one renewal after %v", i, d, now)
		}
	}
	host.IP("addr", "add", "10.9.9.9/24", "dev", "eth0") // the marker behind the renewals
	for i := 0; ; i++ {
		u := <-events.ch
		if u.LinkAddress.String() == "10.9.9.9/24" {
			if i != n {
				t.Errorf("%d events for %d renewals", i, n)
			}
			break
		}
		if !u.NewAddr || u.LinkAddress.String() != "10.0.0.9/24" {
			t.Errorf("event %+v during renewals", u)
		}
	}
	host.IP("link", "set", "eth0", "down")
	// The first thing that Watch tells is that, so it has told nothing about the
	// renewals.
	if l := <-links; l.Up {
		t.Errorf("Watch told %+v", l)
	}
	expectNotLogged(t, h, "vanished")
}

func expectNotLogged(t *testing.T, h *harness, s string) {
	t.Helper()
	if l := h.log.String(); strings.Contains(l, s) {
		t.Errorf("the log says:\n%s", l)
	}
}
