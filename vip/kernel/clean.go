package kernel

import (
	"errors"
	"fmt"
	"syscall"

	"baton/internal/sys"

	"github.com/vishvananda/netlink"
)

// RemoveOrphans removes what a dead baton left in this network namespace, addresses,
// routes, rules and interfaces, and returns it as text. It must run before the first Set, with the
// certainty that no other baton lives here.
func (m *Manager) RemoveOrphans() ([]string, error) { return removeMarked(m.nl) }

// Release removes all that is ours from this network namespace: what `baton release`
// does after the daemon has died. Nothing there is no error. A living daemon would put
// it back.
func Release() ([]string, error) {
	h, err := open()
	if err != nil {
		return nil, err
	}
	defer h.Close()
	return removeMarked(h)
}

// removeMarked goes on after an error; the list says what is gone.
func removeMarked(h *netlink.Handle) (removed []string, err error) {
	var errs []error
	for _, remove := range []func(*netlink.Handle) ([]string, error){removeRules, removeRoutes, removeAddresses, removeVMACs, removeGuard} {
		list, err := remove(h)
		removed = append(removed, list...)
		errs = append(errs, err)
	}
	return removed, errors.Join(errs...)
}

func removeRules(h *netlink.Handle) (removed []string, err error) {
	rules, err := listRules()
	if err != nil {
		return nil, err
	}
	var errs []error
	for _, r := range rules {
		if err := deleteRule(h, r); err != nil {
			errs = append(errs, err)
			continue
		}
		removed = append(removed, "rule "+r.String())
	}
	return removed, errors.Join(errs...)
}

func removeRoutes(h *netlink.Handle) (removed []string, err error) {
	routes, err := routesOfOurs(h)
	if err != nil {
		return nil, err
	}
	var errs []error
	for i := range routes {
		about := "route " + translateRoute(&routes[i]).String()
		if err := h.RouteDel(&routes[i]); err != nil && !errors.Is(err, syscall.ESRCH) {
			errs = append(errs, fmt.Errorf("remove %s: %w", about, explain(err)))
			continue
		}
		removed = append(removed, about)
	}
	return removed, errors.Join(errs...)
}

func removeAddresses(h *netlink.Handle) (removed []string, err error) {
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
		removed = append(removed, prefixOf(a).String())
	}
	return removed, errors.Join(errs...)
}

// End takes off what stood from the start, at the orderly end of the process: static
// addresses, routes and rules, and the interfaces of use_vmac. It must not run beside
// the VRRP thread.
func (m *Manager) End() error {
	_, err := removeMarked(m.nl)
	errs := []error{err}
	for _, c := range m.changed {
		if err := setInetConf(c.index, c.number, c.value); err != nil && !errors.Is(err, syscall.ENODEV) {
			errs = append(errs, fmt.Errorf("set sysctls of interface %d back: %w", c.index, err))
		}
	}
	return errors.Join(errs...)
}
