package kernel

import (
	"encoding/binary"
	"fmt"

	"baton/internal/mono"
	"baton/internal/sys"
	"baton/vip"

	"github.com/vishvananda/netlink"
)

// renewBatch bounds the renewals of one piece of a round, which go to the kernel in one
// system call: more of them, some five microseconds each, would hold up the adverts that
// the same thread sends.
const renewBatch = 64

// renewSome gives the next addresses of the round new leases. What is not wanted any
// more, was renewed since the round began, or failed since, is passed over: it may be
// somebody else's by now, and a renewal would take it from him. Where Watch has seen an
// address go, the rest is left to the new round that begins then: it would be put back
// here without a word.
func (m *Manager) renewSome(now mono.Time, q []vip.Action) []vip.Action {
	var piece [renewBatch]vip.Address
	n := 0
	for ; n < len(piece) && m.renewed < len(m.renewals) && !m.lost.Load(); m.renewed++ {
		if a := m.renewals[m.renewed]; m.keeper.Stale(a, m.round) && m.errs[keyOf(a)] == nil {
			piece[n] = a
			n++
		}
	}
	m.renewedAt = now
	return m.renew(now, piece[:n], "", q)
}

// renew gives at most renewBatch addresses new leases, and tells the keeper. instance is
// as for sync.
func (m *Manager) renew(now mono.Time, list []vip.Address, instance string, q []vip.Action) []vip.Action {
	errs := m.replace(list)
	for i, a := range list {
		if errs[i] == nil {
			m.guardNeighbours(a)
		}
		q = m.tell(now, vip.Renewed, a, errs[i], instance, q)
	}
	return q
}

// replace asks the kernel. It returns what became of each address.
func (m *Manager) replace(list []vip.Address) (errs [renewBatch]error) {
	var place [renewBatch]int // in list, of the requests
	n := 0
	for i, a := range list {
		index, err := m.index(a.Interface)
		if err != nil {
			errs[i] = err
			continue
		}
		appendReplace(m.batch, m.request(a, index))
		place[n] = i
		n++
	}
	failed := func(i int, err error) {
		a := list[place[i]]
		errs[place[i]] = fmt.Errorf("renew %s on %s: %w", a.Prefix, a.Interface, explain(err))
		m.listedAt = 0 // it is not as we believe
	}
	if err := m.batch.Do(func(i int, errno sys.Errno) { failed(i, errno) }); err != nil {
		for i := range n {
			failed(i, err)
		}
	}
	return errs
}

// appendReplace does what netlink.AddrReplace does, but that many of it travel together.
func appendReplace(b *sys.RouteBatch, a *netlink.Addr) {
	family, ip, far := byte(sys.FamilyIPv4), a.IP.To4(), a.IP.To4()
	if ip == nil {
		family, ip, far = sys.FamilyIPv6, a.IP, a.IP
	}
	if a.Peer != nil {
		if far = a.Peer.IP.To4(); far == nil {
			far = a.Peer.IP
		}
	}
	length, _ := a.Mask.Size()

	b.Begin(sys.MsgNewAddr, sys.NetlinkCreate|sys.NetlinkReplace)
	// struct ifaddrmsg; its flags are the low byte of the attribute's
	b.Append(binary.NativeEndian.AppendUint32([]byte{family, byte(length), byte(a.Flags), byte(a.Scope)}, uint32(a.LinkIndex)))
	b.Attr(sys.AttrAddrLocal, ip)
	b.Attr(sys.AttrAddr, far)
	if a.Flags != 0 {
		b.Attr(sys.AttrAddrFlags, binary.NativeEndian.AppendUint32(nil, uint32(a.Flags)))
	}
	if bc := a.Broadcast.To4(); bc != nil && !bc.IsUnspecified() {
		b.Attr(sys.AttrAddrBroadcast, bc)
	}
	if a.Label != "" {
		b.Attr(sys.AttrAddrLabel, append([]byte(a.Label), 0))
	}
	// struct ifa_cacheinfo: preferred and valid lifetime, two times that the kernel fills in
	lease := binary.NativeEndian.AppendUint32(nil, uint32(a.PreferedLft))
	lease = binary.NativeEndian.AppendUint32(lease, uint32(a.ValidLft))
	b.Attr(sys.AttrAddrLease, append(lease, 0, 0, 0, 0, 0, 0, 0, 0))
	b.Attr(sys.AttrAddrProto, []byte{byte(a.Protocol)})
}
