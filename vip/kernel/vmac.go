package kernel

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"

	"baton/internal/sys"
	"baton/vip"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
)

// vmacAlias marks the interfaces that we made: `ip link` shows it.
const vmacAlias = "baton use_vmac"

// MakeVMACs makes the interfaces of use_vmac, so that none has to be made during a
// takeover. One that cannot be made now, because its base is missing, is made when its
// instance becomes master. It must run after RemoveOrphans and before the first Set.
func (m *Manager) MakeVMACs() error {
	var errs []error
	for _, c := range m.cfgs {
		for v := range c.VMACs() {
			if _, err := m.vmac(v); err != nil && !errors.Is(err, errNoInterface) {
				errs = append(errs, err)
			}
		}
	}
	return errors.Join(errs...)
}

// raiseVMAC puts the interface of an instance up. An interface that is down takes part
// in nothing: a backup neither answers with the virtual hardware address nor makes a
// switch believe that it is there.
func (m *Manager) raiseVMAC(v vip.VMAC) error {
	link, err := m.vmac(v)
	if err != nil {
		return err
	}
	if err := m.nl.LinkSetUp(link); err != nil {
		return fmt.Errorf("set %s up: %w", v.Name, explain(err))
	}
	return nil
}

// raiseWanted puts the interfaces of all masters up: one may have been removed, with its
// base, or set down by hand.
func (m *Manager) raiseWanted() {
	for _, h := range m.keeper.Holdings() {
		if !h.Wanted {
			continue
		}
		for v := range h.Config.VMACs() {
			m.complain("interface "+v.Name, m.raiseVMAC(v))
		}
	}
}

// lowerVMAC puts it down, before its addresses go: what the kernel would say about
// leaving their multicast groups must not come from that hardware address any more.
func (m *Manager) lowerVMAC(v vip.VMAC) error {
	link, err := m.nl.LinkByName(v.Name)
	if err != nil {
		if err = linkError(v.Name, err); errors.Is(err, errNoInterface) {
			return nil
		}
		return err
	}
	if link.Attrs().Alias != vmacAlias {
		return nil
	}
	if err := m.nl.LinkSetDown(link); err != nil {
		return fmt.Errorf("set %s down: %w", v.Name, explain(err))
	}
	return nil
}

// vmac returns the interface, which it makes if it is not there.
func (m *Manager) vmac(v vip.VMAC) (netlink.Link, error) {
	base, err := m.nl.LinkByName(v.Base)
	if err != nil {
		return nil, linkError(v.Base, err)
	}
	link, err := m.nl.LinkByName(v.Name)
	if err == nil {
		at := link.Attrs()
		switch {
		case at.Alias != vmacAlias:
			return nil, fmt.Errorf("interface %s is there and was not made by baton: remove it (ip link del %s), or give baton's another name with use_vmac NAME, vmac_prefix or vmac_addr_prefix", v.Name, v.Name)
		case at.ParentIndex == base.Attrs().Index && bytes.Equal(at.HardwareAddr, v.Hardware[:]):
			return link, nil
		}
		// It stands on something that had the base's name before, or has the hardware
		// address of before a reload.
		m.forgetPorts()
		if err := m.nl.LinkDel(link); err != nil {
			return nil, fmt.Errorf("remove %s: %w", v.Name, explain(err))
		}
	} else if err := linkError(v.Name, err); !errors.Is(err, errNoInterface) {
		return nil, err
	}
	return m.makeVMAC(v, base)
}

// makeVMAC: the mode is VEPA and not, as with keepalived, private. Either keeps the
// macvlans of one base apart; but a private one that is up takes every multicast frame
// from its own hardware address away from the base, and with them the adverts of
// another node that is master too.
func (m *Manager) makeVMAC(v vip.VMAC, base netlink.Link) (netlink.Link, error) {
	at := netlink.NewLinkAttrs()
	at.Name, at.ParentIndex, at.HardwareAddr = v.Name, base.Attrs().Index, net.HardwareAddr(v.Hardware[:])
	at.MTU = base.Attrs().MTU
	if err := m.nl.LinkAdd(&netlink.Macvlan{LinkAttrs: at, Mode: netlink.MACVLAN_MODE_VEPA}); err != nil {
		err = explain(err)
		if errors.Is(err, syscall.EOPNOTSUPP) {
			err = fmt.Errorf("%w (the kernel has no macvlan: modprobe macvlan)", err)
		}
		return nil, fmt.Errorf("make %s on %s: %w", v.Name, v.Base, err)
	}
	delete(m.links, v.Name)
	m.forgetPorts() // Watch tells of it later
	link, err := m.nl.LinkByName(v.Name)
	if err == nil {
		err = m.nl.LinkSetAlias(link, vmacAlias)
	}
	if err == nil {
		err = prepareVMAC(link.Attrs().Index)
	}
	if err == nil {
		err = m.prepareBase(v.Base, base.Attrs().Index)
	}
	if err != nil {
		if link != nil {
			_ = m.nl.LinkDel(link)
		}
		return nil, fmt.Errorf("prepare %s: %w", v.Name, explain(err))
	}
	link.Attrs().Alias = vmacAlias
	m.notes.add(slog.LevelInfo, "made an interface for the virtual hardware address", "interface", v.Name, "on", v.Base, "hardware", net.HardwareAddr(v.Hardware[:]))
	return link, nil
}

// prepareVMAC sets what an interface beside another one in the same network needs:
//
//   - arp_ignore 1: it answers for its own addresses only;
//   - rp_filter 2: packets may come in here whose way back leads over the base. 2 also
//     holds where net.ipv4.conf.all has 1, since the greater counts;
//   - accept_local 1: hosts of one kernel may use each other's virtual routers;
//   - no link-local address of its own, which would announce it.
func prepareVMAC(index int) error {
	req, families := linkRequest(index)
	inet := families.AddRtAttr(sys.FamilyIPv4, nil).AddRtAttr(sys.AttrInetConf, nil)
	inet.AddRtAttr(sys.ConfARPIgnore, nl.Uint32Attr(1))
	inet.AddRtAttr(sys.ConfRPFilter, nl.Uint32Attr(2))
	inet.AddRtAttr(sys.ConfAcceptLocal, nl.Uint32Attr(1))
	inet.AddRtAttr(sys.ConfPromoteSecondaries, nl.Uint32Attr(1))
	req.AddData(families)
	if _, err := req.Execute(sys.NetlinkRoute, 0); err != nil {
		return fmt.Errorf("set its sysctls: %w", err)
	}
	req, families = linkRequest(index)
	families.AddRtAttr(sys.FamilyIPv6, nil).AddRtAttr(sys.AttrInet6AddrMode, []byte{sys.AddrModeNone})
	req.AddData(families)
	_, err := req.Execute(sys.NetlinkRoute, 0)
	if err != nil && !errors.Is(err, syscall.EAFNOSUPPORT) && !errors.Is(err, syscall.EINVAL) { // no IPv6 here
		return fmt.Errorf("set its address mode: %w", err)
	}
	return nil
}

// prepareBase keeps the interface below from telling its own hardware address for the
// virtual addresses: in answers (arp_ignore), and as the sender of questions about
// hosts that packets from a virtual address go to (arp_announce; keepalived leaves that
// one alone, and its clients learn the wrong address so). End sets both back.
func (m *Manager) prepareBase(name string, index int) error {
	for _, c := range []struct {
		sysctl string
		number int
		value  uint32
	}{{"arp_ignore", sys.ConfARPIgnore, 1}, {"arp_announce", sys.ConfARPAnnounce, 2}} {
		b, err := os.ReadFile("/proc/sys/net/ipv4/conf/" + name + "/" + c.sysctl)
		if err != nil {
			return fmt.Errorf("read %s of %s: %w", c.sysctl, name, err)
		}
		before, err := strconv.ParseUint(strings.TrimSpace(string(b)), 10, 32)
		if err != nil {
			return fmt.Errorf("read %s of %s: %w", c.sysctl, name, err)
		}
		if uint32(before) >= c.value { // the greater are the stricter
			continue
		}
		if err := setInetConf(index, c.number, c.value); err != nil {
			return fmt.Errorf("set %s of %s: %w", c.sysctl, name, err)
		}
		m.changed = append(m.changed, inetConf{index, c.number, uint32(before)})
		m.notes.add(slog.LevelInfo, fmt.Sprintf("set %s to %d: the interface must not speak for addresses of use_vmac", c.sysctl, c.value), "interface", name)
	}
	return nil
}

// inetConf is a sysctl of an interface and what it was before.
type inetConf struct {
	index, number int
	value         uint32
}

func setInetConf(index, number int, v uint32) error {
	req, families := linkRequest(index)
	families.AddRtAttr(sys.FamilyIPv4, nil).AddRtAttr(sys.AttrInetConf, nil).AddRtAttr(number, nl.Uint32Attr(v))
	req.AddData(families)
	_, err := req.Execute(sys.NetlinkRoute, 0)
	return err
}

// linkRequest begins a change of an interface's settings, which the caller adds to
// families, and families to req.
func linkRequest(index int) (req *nl.NetlinkRequest, families *nl.RtAttr) {
	req = nl.NewNetlinkRequest(sys.MsgSetLink, sys.NetlinkAck)
	msg := nl.NewIfInfomsg(netlink.FAMILY_ALL)
	msg.Index = int32(index)
	req.AddData(msg)
	return req, nl.NewRtAttr(sys.AttrLinkFamilies, nil)
}

// removeVMACs removes the interfaces that we made.
func removeVMACs(h *netlink.Handle) (removed []string, err error) {
	links, err := h.LinkList()
	if err != nil {
		return nil, fmt.Errorf("list interfaces: %w", err)
	}
	var errs []error
	for _, l := range links {
		if l.Attrs().Alias != vmacAlias || l.Type() != "macvlan" {
			continue
		}
		if err := h.LinkDel(l); err != nil && !errors.Is(err, syscall.ENODEV) {
			errs = append(errs, fmt.Errorf("remove interface %s: %w", l.Attrs().Name, explain(err)))
			continue
		}
		removed = append(removed, "interface "+l.Attrs().Name)
	}
	return removed, errors.Join(errs...)
}
