package kernel

import (
	"errors"
	"fmt"
	"net/netip"
	"syscall"

	"baton/internal/sys"

	"github.com/vishvananda/netlink"
)

// RemoveOrphans removes the addresses that a dead baton left on any interface
// and returns them. It must run before the first Set, with the certainty that no
// other baton lives in this network namespace.
func (m *Manager) RemoveOrphans() ([]netip.Prefix, error) { return removeMarked(m.nl) }

// Release removes all addresses of ours from all interfaces of this network
// namespace: what `baton release` does after the daemon has died. Nothing there
// is no error. A living daemon would put its addresses back.
func Release() ([]netip.Prefix, error) {
	h, err := open()
	if err != nil {
		return nil, err
	}
	defer h.Close()
	return removeMarked(h)
}

// removeMarked goes on after an error; the list says what is gone.
func removeMarked(h *netlink.Handle) (removed []netip.Prefix, err error) {
	addrs, err := h.AddrList(nil, netlink.FAMILY_ALL)
	if err != nil {
		return nil, fmt.Errorf("list addresses: %w", err)
	}
	var errs []error
	for i := range addrs {
		a := &addrs[i]
		if !ours(a) {
			continue
		}
		name := fmt.Sprintf("interface %d", a.LinkIndex)
		if link, err := h.LinkByIndex(a.LinkIndex); err == nil {
			name = link.Attrs().Name
		}
		if ones, bits := a.Mask.Size(); bits == 32 && ones < bits && a.Flags&sys.AddrSecondary == 0 {
			if _, err := promoteSecondaries(name, a.LinkIndex); err != nil {
				errs = append(errs, err)
			}
		}
		if err := h.AddrDel(nil, a); err != nil {
			if !errors.Is(err, syscall.EADDRNOTAVAIL) && !errors.Is(err, syscall.ENODEV) {
				errs = append(errs, fmt.Errorf("remove %s from %s: %w", prefixOf(a), name, explain(err)))
			}
			continue
		}
		removed = append(removed, prefixOf(a))
	}
	return removed, errors.Join(errs...)
}
