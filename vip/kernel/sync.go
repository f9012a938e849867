package kernel

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"syscall"
	"time"

	"baton/internal/mono"
	"baton/internal/sys"
	"baton/vip"

	"github.com/vishvananda/netlink"
)

// errNoInterface is why nothing is, and need be, on an interface.
var errNoInterface = errors.New("does not exist")

// sync brings the kernel in line with what the keeper wants, tells it the
// outcome, and returns q with the actions that follow from that. When it is done
// for an instance ("" for all), the addresses of others are left alone and the
// instance's errors are left to the caller to log.
func (m *Manager) sync(now mono.Time, instance string, q []vip.Action) []vip.Action {
	if m.stale.Swap(false) {
		clear(m.links)
		m.forgetPorts()
		m.listedAt = 0
		m.raiseWanted()
	}
	var unread map[string]error
	if !m.fresh(now, instance) {
		unread = m.list(instance)
	}
	have := m.have.list
	if instance == "" {
		clear(m.errs)
		m.renewals, m.renewed = m.renewals[:0], 0
		m.want = m.keeper.Want(m.want[:0])
	} else {
		h := m.holding(instance)
		m.want = m.want[:0]
		for _, a := range h.Config.Addresses {
			delete(m.errs, keyOf(a))
			if h.Wanted {
				m.want = append(m.want, vip.Entry{Address: a})
			}
		}
		have = m.have.about(h.Config.Addresses)
	}
	applied := 0
	var stand []vip.Address // of the instance
	for _, st := range vip.Diff(have, m.want) {
		if st.Op == vip.Renew && instance == "" {
			m.renewals = append(m.renewals, st.Address)
			continue
		}
		if st.Op == vip.Renew {
			stand = append(stand, st.Address)
			continue
		}
		err := unread[st.Interface]
		if err == nil {
			if applied++; applied%setBatch == 0 && m.pause != nil {
				m.pause()
			}
			if err = m.apply(st); err == nil {
				m.account(st)
			} else {
				m.listedAt = 0 // it is not as we believe
			}
		}
		q = m.tell(now, outcome[st.Op], st.Address, err, instance, q)
	}
	if instance == "" {
		q = m.renewSome(now, q)
	}
	for piece := range slices.Chunk(stand, setBatch) {
		q = m.renew(now, piece, instance, q)
		if len(piece) == setBatch && m.pause != nil {
			m.pause()
		}
	}
	m.settle = m.keeper.Settle(m.settle[:0])
	for _, a := range m.settle {
		if (instance == "" || m.instanceOf(a) == instance) && m.errs[keyOf(a)] == nil {
			err := unread[a.Interface]
			if errors.Is(err, errNoInterface) {
				err = nil // and the address went with it
			}
			q = m.tell(now, vip.Removed, a, err, instance, q)
		}
	}
	return q
}

// tell tells the keeper what became of an address, and the log if that is news.
func (m *Manager) tell(now mono.Time, kind vip.EventKind, a vip.Address, err error, instance string, q []vip.Action) []vip.Action {
	if err != nil {
		kind = vip.Failed
		m.errs[keyOf(a)] = err
	}
	q = m.keeper.Step(now, vip.Event{Kind: kind, Address: a}, q)
	switch {
	case err == nil && len(m.failed) == 0: // nothing to take back, as a rule
	case instance != "" && m.instanceOf(a) == instance:
		m.remember(about(a), err)
	default:
		m.complain(about(a), err)
	}
	return q
}

// account keeps the list true after a step that the kernel has confirmed.
func (m *Manager) account(st vip.Step) {
	switch st.Op {
	case vip.Add:
		m.have.add(vip.Entry{Address: st.Address})
		m.guardNeighbours(st.Address)
	case vip.Remove:
		m.have.remove(st.Address)
	}
}

// setBatch is how many addresses are set between two pauses: one or two milliseconds.
const setBatch = 16

var outcome = [...]vip.EventKind{vip.Add: vip.Added, vip.Renew: vip.Renewed, vip.Refuse: vip.Failed, vip.Remove: vip.Removed}

func about(a vip.Address) string { return a.Prefix.String() + " on " + a.Interface }

// complain notes an error about a thing unless it is the one noted last.
func (m *Manager) complain(about string, err error) {
	if !m.remember(about, err) {
		return
	}
	if err == nil {
		m.notes.add(slog.LevelInfo, "works again: "+about)
	} else {
		m.notes.add(slog.LevelError, err.Error())
	}
}

// remember keeps an error, nil included, and reports whether it is news.
func (m *Manager) remember(about string, err error) (news bool) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	if m.failed[about] == text {
		return false
	}
	if m.failed[about] = text; err == nil {
		delete(m.failed, about)
	}
	return true
}

// listFresh is how long a list counts that was read for one instance: where hundreds come
// one after the other, and each read costs as much as there are addresses, not each has to
// read it anew. What somebody else adds meanwhile the kernel refuses to add again, what
// he removes Watch reports, and both lead to a new list.
const listFresh = 100 * time.Millisecond

// listHolds is how long one counts for renewals. What somebody else does to addresses
// meanwhile Watch reports, so it is read again to be sure; where nobody watches, each time.
const listHolds = 10 * time.Second

// fresh reports whether the list need not be read again for an instance ("": for all).
func (m *Manager) fresh(now mono.Time, instance string) bool {
	switch age := mono.Now().Sub(m.listedAt); {
	case m.listedAt == 0:
		return false
	case instance == "":
		// A lease that was not renewed in time may have ended, and Watch be late to say so.
		return m.listedAll && m.watched.Load() && age <= listHolds && now.Sub(m.renewedAt) <= vip.LeaseValid/2
	case age > listFresh:
		return false
	}
	h := m.holding(instance)
	return !slices.ContainsFunc(h.Config.Addresses, func(a vip.Address) bool { return !m.listed[a.Interface] })
}

// list reads the present addresses of all interfaces that the configuration of an
// instance ("": of all) names into m.have. It returns why an interface could not be read, by name.
func (m *Manager) list(instance string) (unread map[string]error) {
	m.listedAll = instance == ""
	m.have.clear()
	clear(m.listed)
	m.listedAt = mono.Now()
	for _, c := range m.cfgs {
		if instance != "" && c.Instance != instance {
			continue
		}
		for _, a := range c.Addresses {
			if m.listed[a.Interface] {
				continue
			}
			m.listed[a.Interface] = true
			if err := m.listInterface(a.Interface); err != nil {
				if unread == nil {
					unread = map[string]error{}
				}
				unread[a.Interface] = err
				delete(m.listed, a.Interface)
				m.listedAll = false
			}
		}
	}
	return unread
}

func (m *Manager) listInterface(name string) error {
	addrs, err := m.addresses(name)
	if errors.Is(err, syscall.ENODEV) { // an index from before the interface was made anew
		delete(m.links, name)
		addrs, err = m.addresses(name)
	}
	if err != nil {
		return err
	}
	for i := range addrs {
		m.have.add(m.entry(name, &addrs[i]))
	}
	return nil
}

func (m *Manager) addresses(name string) ([]netlink.Addr, error) {
	index, err := m.index(name)
	if err != nil {
		return nil, err
	}
	link := &netlink.GenericLink{LinkAttrs: netlink.LinkAttrs{Name: name, Index: index}}
	addrs, err := m.nl.AddrList(link, netlink.FAMILY_ALL)
	if err != nil {
		return nil, fmt.Errorf("list addresses of %s: %w", name, err)
	}
	return addrs, nil
}

// index finds an interface.
func (m *Manager) index(name string) (int, error) {
	if i, ok := m.links[name]; ok {
		return i, nil
	}
	link, err := m.nl.LinkByName(name)
	if err != nil {
		return 0, linkError(name, err)
	}
	m.links[name] = link.Attrs().Index
	return link.Attrs().Index, nil
}

func linkError(name string, err error) error {
	var gone netlink.LinkNotFoundError
	if errors.As(err, &gone) {
		return fmt.Errorf("interface %s %w", name, errNoInterface)
	}
	return fmt.Errorf("find interface %s: %w", name, err)
}

// entry translates an address of the kernel.
func (m *Manager) entry(ifname string, a *netlink.Addr) vip.Entry {
	e := vip.Entry{Address: vip.Address{Interface: ifname, Scope: uint8(a.Scope)}}
	e.Prefix = prefixOf(a)
	if a.Label != ifname { // the kernel's default
		e.Label = a.Label
	}
	if b, ok := netip.AddrFromSlice(a.Broadcast.To4()); ok {
		e.Broadcast = b
	}
	e.NoPrefixRoute = e.Prefix.Addr().Is4() && a.Flags&sys.AddrNoPrefixRoute != 0
	if a.Peer != nil && !a.Peer.IP.Equal(a.IP) {
		e.Peer = addrOf(a.Peer.IP)
		ones, _ := a.Peer.Mask.Size()
		e.Prefix = netip.PrefixFrom(e.Prefix.Addr(), ones)
	}
	e.Foreign = !ours(a) && !m.resembles(e.Address, a)
	return e
}

func prefixOf(a *netlink.Addr) netip.Prefix {
	ip, _ := netip.AddrFromSlice(a.IP)
	ones, _ := a.Mask.Size()
	return netip.PrefixFrom(ip.Unmap(), ones)
}

// ours tells our addresses by their mark. One that somebody has made permanent
// (`ip address change` keeps the mark) is that somebody's.
func ours(a *netlink.Addr) bool {
	return a.Protocol == Protocol && a.Flags&sys.AddrPermanent == 0
}

// resembles is ours for kernels that do not keep the mark.
func (m *Manager) resembles(e vip.Address, a *netlink.Addr) bool {
	if a.Protocol != 0 || a.Flags&sys.AddrPermanent != 0 || a.ValidLft > int(vip.LeaseValid.Seconds()) {
		return false
	}
	return m.instanceOf(e) != ""
}

// apply does one step of a plan but renewals.
func (m *Manager) apply(st vip.Step) error {
	if st.Op == vip.Refuse {
		return fmt.Errorf("%s is on %s already and was not put there by baton: remove it there (ip address del) and from the host's network configuration, or take it out of the virtual addresses",
			st.Prefix, st.Interface)
	}
	index, err := m.index(st.Interface)
	if err != nil {
		return err
	}
	a := m.request(st.Address, index)
	switch st.Op {
	case vip.Add:
		// Never "replace": that would take an address over which somebody else
		// has added since the list was read.
		if err := m.nl.AddrAdd(nil, a); err != nil {
			return fmt.Errorf("add %s to %s: %w", st.Prefix, st.Interface, explain(err))
		}
	case vip.Remove:
		delete(m.promote, index) // look again, it matters now
		m.guardNeighbours(st.Address)
		err := m.nl.AddrDel(nil, a)
		if err != nil && !errors.Is(err, syscall.EADDRNOTAVAIL) { // its lease may just have ended
			return fmt.Errorf("remove %s from %s: %w", st.Prefix, st.Interface, explain(err))
		}
	}
	return nil
}

// request translates an address for the kernel.
func (m *Manager) request(v vip.Address, index int) *netlink.Addr {
	a := &netlink.Addr{
		IPNet:       &net.IPNet{IP: v.Prefix.Addr().AsSlice(), Mask: net.CIDRMask(v.Prefix.Bits(), v.Prefix.Addr().BitLen())},
		LinkIndex:   index,
		Label:       v.Label,
		Scope:       int(v.Scope),
		Broadcast:   net.IPv4zero, // none; the library would invent one for nil
		ValidLft:    int(vip.LeaseValid.Seconds()),
		PreferedLft: int(vip.LeaseValid.Seconds()),
		Protocol:    Protocol,
	}
	if v.Peer.IsValid() {
		a.Peer = &net.IPNet{IP: v.Peer.AsSlice(), Mask: a.IPNet.Mask}
	}
	if v.Broadcast.IsValid() {
		a.Broadcast = v.Broadcast.AsSlice()
	}
	if v.Deprecated() {
		a.PreferedLft = 0 // see vip.LeaseValid
	}
	if v.NoPrefixRoute {
		a.Flags = sys.AddrNoPrefixRoute
	}
	if v.Prefix.Addr().Is6() {
		a.Broadcast = nil
		// Duplicate address detection would keep the address silent for a second or
		// more; VRRP has settled already whose it is.
		a.Flags |= sys.AddrNoDAD
		if v.Home {
			a.Flags |= sys.AddrHome
		}
		if v.TempAddresses {
			a.Flags |= sys.AddrManageTemp
		}
		if m.routed(v) {
			a.Flags |= sys.AddrNoPrefixRoute
		}
	}
	return a
}

// routed reports whether somebody else's address makes the route to the IPv6
// subnet of ours. Then ours stays out of it: the route that both share has one
// lifetime, and with that of our lease the host would lose its own subnet with us.
// Linux 6.18 was seen to leave a permanent route alone; this does not count on it.
func (m *Manager) routed(v vip.Address) bool {
	for _, h := range m.have.list {
		if h.Foreign && h.Interface == v.Interface && h.Prefix.Masked() == v.Prefix.Masked() {
			return true
		}
	}
	return false
}

// explain adds what an error number does not say.
func explain(err error) error {
	switch {
	case errors.Is(err, syscall.EPERM):
		return fmt.Errorf("%w (needs root or CAP_NET_ADMIN)", err)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("%w (is IPv6 disabled there? see net.ipv6.conf.*.disable_ipv6)", err)
	case errors.Is(err, syscall.EEXIST):
		return fmt.Errorf("%w (somebody has added it just now)", err)
	}
	return err
}
