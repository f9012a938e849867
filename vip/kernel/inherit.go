package kernel

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"syscall"

	"baton/internal/mono"
	"baton/vip"
)

// Succeed prepares the Manager to take over from one of an older configuration. It
// must run before Watch and Inherit.
func (m *Manager) Succeed(old *Manager) {
	// What the old one has put there and this one does not know has to be found.
	m.routing.used = m.routing.used || old.routing.used
	m.routing.rules = m.routing.rules || old.routing.rules
}

// Reguard is Guard for one that takes over from another: what that one has put there
// and nobody wants any more goes.
func (m *Manager) Reguard(old *Manager) error {
	if m.guards() || !old.guards() {
		return m.Guard()
	}
	_, err := removeGuard(m.nl)
	return err
}

func (m *Manager) guards() bool {
	return slices.ContainsFunc(m.cfgs, func(c vip.Config) bool { return c.NoAccept && len(c.Addresses) > 0 })
}

// Inherit goes on where the Manager of an older configuration was, and brings the
// kernel in line with the new one: what stays is not touched. was names the instances
// that there were by what they are called now. It runs on the VRRP thread, which has
// no more to do with the old one then; that one keeps its sockets until Close.
func (m *Manager) Inherit(now mono.Time, old *Manager, was map[string]string) {
	m.keeper.Inherit(now, old.keeper, was)
	m.changed = append(old.changed, m.changed...)
	for name, before := range was {
		i, ok := m.byName[name]
		if j, was := old.byName[before]; ok && was {
			m.sent[i].Store(old.sent[j].Load())
		}
	}
	maps.Copy(m.failed, old.failed)
	m.outbox = append(m.outbox, old.outbox...)
	m.routing.lost.Store(true)
	m.Tick(now)
	for _, a := range m.keeper.Left(old.keeper) {
		m.complain(about(a), m.apply(vip.Step{Op: vip.Remove, Address: a}))
	}
	m.dropVMACs(old)
}

// dropVMACs removes the interfaces of use_vmac that the configuration does not have
// any more.
func (m *Manager) dropVMACs(old *Manager) {
	kept := make(map[string]bool)
	for _, c := range m.cfgs {
		for v := range c.VMACs() {
			kept[v.Name] = true
		}
	}
	for _, c := range old.cfgs {
		for v := range c.VMACs() {
			if !kept[v.Name] {
				m.complain("interface "+v.Name, m.dropVMAC(v.Name))
			}
		}
	}
}

func (m *Manager) dropVMAC(name string) error {
	link, err := m.nl.LinkByName(name)
	if err != nil {
		if err = linkError(name, err); errors.Is(err, errNoInterface) {
			return nil
		}
		return err
	}
	if link.Attrs().Alias != vmacAlias {
		return nil // somebody else's by now
	}
	if err := m.nl.LinkDel(link); err != nil && !errors.Is(err, syscall.ENODEV) {
		return fmt.Errorf("remove interface %s: %w", name, explain(err))
	}
	return nil
}
