package keepalived

import (
	"encoding/binary"
	"net/netip"
	"strconv"
	"strings"

	"baton/conf"
	"baton/internal/diag"
	"baton/vip"
)

const (
	// maxAdvertised is what the count field of an advert can say (RFC 3768 section 5.3.5).
	maxAdvertised = 255

	// maxAdvertised6 is how many IPv6 addresses fit an advert of 1500 bytes: adverts
	// are not fragmented.
	maxAdvertised6 = (1500 - 40 - 8) / 16
)

// addressDraft is one line of virtual_ipaddress. Device and broadcast wait until
// the whole instance is read.
type addressDraft struct {
	word      conf.Word
	address   vip.Address
	label     conf.Word
	broadcast conf.Word // an address, + or -
	peer      conf.Word
	vmac      bool // use_vmac
	only6     []conf.Word
}

// addressKey is what must be unique: an address can float for one instance only.
type addressKey = netip.Addr

// ownedAddress is where an address was first seen.
type ownedAddress struct {
	pos   diag.Pos
	owner string // such as "vrrp_instance VI_1"
}

// addressKeywords is what may follow an address.
func addressKeywords() [][]entry[addressDraft] {
	broadcast := func(_ *lowerer, b *conf.Block, d *addressDraft) { d.broadcast = b.Words[1] }
	return [][]entry[addressDraft]{{
		{name: "dev", doc: "the interface it is put on; by default the instance's", min: 1, max: 1, parse: func(l *lowerer, b *conf.Block, d *addressDraft) {
			if l.interfaceName("dev", b.Words[1]) {
				d.address.Interface = b.Words[1].Text
			}
		}},
		{name: "label", doc: "a name for it, such as eth0:1", min: 1, max: 1, parse: func(_ *lowerer, b *conf.Block, d *addressDraft) {
			d.label = b.Words[1]
		}},
		{name: "scope", doc: "global, site, link, host, nowhere or 0..255", min: 1, max: 1, parse: func(l *lowerer, b *conf.Block, d *addressDraft) {
			if s, ok := l.scope(b.Words[1]); ok {
				d.address.Scope = s
			}
		}},
		{name: "brd", doc: "its broadcast address; + sets the host bits, - clears them", min: 1, max: 1, parse: broadcast},
		{name: "broadcast", doc: "the same as brd", min: 1, max: 1, parse: broadcast},
		{name: "preferred_lft", doc: "IPv6: 0, this host chooses another address as source if there is one, the default with /128; or forever", min: 1, max: 1, parse: func(l *lowerer, b *conf.Block, d *addressDraft) {
			d.only6 = append(d.only6, b.Words[0])
			switch w := b.Words[1]; w.Text {
			case "forever":
				d.address.Preference = vip.Preferred
			case "0":
				d.address.Preference = vip.Deprecated
			default:
				l.errs.Errorf(w.Pos, "the address is a lease that baton renews itself", "`preferred_lft` must be 0 or forever, not `%s`", w.Text)
			}
		}},
		{name: "peer", doc: "the far end of a point-to-point link: ADDRESS[/LENGTH]", min: 1, max: 1, parse: func(l *lowerer, b *conf.Block, d *addressDraft) {
			d.peer = b.Words[1]
		}},
		{name: "track_group", status: Refused, doc: "it is for static addresses", min: 1, max: 1},
		{name: "use_vmac", doc: "it has the virtual hardware address of its family, on a macvlan interface of its own on `dev`", parse: func(_ *lowerer, _ *conf.Block, d *addressDraft) {
			d.vmac = true
		}},
		{name: "no_track", status: Warned, doc: "an address that someone removes is put back"},
		{name: "-nodad", status: Warned, doc: "baton never waits for duplicate address detection"},
		{name: "noprefixroute", doc: "the kernel makes no route to its network", parse: func(_ *lowerer, _ *conf.Block, d *addressDraft) {
			d.address.NoPrefixRoute = true
		}},
		{name: "home", doc: "IPv6: a home address of mobile IP", parse: func(_ *lowerer, b *conf.Block, d *addressDraft) {
			d.only6, d.address.Home = append(d.only6, b.Words[0]), true
		}},
		{name: "mngtmpaddr", doc: "IPv6 with /64: the kernel makes temporary addresses beside it", parse: func(_ *lowerer, b *conf.Block, d *addressDraft) {
			d.only6, d.address.TempAddresses = append(d.only6, b.Words[0]), true
		}},
		{name: "autojoin", status: Refused, doc: "it is for multicast addresses, which no virtual address is"},
	}}
}

// scope reads a name of /etc/iproute2/rt_scopes or a number.
func (l *lowerer) scope(w conf.Word) (uint8, bool) {
	switch w.Text {
	case "global":
		return 0, true
	case "site":
		return 200, true
	case "link":
		return 253, true
	case "host":
		return 254, true
	case "nowhere":
		return 255, true
	}
	n, err := strconv.ParseUint(w.Text, 10, 8)
	if err != nil {
		l.errs.Errorf(w.Pos, "", "`scope` must be global, site, link, host, nowhere or a number up to 255, not `%s`", w.Text)
		return 0, false
	}
	return uint8(n), true
}

// addressLines reads the lines of a virtual_ipaddress block.
func (l *lowerer) addressLines(b *conf.Block) (out []addressDraft) {
	for _, line := range b.Body {
		word := line.Words[0]
		if line.HasBody {
			l.errs.Errorf(word.Pos, "", "`%s` opens no block in virtual_ipaddress", word.Text)
			continue
		}
		d := addressDraft{word: word}
		prefix, ok := l.prefix(word)
		lowerStream(l, "virtual_ipaddress", l.address, line.Words[1:], &d)
		if ok {
			d.address.Prefix = prefix
			out = append(out, d)
		}
	}
	return out
}

// prefix reads ADDRESS[/LENGTH].
func (l *lowerer) prefix(w conf.Word) (netip.Prefix, bool) {
	address, length, slash := strings.Cut(w.Text, "/")
	a, err := netip.ParseAddr(address)
	if err != nil {
		l.errs.Errorf(w.Pos, "", "`%s` is not an IP address", address)
		return netip.Prefix{}, false
	}
	if a.Zone() != "" || a.Is4In6() {
		l.errs.Errorf(w.Pos, "write the plain address; `dev` says on which interface it is", "`%s` cannot be a virtual address", address)
		return netip.Prefix{}, false
	}
	if a.IsUnspecified() || a.IsMulticast() || a.IsLoopback() || a == netip.AddrFrom4([4]byte{255, 255, 255, 255}) {
		l.errs.Errorf(w.Pos, "", "%s cannot be a virtual address", address)
		return netip.Prefix{}, false
	}
	bits := a.BitLen()
	if slash {
		n, err := strconv.ParseUint(length, 10, 8)
		if err != nil || n < 1 || int(n) > bits {
			pos := w.Pos
			if !w.Quoted {
				pos.Col += len(address) + 1
			}
			hint := "the number of leading one bits, such as 24"
			if mask, err := netip.ParseAddr(length); err == nil && mask.Is4() {
				hint = "write the mask as the number of its one bits, such as 24"
			}
			l.errs.Errorf(pos, hint, "the prefix length of `%s` must be a number from 1 to %d", w.Text, bits)
			return netip.Prefix{}, false
		}
		bits = int(n)
	}
	return netip.PrefixFrom(a, bits), true
}

// finishAddresses applies the instance's interface and checks the lists as a whole.
func (l *lowerer) finishAddresses(d *instanceDraft, vmac vip.VMAC) (advertised, excluded []vip.Address) {
	if len(d.addresses)+len(d.excluded) == 0 && !d.seen["virtual_ipaddress"] {
		l.errs.Warnf(d.name.Pos, "", "vrrp_instance %s has no `virtual_ipaddress`: nothing moves with it", d.name.Text)
	}
	if len(d.addresses) > maxAdvertised {
		l.errs.Errorf(d.addresses[maxAdvertised].word.Pos, "move the rest to another vrrp_instance", "an advert carries at most %d addresses", maxAdvertised)
	}
	if d.vrrp.IPv6 && len(d.addresses) > maxAdvertised6 && len(d.addresses) <= maxAdvertised {
		l.errs.Errorf(d.addresses[maxAdvertised6].word.Pos, "move the rest to virtual_ipaddress_excluded", "an advert of one Ethernet frame carries at most %d IPv6 addresses", maxAdvertised6)
	}
	return l.finishList(d, d.addresses, vmac), l.finishList(d, d.excluded, vmac)
}

// finishList puts addresses that name no interface on that of use_vmac, if they are of
// the instance's family, whose hardware address that is, or else on the instance's.
func (l *lowerer) finishList(d *instanceDraft, list []addressDraft, vmac vip.VMAC) (out []vip.Address) {
	for _, a := range list {
		if a.address.Interface == "" {
			a.address.Interface = d.vrrp.Interface
			if vmac.Name != "" && a.address.Prefix.Addr().Is6() == d.vrrp.IPv6 {
				a.address.Interface = vmac.Name
			}
		}
		l.label(&a)
		l.broadcast(&a)
		l.peerOf(&a)
		l.flags(&a)
		ip := a.address.Prefix.Addr()
		if first, twice := l.addresses[ip]; twice {
			l.errs.Errorf(a.word.Pos, "", "%s stands twice: %s has it at %s", ip, first.owner, first.pos)
			continue
		}
		l.addresses[ip] = ownedAddress{a.word.Pos, "vrrp_instance " + d.name.Text}
		out = append(out, a.address)
	}
	return out
}

// label checks a label as the kernel and its tools do: it names the device.
func (l *lowerer) label(a *addressDraft) {
	w := a.label
	switch {
	case w.Pos.Line == 0:
	case a.address.Prefix.Addr().Is6():
		l.errs.Warnf(w.Pos, "", "the label `%s` changes nothing: IPv6 addresses have none", w.Text)
	case len(w.Text) > 15:
		l.errs.Errorf(w.Pos, "", "the label `%s` is longer than 15 characters", w.Text)
	case a.address.Interface != "" && !strings.HasPrefix(w.Text, a.address.Interface):
		l.errs.Errorf(w.Pos, "such as "+a.address.Interface+":1", "the label `%s` must start with the name of its interface, %s", w.Text, a.address.Interface)
	default:
		a.address.Label = w.Text
	}
}

// peerOf reads the far end. The length behind it, if there is one, takes the place of
// the address's own: it is the far end's network that the kernel makes a route to.
func (l *lowerer) peerOf(a *addressDraft) {
	if a.peer.Pos.Line == 0 {
		return
	}
	p, ok := l.prefix(a.peer)
	if !ok {
		return
	}
	own := a.address.Prefix
	if p.Addr().Is6() != own.Addr().Is6() || p.Addr() == own.Addr() {
		l.errs.Errorf(a.peer.Pos, "another address of the same family", "`peer %s` cannot be the far end of %s", a.peer.Text, own.Addr())
		return
	}
	if strings.Contains(a.peer.Text, "/") {
		a.address.Prefix = netip.PrefixFrom(own.Addr(), p.Bits())
	}
	a.address.Peer = p.Addr()
}

// flags checks those that mean nothing to the kernel with IPv4.
func (l *lowerer) flags(a *addressDraft) {
	if p := a.address.Prefix; p.Addr().Is6() {
		if a.address.TempAddresses && p.Bits() != 64 {
			l.errs.Errorf(a.word.Pos, "give it the length of its network, /64", "`mngtmpaddr`: the kernel makes temporary addresses in networks of length 64 only, not in that of %s", p)
		}
		return
	}
	for _, w := range a.only6 {
		l.errs.Warnf(w.Pos, "", "`%s` changes nothing: it is for IPv6 addresses", w.Text)
	}
	a.address.Home, a.address.TempAddresses, a.address.Preference = false, false, vip.ByLength
}

// broadcast computes + and -, or reads an address.
func (l *lowerer) broadcast(a *addressDraft) {
	w := a.broadcast
	if w.Pos.Line == 0 {
		return
	}
	if a.address.Prefix.Addr().Is6() {
		l.errs.Errorf(w.Pos, "", "IPv6 has no broadcast addresses")
		return
	}
	if w.Text != "+" && w.Text != "-" {
		b, err := netip.ParseAddr(w.Text)
		if err != nil || !b.Is4() {
			l.errs.Errorf(w.Pos, "an address, or + for the one with all host bits set", "`brd` must be an IPv4 address, + or -, not `%s`", w.Text)
			return
		}
		a.address.Broadcast = b
		return
	}
	bits := a.address.Prefix.Bits()
	if bits > 30 {
		l.errs.Errorf(w.Pos, "give the address the length of its network, such as /24", "`brd %s`: a prefix of length %d has no broadcast address", w.Text, bits)
		return
	}
	ip := a.address.Prefix.Masked().Addr().As4()
	if w.Text == "+" {
		binary.BigEndian.PutUint32(ip[:], binary.BigEndian.Uint32(ip[:])|1<<(32-bits)-1)
	}
	a.address.Broadcast = netip.AddrFrom4(ip)
}
