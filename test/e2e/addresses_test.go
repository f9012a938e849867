package e2e

import (
	"sync"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"

	"baton/internal/nettest"
)

// addresses follows what a namespace's kernel says about its addresses.
type addresses struct {
	t    *testing.T
	host string

	mu      sync.Mutex
	held    map[string]bool // "10.0.0.1"
	moves   int             // how often an address came or went
	changed chan struct{}   // closed and replaced at each change
}

func watchAddresses(t *testing.T, h *nettest.Host) *addresses {
	t.Helper()
	a := &addresses{t: t, host: h.Name, held: make(map[string]bool), changed: make(chan struct{})}
	ns, err := netns.GetFromName(h.Name)
	if err != nil {
		t.Fatal(err)
	}
	updates, done := make(chan netlink.AddrUpdate, 64), make(chan struct{})
	t.Cleanup(func() { close(done); _ = ns.Close() })
	err = netlink.AddrSubscribeWithOptions(updates, done, netlink.AddrSubscribeOptions{Namespace: &ns, ListExisting: true})
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for u := range updates {
			a.mu.Lock()
			if ip := u.LinkAddress.IP.String(); a.held[ip] != u.NewAddr {
				a.held[ip] = u.NewAddr
				a.moves++
				close(a.changed)
				a.changed = make(chan struct{})
			}
			a.mu.Unlock()
		}
	}()
	return a
}

// count is how often an address came or went.
func (a *addresses) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.moves
}

func (a *addresses) holds(ip string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.held[ip]
}

// await waits until the kernel has (or has no longer) the address, and returns
// how long that took.
func (a *addresses) await(ip string, want bool) time.Duration {
	a.t.Helper()
	began := time.Now()
	timeout := time.After(patience)
	for {
		a.mu.Lock()
		is, changed := a.held[ip], a.changed
		a.mu.Unlock()
		if is == want {
			return time.Since(began)
		}
		select {
		case <-changed:
		case <-timeout:
			a.t.Fatalf("%s: address %s: held=%v after %v, want %v", a.host, ip, is, patience, want)
		}
	}
}

// onlyOn checks by both kernels that exactly one node has the address.
func onlyOn(t *testing.T, ip string, owner *node, others ...*node) {
	t.Helper()
	owner.addresses.await(ip, true)
	for _, o := range others {
		o.addresses.await(ip, false)
	}
	if !owner.addresses.holds(ip) {
		t.Errorf("%s lost %s again", owner.Name, ip)
	}
}
