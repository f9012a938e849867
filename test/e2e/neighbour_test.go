package e2e

import (
	"sync"
	"testing"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"

	"baton/internal/nettest"
)

// watchNeighbour collects every hardware address that a host learns for an IP
// address from now on. The function returned says which.
func watchNeighbour(t *testing.T, h *nettest.Host, ip string) func() []string {
	t.Helper()
	ns, err := netns.GetFromName(h.Name)
	if err != nil {
		t.Fatal(err)
	}
	updates, done := make(chan netlink.NeighUpdate, 256), make(chan struct{})
	t.Cleanup(func() { close(done); _ = ns.Close() })
	if err := netlink.NeighSubscribeWithOptions(updates, done, netlink.NeighSubscribeOptions{Namespace: &ns}); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var seen []string
	go func() {
		for u := range updates {
			if hw := u.HardwareAddr.String(); u.IP.String() == ip && hw != "" {
				mu.Lock()
				seen = append(seen, hw)
				mu.Unlock()
			}
		}
	}()
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		return seen
	}
}
