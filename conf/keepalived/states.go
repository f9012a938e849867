package keepalived

import (
	"time"

	"baton/conf"
	"baton/vrrp"
)

// defaults is what global_defs sets for every vrrp_instance.
type defaults struct {
	downAdverts      int
	lowerNoAdvert    bool
	higherNoAdvert   bool
	skipAddressCheck bool
	startDelay       time.Duration
	notifyPriorities bool
}

const (
	docDownAdverts  = "advert intervals until a silent master counts as dead, 1..100, 3 by default; the same on every node"
	docLowerAdvert  = "a master does not answer an advert of lower rank"
	docHigherAdvert = "on by default: a master that hears a better one sends an advert before it yields, so that the better one announces its addresses again"
	docSkipCheck    = "do not compare the address list in adverts of the master that was heard before"
	docPriorities   = "write MASTER_PRIORITY and BACKUP_PRIORITY to the notify FIFOs when the priority changes"
	maxPreemptDelay = 1000 * time.Second
)

// globalStateKeywords are the settings of global_defs about states.
func globalStateKeywords() []entry[globals] {
	return []entry[globals]{
		{name: "vrrp_startup_delay", doc: "seconds after the start in which no instance takes part in elections", min: 1, max: 1, parse: func(l *lowerer, b *conf.Block, g *globals) {
			if v, ok := l.seconds("vrrp_startup_delay", b.Words[1]); ok {
				g.states.startDelay = v
			}
		}},
		{name: "vrrp_down_timer_adverts", doc: docDownAdverts, min: 1, max: 1, parse: func(l *lowerer, b *conf.Block, g *globals) {
			if n, ok := l.integer("vrrp_down_timer_adverts", b.Words[1], 1, 100); ok {
				g.states.downAdverts = n
			}
		}},
		toggle("vrrp_lower_prio_no_advert", docLowerAdvert, func(g *globals, on bool) { g.states.lowerNoAdvert = on }),
		toggle("vrrp_higher_prio_send_advert", docHigherAdvert, func(g *globals, on bool) { g.states.higherNoAdvert = !on }),
		toggle("vrrp_skip_check_adv_addr", docSkipCheck, func(g *globals, on bool) { g.states.skipAddressCheck = on }),
		toggle("vrrp_notify_priority_changes", docPriorities, func(g *globals, on bool) { g.states.notifyPriorities = on }),
	}
}

// stateKeywords are those of a vrrp_instance.
func stateKeywords() []entry[instanceDraft] {
	return []entry[instanceDraft]{
		{name: "preempt_delay", doc: "seconds for which a master of lower priority is left alone, 0..1000", min: 1, max: 1, parse: func(l *lowerer, b *conf.Block, d *instanceDraft) {
			w := b.Words[1]
			v, ok := parseSeconds(w.Text)
			if !ok || v > maxPreemptDelay {
				l.errs.Errorf(w.Pos, "seconds, such as 300 or 4.12", "`preempt_delay` must be from 0 to 1000, not `%s`", w.Text)
				return
			}
			d.vrrp.PreemptDelay, d.preemptDelay = v, b.Words[0].Pos
		}},
		{name: "dont_track_primary", doc: "the interface going down is no fault", parse: func(_ *lowerer, _ *conf.Block, d *instanceDraft) {
			d.vrrp.DontTrackPrimary = true
		}},
		{name: "down_timer_adverts", doc: docDownAdverts, min: 1, max: 1, parse: func(l *lowerer, b *conf.Block, d *instanceDraft) {
			if n, ok := l.integer("down_timer_adverts", b.Words[1], 1, 100); ok {
				d.vrrp.DownAdverts = n
			}
		}},
		toggle("lower_prio_no_advert", docLowerAdvert, func(d *instanceDraft, on bool) { d.vrrp.LowerPrioNoAdvert = on }),
		toggle("higher_prio_send_advert", docHigherAdvert, func(d *instanceDraft, on bool) { d.vrrp.HigherPrioSendAdvert = on }),
		toggle("skip_check_adv_addr", docSkipCheck, func(d *instanceDraft, on bool) { d.vrrp.SkipAddressCheck = on }),
	}
}

// toggle makes the row of a switch: alone it means on.
func toggle[T any](name, doc string, set func(into *T, on bool)) entry[T] {
	return entry[T]{name: name, doc: doc, max: 1, parse: func(l *lowerer, b *conf.Block, into *T) {
		on := true
		if len(b.Words) > 1 {
			switch w := b.Words[1]; w.Text {
			case "on", "true", "yes":
			case "off", "false", "no":
				on = false
			default:
				l.errs.Errorf(w.Pos, "", "`%s` must be on or off, not `%s`", name, w.Text)
				return
			}
		}
		set(into, on)
	}}
}

// applyStates gives an instance the defaults of global_defs.
func (l *lowerer) applyStates(c *vrrp.Config) {
	g := l.globals.states
	c.DownAdverts, c.StartDelay = g.downAdverts, g.startDelay
	c.LowerPrioNoAdvert, c.HigherPrioSendAdvert, c.SkipAddressCheck = g.lowerNoAdvert, !g.higherNoAdvert, g.skipAddressCheck
}

// checkPreemption finds settings that cancel each other out.
func (l *lowerer) checkPreemption(d *instanceDraft) {
	if d.vrrp.PreemptDelay == 0 {
		return
	}
	switch {
	case d.vrrp.NoPreempt:
		l.errs.Warnf(d.preemptDelay, "remove one of them", "`preempt_delay` has no effect with `nopreempt`")
		d.vrrp.PreemptDelay = 0
	case d.vrrp.StartAsMaster:
		l.errs.Warnf(d.preemptDelay, "use `state BACKUP` on every node", "`preempt_delay` has no effect with `state MASTER`")
		d.vrrp.PreemptDelay = 0
	}
}

// parseLinkDelays reads interface_up_down_delays: lines of NAME DOWN [UP].
func parseLinkDelays(l *lowerer, b *conf.Block, _ *lowerer) {
	for _, line := range b.Body {
		name := line.Words[0]
		if line.HasBody || len(line.Words) < 2 || len(line.Words) > 3 {
			l.errs.Errorf(name.Pos, "such as eth0 0.5 1", "a line of interface_up_down_delays is an interface, the delay down and maybe the delay up")
			continue
		}
		if !l.interfaceName("interface_up_down_delays", name) {
			continue
		}
		delay := LinkDelay{Pos: name.Pos, Interface: name.Text}
		ok := l.delay(line.Words[1], &delay.Down)
		delay.Up = delay.Down
		if len(line.Words) == 3 {
			ok = l.delay(line.Words[2], &delay.Up) && ok
		}
		if ok {
			l.config.LinkDelays = append(l.config.LinkDelays, delay)
		}
	}
}

func (l *lowerer) delay(w conf.Word, into *time.Duration) bool {
	v, ok := parseSeconds(w.Text)
	if !ok || v > 255*time.Second {
		l.errs.Errorf(w.Pos, "seconds, such as 0.5", "a delay must be from 0 to 255 seconds, not `%s`", w.Text)
		return false
	}
	*into = v
	return true
}

// checkLinkDelays warns of delays after which another node is master already.
func (l *lowerer) checkLinkDelays() {
	for _, delay := range l.config.LinkDelays {
		for _, in := range l.config.Instances {
			v := in.VRRP
			downAdverts := v.DownAdverts
			if downAdverts == 0 {
				downAdverts = 3
			}
			if limit := time.Duration(downAdverts-1) * v.AdvertInterval; v.Interface == delay.Interface && max(delay.Down, delay.Up) >= limit {
				l.errs.Warnf(delay.Pos, "", "the delays of %s should be shorter than %v, or the other node is master before vrrp_instance %s is in FAULT", delay.Interface, limit, v.Name)
			}
		}
	}
}
