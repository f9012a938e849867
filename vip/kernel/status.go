package kernel

import (
	"time"

	"baton/internal/mono"
	"baton/vip"
)

// Status is what one instance holds.
type Status struct {
	Instance  string
	Held      bool      // all its addresses are there
	Since     mono.Time // when Held: since when
	Renewed   mono.Time // when Held: the oldest last renewal of its addresses
	Addresses []AddressStatus
	Announced uint64 // announcements sent, two frames of garp_form both counting as one
	Error     string // of the last attempt; "" when all is well
}

// AddressStatus is one address of an instance.
type AddressStatus struct {
	vip.Address
	Wanted bool // the instance is master
	vip.Lease
	Error    string
	Stranger string // hardware address of another host that answers for it, when last asked; "" if none
}

// Remaining is how long the kernel leaves the addresses there without a renewal.
func (s Status) Remaining(now mono.Time) time.Duration {
	return vip.Lease{Held: s.Held, Renewed: s.Renewed}.Remaining(now)
}

// Status returns a snapshot of every instance, in the order of the
// configuration. It may be called from any goroutine; the caller must not change
// the addresses.
func (m *Manager) Status() []Status {
	list := make([]Status, len(m.status))
	for i := range m.status {
		list[i] = *m.status[i].Load()
		list[i].Announced = m.sent[i].Load()
	}
	return list
}

// publish takes the snapshot of an instance.
func (m *Manager) publish(instance string) {
	if i, ok := m.byName[instance]; ok {
		m.status[i].Store(m.snapshot(&m.keeper.Holdings()[i]))
	}
}

func (m *Manager) publishAll() {
	for i := range m.keeper.Holdings() {
		m.status[i].Store(m.snapshot(&m.keeper.Holdings()[i]))
	}
}

func (m *Manager) snapshot(h *vip.Holding) *Status {
	s := Status{
		Instance: h.Config.Instance,
		Held:     len(h.Leases) > 0, Addresses: make([]AddressStatus, 0, len(h.Leases)),
	}
	for j, l := range h.Leases {
		a := AddressStatus{Address: h.Config.Addresses[j], Wanted: h.Wanted, Lease: l}
		if h.Wanted {
			a.Stranger = m.asker.stranger(a.Address)
		} else {
			m.asker.forget(a.Address)
		}
		if err := m.errs[keyOf(a.Address)]; err != nil {
			a.Error = err.Error()
			if s.Error == "" {
				s.Error = a.Error
			}
		}
		s.Held = s.Held && l.Held
		s.Since = max(s.Since, l.Since)
		if j == 0 || l.Renewed < s.Renewed {
			s.Renewed = l.Renewed
		}
		s.Addresses = append(s.Addresses, a)
	}
	if h.Wanted && s.Error == "" {
		s.Error = m.routing.errorOf(h.Config)
	}
	return &s
}
