package kernel

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"syscall"

	"baton/internal/sys"
	"baton/vip"

	"github.com/vishvananda/netlink"
)

// nftTable is the table, of family inet, that holds all our rules and nothing else.
// What has this name is ours: it is replaced as a whole and removed as a whole.
const nftTable = "baton"

const icmp6 = 58

// Guard makes the rules of no_accept: packets to and from the addresses of instances
// that have it are dropped, all but IPv6 neighbour discovery, without which nobody
// finds the router (RFC 9568 section 6.1). They stand from the start to End, whoever is
// master: a packet to an address that is not here is none of this host's to accept. It
// must run after RemoveOrphans.
func (m *Manager) Guard() error {
	var list []vip.Address
	for _, c := range m.cfgs {
		if c.NoAccept {
			list = append(list, c.Addresses...)
		}
	}
	if len(list) == 0 {
		return nil
	}
	if err := sys.NftTransaction(guardRules(list)); err != nil {
		return fmt.Errorf("no_accept: make the table inet %s: %w", nftTable, explainNft(err))
	}
	return nil
}

func explainNft(err error) error {
	switch {
	case errors.Is(err, syscall.EPROTONOSUPPORT), errors.Is(err, syscall.EOPNOTSUPP), errors.Is(err, syscall.ENOENT), errors.Is(err, syscall.EINVAL):
		return fmt.Errorf("%w (does the kernel have nf_tables? modprobe nf_tables nf_tables_inet)", err)
	}
	return explain(err)
}

// removeGuard removes the table.
func removeGuard(*netlink.Handle) (removed []string, err error) {
	table := sys.NftMessage{Type: sys.NftGetTable, Family: nftInet, Attrs: nftString(nil, 1, nftTable)}
	if err = sys.NftFind(table); err == nil {
		table.Type = sys.NftDelTable
		err = sys.NftTransaction([]sys.NftMessage{table})
	}
	switch {
	case err == nil:
		return []string{"nftables table inet " + nftTable}, nil
	case errors.Is(err, syscall.ENOENT), errors.Is(err, syscall.EPROTONOSUPPORT), errors.Is(err, syscall.EOPNOTSUPP), errors.Is(err, syscall.EINVAL):
		return nil, nil // there is none, or no nf_tables at all
	}
	return nil, fmt.Errorf("remove the table inet %s: %w", nftTable, explain(err))
}

// Numbers of linux/netfilter.h and linux/netfilter/nf_tables.h.
const (
	nftInet = 1 // NFPROTO_INET
	nftIPv4 = 2 // NFPROTO_IPV4
	nftIPv6 = 10

	hookIn, hookOut = 1, 3 // NF_INET_LOCAL_IN, _OUT

	drop, accept = 0, 1 // verdicts

	metaIIFName, metaOIFName, metaFamily, metaL4 = 6, 7, 15, 16
	baseNetwork, baseTransport                   = 1, 2
)

// guardRules is the transaction that puts the table in place of the one that may be
// there.
func guardRules(list []vip.Address) []sys.NftMessage {
	name := nftString(nil, 1, nftTable)
	msgs := []sys.NftMessage{
		{Type: sys.NftNewTable, Create: true, Family: nftInet, Attrs: name}, // so that there is one to remove
		{Type: sys.NftDelTable, Family: nftInet, Attrs: name},
		{Type: sys.NftNewTable, Create: true, Family: nftInet, Attrs: name},
		nftChain("in", hookIn), nftChain("out", hookOut),
	}
	for _, chain := range []string{"in", "out"} {
		for _, kind := range []byte{135, 136} { // neighbour solicitation and advertisement
			msgs = append(msgs, nftRule(chain, accept,
				nftMeta(metaL4), nftEqual([]byte{icmp6}),
				nftPayload(baseTransport, 0, 1), nftEqual([]byte{kind})))
		}
	}
	for _, a := range list {
		ip := a.Prefix.Addr()
		msgs = append(msgs, nftRule("in", drop, nftAddress(ip, a.Interface, true)...), nftRule("out", drop, nftAddress(ip, a.Interface, false)...))
	}
	return msgs
}

// nftAddress matches an address as the destination of what comes in or the source of
// what goes out. A link-local one counts on its interface only.
func nftAddress(ip netip.Addr, ifname string, in bool) (exprs [][]byte) {
	family, offset := byte(nftIPv4), uint32(12)
	if ip.Is6() {
		family, offset = nftIPv6, 8
	}
	length := uint32(ip.BitLen() / 8)
	key := uint32(metaOIFName)
	if in {
		offset += length
		key = metaIIFName
	}
	exprs = append(exprs, nftMeta(metaFamily), nftEqual([]byte{family}))
	if ip.IsLinkLocalUnicast() && ip.Is6() {
		var name [16]byte
		copy(name[:], ifname)
		exprs = append(exprs, nftMeta(key), nftEqual(name[:]))
	}
	return append(exprs, nftPayload(baseNetwork, offset, length), nftEqual(ip.AsSlice()))
}

func nftChain(name string, hook uint32) sys.NftMessage {
	before := int32(-1) // just before the usual priority of a filter, as keepalived's
	b := nftString(nil, 1, nftTable)
	b = nftString(b, 3, name)
	b = nftNested(b, 4, nftNumber(nftNumber(nil, 1, hook), 2, uint32(before)))
	b = nftNumber(b, 5, accept) // policy
	b = nftString(b, 7, "filter")
	return sys.NftMessage{Type: sys.NftNewChain, Create: true, Family: nftInet, Attrs: b}
}

func nftRule(chain string, verdict uint32, exprs ...[]byte) sys.NftMessage {
	code := nftNested(nil, 2, nftNumber(nil, 1, verdict))
	exprs = append(exprs, nftExpression("immediate", nftNested(nftNumber(nil, 1, 0), 2, code))) // register 0: the verdict
	var elements []byte
	for _, e := range exprs {
		elements = nftNested(elements, 1, e)
	}
	b := nftString(nil, 1, nftTable)
	b = nftString(b, 2, chain)
	b = nftNested(b, 4, elements)
	return sys.NftMessage{Type: sys.NftNewRule, Create: true, Family: nftInet, Attrs: b}
}

// nftMeta and nftPayload load register 1, nftEqual compares it.
func nftMeta(key uint32) []byte {
	return nftExpression("meta", nftNumber(nftNumber(nil, 2, key), 1, 1))
}

func nftPayload(base, offset, length uint32) []byte {
	b := nftNumber(nil, 1, 1)
	b = nftNumber(b, 2, base)
	b = nftNumber(b, 3, offset)
	return nftExpression("payload", nftNumber(b, 4, length))
}

func nftEqual(value []byte) []byte {
	b := nftNumber(nil, 1, 1)
	b = nftNumber(b, 2, 0)
	return nftExpression("cmp", nftNested(b, 3, nftAttr(nil, 1, value)))
}

func nftExpression(name string, data []byte) []byte {
	return nftNested(nftString(nil, 1, name), 2, data)
}

// nftAttr appends one attribute: length, type, value, filled up to 4 bytes.
func nftAttr(b []byte, kind uint16, value []byte) []byte {
	b = binary.NativeEndian.AppendUint16(b, uint16(4+len(value)))
	b = binary.NativeEndian.AppendUint16(b, kind)
	b = append(b, value...)
	return append(b, make([]byte, -len(value)&3)...)
}

func nftNested(b []byte, kind uint16, value []byte) []byte {
	const nested = 1 << 15
	return nftAttr(b, kind|nested, value)
}

func nftString(b []byte, kind uint16, s string) []byte { return nftAttr(b, kind, append([]byte(s), 0)) }

func nftNumber(b []byte, kind uint16, n uint32) []byte {
	return nftAttr(b, kind, binary.BigEndian.AppendUint32(nil, n))
}
