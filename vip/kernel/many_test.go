package kernel

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"baton/internal/mono"
	"baton/internal/nettest"
	"baton/vip"
)

// Many instances that come one right after the other, as when their master dies: each
// does its own work only, and the list of addresses that they share is right. `go test
// -v` shows how long it took.
func TestManyInstances(t *testing.T) {
	host := nettest.NewSwitch(t).Host("a", "10.0.0.1/16")
	host.IP("addr", "add", "10.0.1.50/32", "dev", "eth0")
	const n = 200
	var cfgs []vip.Config
	for i := range n {
		cfgs = append(cfgs, instance(fmt.Sprintf("VI_%d", i), fmt.Sprintf("10.0.1.%d/32", i)))
	}
	h := newHarness(t, host.NS, cfgs...)
	set := func(up bool) {
		t.Helper()
		began := mono.Now()
		host.Do(func() {
			for i, c := range cfgs {
				err := h.Set(c.Instance, up, mono.Now(), nil)
				foreign := err != nil && strings.Contains(err.Error(), "was not put there by baton")
				if up && i == 50 && !foreign || i != 50 && err != nil {
					t.Errorf("Set(%s, %t): %v", c.Instance, up, err)
				}
			}
		})
		t.Logf("up %t: %v", up, mono.Now().Sub(began))
	}
	set(true)
	for i, s := range h.Status() {
		if s.Held != (i != 50) {
			t.Errorf("%s: held %t, %s", s.Instance, s.Held, s.Error)
		}
	}
	if got := len(addrs(t, host.NS)); got != n+1 {
		t.Errorf("eth0 has %d addresses", got)
	}
	began := mono.Now()
	for h.Deadline() == 0 { // the address that failed may have begun a round meanwhile
		h.tick(mono.Now())
	}
	due := mono.Now().Add(vip.LeaseRenew)
	pieces := 0
	for h.tick(due); h.Deadline() == 0; h.tick(due) {
		pieces++
	}
	t.Logf("renewed in %d pieces after the first in %v", pieces, mono.Now().Sub(began))
	if pieces != (n-1)/renewBatch {
		t.Errorf("%d pieces follow the first", pieces)
	}
	for i, s := range h.Status() {
		if i != 50 && s.Renewed != due {
			t.Errorf("%s was renewed at %v, want %v", s.Instance, s.Renewed, due)
		}
	}
	set(false)
	expectAddrs(t, host.NS, "10.0.0.1/16", "10.0.1.50/32")
}

// A burst for many addresses leaves in pieces, each address once before any of them
// twice, and what is held no longer is not announced any more.
func TestBurstInPieces(t *testing.T) {
	sw := nettest.NewSwitch(t)
	host, peer := sw.Host("a", "10.0.0.1/16"), sw.Host("b", "10.0.0.2/16")
	const n = 70
	c := instance("VI_1")
	for i := range n {
		c.Addresses = append(c.Addresses, vip.Address{Prefix: netip.MustParsePrefix(fmt.Sprintf("10.0.1.%d/32", i))})
	}
	c.Announce = vip.Schedule{Repeat: 2, RefreshRepeat: 1}
	h := newHarness(t, host.NS, c)
	seen := peer.Capture("eth0", 0x0806)
	h.mustSet("VI_1", true)
	host.Do(func() { // again, with pauses: nothing changes
		for _, up := range []bool{true, false, true} {
			pauses := 0
			if err := h.Set("VI_1", up, mono.Now(), func() { pauses++ }); err != nil || pauses != n/setBatch {
				t.Errorf("Set(%t): %v, with %d pauses", up, err, pauses)
			}
		}
	})
	now := mono.Now()
	h.announce("VI_1", now)
	if got := h.Status()[0].Announced; got != sendBatch || h.Deadline() != 0 {
		t.Errorf("sent %d frames at once, next deadline %v", got, h.Deadline())
	}
	h.tick(now)
	if got := h.Status()[0].Announced; got != 2*sendBatch || h.Deadline() != 0 {
		t.Errorf("sent %d frames in two pieces, next deadline %v", got, h.Deadline())
	}
	for i := range 2 * sendBatch {
		if f := seen.Next(notProbe); f[31] != byte(i%n) {
			t.Fatalf("frame %d is for 10.0.1.%d", i, f[31])
		}
	}
	h.mustSet("VI_1", false)
	h.tick(now)
	if got := h.Status()[0].Announced; got != 2*sendBatch || h.Deadline() != mono.Never {
		t.Errorf("sent %d frames, next deadline %v, after the addresses went", got, h.Deadline())
	}
}
