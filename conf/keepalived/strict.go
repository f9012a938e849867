package keepalived

import (
	"baton/conf"
	"baton/internal/diag"
	"baton/vip"
	"baton/vrrp/packet"
)

// acceptKeywords say whether a master that is not the owner of its addresses answers
// on them.
func acceptKeywords() []entry[instanceDraft] {
	set := func(on bool) func(*lowerer, *conf.Block, *instanceDraft) {
		return func(l *lowerer, b *conf.Block, d *instanceDraft) {
			if d.acceptAt.Line != 0 && d.accept != on {
				l.errs.Errorf(b.Words[0].Pos, "remove one of them", "`accept` and `no_accept`: the other is at %s", d.acceptAt)
			}
			d.accept, d.acceptAt = on, b.Words[0].Pos
		}
	}
	return []entry[instanceDraft]{
		{name: "accept", doc: "the default, but with strict_mode: the master answers on its addresses", parse: set(true)},
		{name: "no_accept", doc: "packets to and from the addresses are dropped, but neighbour discovery: they are for routing only; needs nf_tables", parse: set(false)},
		toggle("strict_mode", "adhere to the RFCs strictly; default: vrrp_strict", func(d *instanceDraft, on bool) { d.strict = on }),
	}
}

// finishAccept is called when the priority and the version are known.
func (l *lowerer) finishAccept(d *instanceDraft) (noAccept bool) {
	owner := d.vrrp.Priority == 255
	switch {
	case d.acceptAt.Line == 0 && d.strict && !owner:
		hint := "use version 3 and write `accept`, or do without vrrp_strict"
		if d.vrrp.Version == 3 {
			hint = "write `accept` if anybody is to connect to them"
		}
		l.errs.Warnf(d.name.Pos, hint, "strict mode: vrrp_instance %s answers nothing on its addresses (no_accept)", d.name.Text)
		return true
	case d.acceptAt.Line == 0 || d.accept && (!d.strict || d.vrrp.Version == 3 || owner):
		return false
	case d.accept:
		l.errs.Warnf(d.acceptAt, "use version 3", "`accept` is void: strict mode has none for VRRP version 2")
		return true
	case owner:
		l.errs.Warnf(d.acceptAt, "use a priority below 255", "`no_accept` is void: priority 255 owns its addresses and answers on them")
		return false
	}
	return true
}

// strictMode applies vrrp_strict and strict_mode as keepalived.conf(5) lists their
// effects. What the mode overrules is a warning, what it forbids an error.
func (l *lowerer) strictMode(d *instanceDraft) {
	if !d.strict {
		return
	}
	v := &d.vrrp
	void := func(at diag.Pos, keyword string) {
		if at.Line == 0 {
			at = d.name.Pos
		}
		l.errs.Warnf(at, "take it out, or do without strict mode", "`%s` is void in strict mode", keyword)
	}
	if len(d.addresses) == 0 {
		l.errs.Errorf(d.name.Pos, "add virtual_ipaddress", "strict mode: vrrp_instance %s has no address in virtual_ipaddress", d.name.Text)
	}
	if v.Unicast() {
		l.errs.Errorf(d.name.Pos, "take unicast_peer out, or do without strict mode", "strict mode: vrrp_instance %s has `unicast_peer`", d.name.Text)
	}
	if v.IPv6 && len(d.addresses) > 0 && !d.addresses[0].address.Prefix.Addr().IsLinkLocalUnicast() {
		l.errs.Errorf(d.addresses[0].word.Pos, "put one of fe80::/10 first, the same on every node", "strict mode: the first IPv6 address of vrrp_instance %s is not link-local", d.name.Text)
	}
	if d.seen["state"] && v.StartAsMaster != (v.Priority == 255) {
		l.errs.Errorf(d.name.Pos, "MASTER with priority 255, BACKUP with any other", "strict mode: the `state` of vrrp_instance %s does not fit priority %d", d.name.Text, v.Priority)
	}
	v.StartAsMaster = v.Priority == 255
	if v.Auth.Type != packet.AuthNone {
		void(d.authType.Pos, "authentication")
		v.Auth = packet.Auth{}
	}
	if v.PreemptDelay != 0 {
		void(d.preemptDelay, "preempt_delay")
		v.PreemptDelay = 0
	}
	if d.seen["lower_prio_no_advert"] && !v.LowerPrioNoAdvert {
		void(d.name.Pos, "lower_prio_no_advert off")
	}
	if d.seen["higher_prio_send_advert"] && v.HigherPrioSendAdvert {
		void(d.name.Pos, "higher_prio_send_advert")
	}
	v.LowerPrioNoAdvert, v.HigherPrioSendAdvert = true, false
	if w := d.vmac.xmitBase; w.Pos.Line != 0 {
		void(w.Pos, "vmac_xmit_base")
		d.vmac.xmitBase = conf.Word{}
	}
	a := &d.announce
	if a.repeat != nil || a.delay != nil || a.conflictRepeat != nil || a.conflictDelay != nil || a.refresh != nil || a.refreshRepeat != nil {
		void(d.name.Pos, "garp_* of vrrp_instance "+d.name.Text)
	}
}

// strictSchedule announces once.
func strictSchedule(s vip.Schedule) vip.Schedule {
	s.Repeat, s.Again, s.ConflictRepeat, s.ConflictAgain = 1, 0, 1, 0
	s.Refresh, s.RefreshRepeat = 0, 1
	return s
}
