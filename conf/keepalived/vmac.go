package keepalived

import (
	"cmp"
	"fmt"
	"net"
	"slices"
	"strings"

	"baton/conf"
	"baton/internal/diag"
	"baton/vip"
	"baton/vrrp"
)

// vmacDraft is what an instance says about a virtual hardware address.
type vmacDraft struct {
	at       conf.Word // use_vmac; none if its line is 0
	name     conf.Word
	hardware conf.Word
	xmitBase conf.Word
	each     bool // use_vmac_addr
}

func vmacKeywords() []entry[instanceDraft] {
	return []entry[instanceDraft]{
		{name: "use_vmac", doc: "the addresses have the virtual router's own hardware address, on a macvlan interface: use_vmac [NAME] [HARDWARE-ADDRESS]; five octets of one are followed by the VRID", max: 2, parse: func(l *lowerer, b *conf.Block, d *instanceDraft) {
			d.vmac.at = b.Words[0]
			for _, w := range b.Words[1:] {
				switch {
				case d.vmac.hardware.Text != "":
					l.errs.Errorf(w.Pos, "use_vmac [NAME] [HARDWARE-ADDRESS]", "`use_vmac`: `%s` is one word too many", w.Text)
				case d.vmac.name.Text != "" || strings.Contains(w.Text, ":"):
					d.vmac.hardware = w
				case l.interfaceName("use_vmac", w):
					d.vmac.name = w
				}
			}
		}},
		{name: "vmac_xmit_base", doc: "with use_vmac: adverts leave with the hardware address of `interface`", parse: func(_ *lowerer, b *conf.Block, d *instanceDraft) {
			d.vmac.xmitBase = b.Words[0]
		}},
		{name: "use_vmac_addr", doc: "addresses on other interfaces than `interface`, or of the other family, have a virtual hardware address there", parse: func(_ *lowerer, _ *conf.Block, d *instanceDraft) {
			d.vmac.each = true
		}},
	}
}

// finishVMAC names the interface and says where adverts leave.
func (l *lowerer) finishVMAC(d *instanceDraft) vip.VMAC {
	v := &d.vrrp
	if d.vmac.at.Pos.Line == 0 {
		if w := d.vmac.xmitBase; w.Pos.Line != 0 {
			l.errs.Warnf(w.Pos, "", "`vmac_xmit_base` has no effect without `use_vmac`")
		}
		return vip.VMAC{}
	}
	v.VirtualMAC = d.vmac.xmitBase.Pos.Line == 0
	if v.VirtualMAC && v.Unicast() {
		l.errs.Errorf(d.vmac.at.Pos, "add vmac_xmit_base", "`use_vmac` with `unicast_peer` needs `vmac_xmit_base`")
	}
	if w := d.vmac.hardware; w.Text != "" {
		v.Hardware = l.hardware(w, v.VRID)
	}
	name := d.vmac.name.Text
	if name == "" {
		name = l.vmacName(cmp.Or(l.globals.vmacPrefix, "vrrp"), v.VRID)
	}
	if first, twice := l.vmacs[name]; twice {
		l.errs.Errorf(d.vmac.name.Pos, "", "`use_vmac %s` stands twice: it is also at %s", name, first)
	}
	l.vmacs[name] = d.vmac.at.Pos
	if name == v.Interface {
		l.errs.Errorf(d.vmac.name.Pos, "give the new interface another name", "`use_vmac %s` is the interface itself", name)
	}
	l.station(v.Interface, v.MAC(), d.vmac.at.Pos)
	return vip.VMAC{Name: name, Base: v.Interface, Hardware: v.MAC()}
}

// addressVMACs puts addresses on interfaces with the virtual hardware address of their
// family, those that ask for one with use_vmac and those that use_vmac_addr means. There
// is one for each interface and family.
func (l *lowerer) addressVMACs(d *instanceDraft, own vip.VMAC) (others []vip.VMAC) {
	v := &d.vrrp
	for _, list := range [][]addressDraft{d.addresses, d.excluded} {
		for i := range list {
			a := &list[i]
			base, six := cmp.Or(a.address.Interface, v.Interface), a.address.Prefix.Addr().Is6()
			if base == own.Name {
				base = v.Interface // `dev` may name what use_vmac makes
			}
			elsewhere := base != v.Interface || six != v.IPv6
			if !a.vmac && !(d.vmac.each && elsewhere) {
				continue
			}
			if own.Name != "" && !elsewhere {
				a.address.Interface = own.Name
				continue
			}
			hardware := (&vrrp.Config{VRID: v.VRID, IPv6: six}).MAC()
			n := slices.IndexFunc(others, func(o vip.VMAC) bool { return o.Base == base && o.Hardware == hardware })
			if n < 0 {
				l.station(base, hardware, a.word.Pos)
				name := l.vmacName(cmp.Or(l.globals.vmacAddrPrefix, l.globals.vmacPrefix, "vrrp"), v.VRID)
				l.vmacs[name] = a.word.Pos
				n, others = len(others), append(others, vip.VMAC{Name: name, Base: base, Hardware: hardware})
			}
			a.address.Interface = others[n].Name
		}
	}
	return others
}

// station is a virtual hardware address on an interface.
type station struct {
	base     string
	hardware [6]byte
}

// station notes one. The kernel has each on one macvlan of an interface only, and two
// instances that move apart cannot share it.
func (l *lowerer) station(base string, hardware [6]byte, at diag.Pos) {
	s := station{base, hardware}
	if first, twice := l.stations[s]; twice {
		l.errs.Errorf(at, "give one of the instances another virtual_router_id", "the virtual hardware address %s is on %s already, at %s", net.HardwareAddr(hardware[:]), base, first)
		return
	}
	l.stations[s] = at
}

// hardware reads six octets of a hardware address, or five, which the VRID follows.
func (l *lowerer) hardware(w conf.Word, vrid uint8) (a [6]byte) {
	text := w.Text
	if strings.Count(text, ":") == 4 {
		text = fmt.Sprintf("%s:%02x", text, vrid)
	}
	b, err := net.ParseMAC(text)
	const multicast = 1 // in the first octet: no station has such an address
	if err != nil || len(b) != len(a) || b[0]&multicast != 0 || [6]byte(b) == a {
		l.errs.Errorf(w.Pos, "such as 02:00:5e:00:01:33; five octets are followed by the virtual_router_id", "`use_vmac`: `%s` is no hardware address of a station", w.Text)
		return a
	}
	return [6]byte(b)
}

// vmacPrefix reads the beginning of interface names.
func (l *lowerer) vmacPrefix(b *conf.Block, into *string) {
	name, w := b.Words[0].Text, b.Words[1]
	if len(w.Text) > 7 {
		l.errs.Errorf(w.Pos, "", "`%s` must be at most 7 characters long, not `%s`", name, w.Text)
	} else if l.interfaceName(name, w) {
		*into = w.Text
	}
}

// vmacName is vrrp.51, or the next of vrrp.51.1, vrrp.51.2, ... that is free: two
// interfaces, or two families, may have the same VRID.
func (l *lowerer) vmacName(prefix string, vrid uint8) string {
	name := fmt.Sprintf("%s.%d", prefix, vrid)
	for n := 1; ; n++ {
		if _, taken := l.vmacs[name]; !taken {
			return name
		}
		name = fmt.Sprintf("%s.%d.%d", prefix, vrid, n)
	}
}
