package kernel

import (
	"fmt"
	"log/slog"
	"os"
	"strings"

	"baton/internal/sys"
	"baton/vip"

	"github.com/vishvananda/netlink/nl"
)

// guardNeighbours sees to it that the end of a, by whatever cause, takes no
// other address along: where it is the first of its subnet, its interface gets
// promote_secondaries. See the package comment.
func (m *Manager) guardNeighbours(a vip.Address) {
	if a.Prefix.IsSingleIP() || a.Prefix.Addr().Is6() {
		return // a subnet of its own; no first ones and secondaries
	}
	index, ok := m.links[a.Interface]
	if !ok || m.promote[index] || !m.isFirst(a) {
		return
	}
	changed, err := promoteSecondaries(a.Interface, index)
	m.complain("promote_secondaries of "+a.Interface, err)
	if err != nil {
		return
	}
	m.promote[index] = true
	if changed {
		m.notes.add(slog.LevelInfo, "set promote_secondaries: other addresses of the subnet must outlive the virtual one", "interface", a.Interface, "address", a.Prefix)
	}
}

// promoteAll sets promote_secondaries on every interface of an instance's addresses.
func (m *Manager) promoteAll(c vip.Config) {
	for _, a := range c.Addresses {
		index, ok := m.links[a.Interface]
		if !ok || m.promote[index] {
			continue
		}
		_, err := promoteSecondaries(a.Interface, index)
		m.complain("promote_secondaries of "+a.Interface, err)
		m.promote[index] = err == nil
	}
}

// isFirst reports whether no address of the same subnet stands before a. The
// kernel lists the first ones in front of the secondaries.
func (m *Manager) isFirst(a vip.Address) bool {
	for _, h := range m.have.list {
		if h.Interface == a.Interface && h.Prefix.Masked() == a.Prefix.Masked() {
			return h.Prefix == a.Prefix
		}
	}
	return false
}

// promoteSecondaries sets the sysctl by netlink, which works also where
// /proc/sys is read-only (ProtectKernelTunables of systemd).
func promoteSecondaries(ifname string, index int) (changed bool, err error) {
	for _, name := range []string{"all", ifname} { // either one suffices
		b, err := os.ReadFile("/proc/sys/net/ipv4/conf/" + name + "/promote_secondaries")
		if err == nil && strings.TrimSpace(string(b)) != "0" {
			return false, nil
		}
	}
	req, families := linkRequest(index)
	conf := families.AddRtAttr(sys.FamilyIPv4, nil).AddRtAttr(sys.AttrInetConf, nil)
	conf.AddRtAttr(sys.ConfPromoteSecondaries, nl.Uint32Attr(1))
	req.AddData(families)
	if _, err := req.Execute(sys.NetlinkRoute, 0); err != nil {
		return false, fmt.Errorf("set promote_secondaries of %s: %w (another address of the same subnet may vanish with a virtual address)", ifname, explain(err))
	}
	return true, nil
}
