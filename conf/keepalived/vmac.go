package keepalived

import (
	"fmt"

	"baton/conf"
	"baton/vip"
)

// vmacDraft is what an instance says about a virtual hardware address.
type vmacDraft struct {
	at       conf.Word // use_vmac; none if its line is 0
	name     conf.Word
	xmitBase conf.Word
}

func vmacKeywords() []entry[instanceDraft] {
	return []entry[instanceDraft]{
		{name: "use_vmac", doc: "the addresses have the virtual router's own hardware address, on a macvlan interface: use_vmac [NAME]", max: 2, parse: func(l *lowerer, b *conf.Block, d *instanceDraft) {
			d.vmac.at = b.Words[0]
			if len(b.Words) > 2 {
				l.errs.Errorf(b.Words[2].Pos, "take it out: the hardware address follows from virtual_router_id", "a hardware address behind `use_vmac` is known, not supported yet")
			}
			if len(b.Words) > 1 && l.interfaceName("use_vmac", b.Words[1]) {
				d.vmac.name = b.Words[1]
			}
		}},
		{name: "vmac_xmit_base", doc: "with use_vmac: adverts leave with the hardware address of `interface`", parse: func(_ *lowerer, b *conf.Block, d *instanceDraft) {
			d.vmac.xmitBase = b.Words[0]
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
	name := d.vmac.name.Text
	if name == "" {
		name = l.vmacName(v.VRID)
	}
	if first, twice := l.vmacs[name]; twice {
		l.errs.Errorf(d.vmac.name.Pos, "", "`use_vmac %s` stands twice: it is also at %s", name, first)
	}
	l.vmacs[name] = d.vmac.at.Pos
	if name == v.Interface {
		l.errs.Errorf(d.vmac.name.Pos, "give the new interface another name", "`use_vmac %s` is the interface itself", name)
	}
	return vip.VMAC{Name: name, Base: v.Interface, Hardware: v.MAC()}
}

// vmacName is vrrp.51, or the next of vrrp.51.1, vrrp.51.2, ... that is free: two
// interfaces, or two families, may have the same VRID.
func (l *lowerer) vmacName(vrid uint8) string {
	prefix := l.globals.vmacPrefix
	if prefix == "" {
		prefix = "vrrp"
	}
	name := fmt.Sprintf("%s.%d", prefix, vrid)
	for n := 1; ; n++ {
		if _, taken := l.vmacs[name]; !taken {
			return name
		}
		name = fmt.Sprintf("%s.%d.%d", prefix, vrid, n)
	}
}
