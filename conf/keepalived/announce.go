package keepalived

import (
	"cmp"
	"time"

	"baton/conf"
	"baton/vip"
)

// A burst is sent at once unless there is a pause between frames, so it is bounded.
const (
	maxRepeat = 100
	maxDelay  = 86400 // seconds
)

// announceDraft is what a block says about announcements; nil: nothing.
type announceDraft struct {
	delay, repeat                 *int
	conflictDelay, conflictRepeat *int
	refresh, refreshRepeat        *int
	extra                         *int
	extraAll                      bool
	form                          *vip.ARPForm
	arpInterval, naInterval       time.Duration // global_defs only
	minimal                       bool          // global_defs only
}

// announceKeywords is the part of the table that global_defs and vrrp_instance
// share, with the prefix of either.
func announceKeywords[T any](prefix string, of func(*T) *announceDraft) []entry[T] {
	number := func(name, doc string, least, most int, field func(*announceDraft) **int) entry[T] {
		return entry[T]{name: prefix + name, doc: doc, min: 1, max: 1, parse: func(l *lowerer, b *conf.Block, into *T) {
			if n, ok := l.integer(b.Words[0].Text, b.Words[1], least, most); ok {
				*field(of(into)) = &n
			}
		}}
	}
	return []entry[T]{
		{name: prefix + "garp_extra_if", doc: "[all] SECONDS: announce again and again the addresses on interfaces by which no adverts leave, with use_vmac and vmac_xmit_base; all: every address; 0: do not", min: 1, max: 2, parse: func(l *lowerer, b *conf.Block, into *T) {
			words := b.Words[1:]
			d := of(into)
			if d.extraAll = len(words) == 2; d.extraAll && words[0].Text != "all" {
				l.errs.Errorf(words[0].Pos, "all, or nothing", "`%s` is followed by all and seconds, or seconds, not `%s`", b.Words[0].Text, words[0].Text)
				return
			}
			if n, ok := l.integer(b.Words[0].Text, words[len(words)-1], 0, maxDelay); ok {
				d.extra = &n
			}
		}},
		{name: prefix + "garp_form", doc: "baton's own: gratuitous ARP is sent as request (the default, as with keepalived), reply or both", min: 1, max: 1, parse: func(l *lowerer, b *conf.Block, into *T) {
			for _, f := range []vip.ARPForm{vip.ARPRequest, vip.ARPReply, vip.ARPBoth} {
				if f.String() == b.Words[1].Text {
					of(into).form = &f
					return
				}
			}
			l.errs.Errorf(b.Words[1].Pos, "", "`%s` must be request, reply or both, not `%s`", b.Words[0].Text, b.Words[1].Text)
		}},
		number("garp_master_delay", "seconds from takeover to the second burst of gratuitous ARP, 5 by default; 0: there is none", 0, maxDelay, func(d *announceDraft) **int { return &d.delay }),
		number("garp_master_repeat", "gratuitous ARPs per burst and address, 5 by default", 1, maxRepeat, func(d *announceDraft) **int { return &d.repeat }),
		number("garp_lower_prio_delay", "garp_master_delay after an advert of lower priority", 0, maxDelay, func(d *announceDraft) **int { return &d.conflictDelay }),
		number("garp_lower_prio_repeat", "garp_master_repeat after an advert of lower priority", 0, maxRepeat, func(d *announceDraft) **int { return &d.conflictRepeat }),
		number("garp_master_refresh", "seconds between refreshes while MASTER, 60 by default; 0: none", 0, maxDelay, func(d *announceDraft) **int { return &d.refresh }),
		number("garp_master_refresh_repeat", "gratuitous ARPs per refresh and address, 1 by default", 1, maxRepeat, func(d *announceDraft) **int { return &d.refreshRepeat }),
	}
}

// globalAnnounceKeywords is what global_defs alone has.
func globalAnnounceKeywords() []entry[globals] {
	pause := func(field func(*announceDraft) *time.Duration) func(*lowerer, *conf.Block, *globals) {
		return func(l *lowerer, b *conf.Block, g *globals) {
			w := b.Words[1]
			v, ok := parseSeconds(w.Text)
			if !ok || v > time.Second {
				l.errs.Errorf(w.Pos, "seconds, such as 0.001", "`%s` must be a time from 0 to 1 s, not `%s`", b.Words[0].Text, w.Text)
				return
			}
			*field(&g.announce) = v
		}
	}
	return []entry[globals]{
		{name: "vrrp_garp_interval", doc: "pause between two gratuitous ARPs on one interface, in seconds", min: 1, max: 1, parse: pause(func(d *announceDraft) *time.Duration { return &d.arpInterval })},
		{name: "vrrp_gna_interval", doc: "pause between two neighbour advertisements on one interface, in seconds", min: 1, max: 1, parse: pause(func(d *announceDraft) *time.Duration { return &d.naInterval })},
		{name: "vrrp_min_garp", doc: "one gratuitous ARP per address and no second burst", max: 1, parse: func(l *lowerer, b *conf.Block, g *globals) {
			g.announce.minimal = l.on(b)
		}},
	}
}

// schedule combines what an instance says with what global_defs says. Nothing said
// about conflicts means the same as after a takeover.
func (d announceDraft) schedule(global announceDraft) vip.Schedule {
	s := vip.DefaultSchedule()
	if global.minimal {
		s.Repeat, s.Again = 1, 0
	}
	number := func(otherwise int, said ...*int) int {
		if n := cmp.Or(said...); n != nil {
			return *n
		}
		return otherwise
	}
	seconds := func(otherwise time.Duration, said ...*int) time.Duration {
		return time.Duration(number(int(otherwise/time.Second), said...)) * time.Second
	}
	s.Repeat = number(s.Repeat, d.repeat, global.repeat)
	s.Again = seconds(s.Again, d.delay, global.delay)
	s.ConflictRepeat = number(s.Repeat, d.conflictRepeat, global.conflictRepeat)
	s.ConflictAgain = seconds(s.Again, d.conflictDelay, global.conflictDelay)
	s.Refresh = seconds(s.Refresh, d.refresh, global.refresh)
	s.RefreshRepeat = number(s.RefreshRepeat, d.refreshRepeat, global.refreshRepeat)
	s.Extra = seconds(0, d.extra, global.extra)
	s.ExtraAll = d.extra != nil && d.extraAll || d.extra == nil && global.extraAll
	if f := cmp.Or(d.form, global.form); f != nil {
		s.Form = *f
	}
	s.ARPInterval, s.NAInterval = global.arpInterval, global.naInterval
	return s
}
