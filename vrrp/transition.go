package vrrp

import (
	"net/netip"
	"time"

	"baton/internal/mono"
	"baton/vrrp/packet"
)

// overslept reports whether this process stood still (stopped, starved, suspended)
// for so long that the others had time to elect another master. asleep is what the
// clock did not count. A backup that was asleep has heard nobody then: its timer says
// nothing.
func (i *Instance) overslept(now mono.Time, asleep time.Duration) bool {
	switch i.state {
	case Master:
		return now.Sub(i.sent)+asleep > i.MasterDown()
	case Backup:
		late := now.Sub(i.deadline) + asleep
		return late > i.MasterDown() || asleep > 0 && late > 0
	}
	return false
}

// fence makes a stalled instance begin again as BACKUP before it does anything
// else. A backup that stood still cannot tell a silent master from its own
// absence either, so its timer starts again.
//
// A master leaves without a word: a resignation now could hit a successor's
// backups. But where a partition had made two masters, or this kernel went on
// answering for the addresses while nobody held it back, clients believe this node:
// see owe.
func (i *Instance) fence(now mono.Time, asleep time.Duration, out []Action) []Action {
	if !i.overslept(now, asleep) {
		return out
	}
	if i.state == Master {
		i.owe(now)
		return i.backup(now, StalledAlone, out)
	}
	i.await(now)
	return append(out, Action{Kind: Trace, Note: WokeLate, Priority: i.Priority()})
}

// await starts the master-down timer.
func (i *Instance) await(now mono.Time) {
	i.deadline = now.Add(i.MasterDown())
	i.resigned, i.lowerHeard, i.wants = false, false, false
}

// enter changes the state and reports it. The report comes after the actions that
// belong to the change, so whoever hears of MASTER finds the addresses in place.
func (i *Instance) enter(now mono.Time, s State, why Why, out []Action) []Action {
	a := Action{Kind: Notify, From: i.state, State: s, Why: why, Priority: i.Priority()}
	switch why {
	case HigherHeard, TieLost, Resigned, Preempts, ProcessGone, HandedOver, StillAlive:
		a.Peer, a.PeerPriority = i.peer, i.peerPriority
	case Faulted:
		a.Faults = i.shown
	}
	i.state, i.contested = s, false
	i.preemptAt, i.rivalSince, i.wants = mono.Never, mono.Never, false
	i.answerAt = 0
	i.follows = netip.Addr{}
	i.forgetSights(now)
	return append(out, a)
}

// backup enters BACKUP. Coming from MASTER because of a better one, no priority 0
// is sent: the better one has spoken already (RFC 3768 section 6.4.3).
func (i *Instance) backup(now mono.Time, why Why, out []Action) []Action {
	if i.state == Master {
		out = append(out, Action{Kind: SetVIPs})
		i.retry = firstRetry
		i.partner.leaveMaster()
	}
	i.shown = 0
	out = i.enter(now, Backup, why, out)
	i.await(now)
	return out
}

// master enters MASTER: first the advert, so that the old master lets go, then
// the addresses, then everybody is told where they are.
func (i *Instance) master(now mono.Time, why Why, out []Action) []Action {
	i.deadline = now
	out = i.advertise(now, out)
	out = append(out, Action{Kind: SetVIPs, Up: true}, Action{Kind: Announce})
	out = i.enter(now, Master, why, out)
	i.masterInterval = 0
	i.resigned, i.lowerHeard, i.owes = false, false, false
	// After a claim it is forgotten when the claim has stood.
	i.partner.yielded = i.partner.yielded && i.claims(now)
	return out
}

// fault enters FAULT.
func (i *Instance) fault(now mono.Time, faults Faults, out []Action) []Action {
	if i.state == Master {
		out = append(i.resign(now, out), Action{Kind: SetVIPs})
		i.partner.leaveMaster()
	}
	i.deadline = mono.Never
	if i.waiting {
		i.deadline = i.startAt // the fault may have gone by then
	}
	if faults&NoAddresses != 0 {
		i.deadline = now.Add(i.retry)
		i.retry = min(2*i.retry, lastRetry)
	} else if i.state == Master {
		i.retry = firstRetry
	}
	i.shown = faults
	i.masterInterval = 0
	return i.enter(now, Fault, Faulted, out)
}

// stop ends the instance, because the daemon stops or a reload has removed it: a master resigns, then removes its addresses, so that
// the successor waits for its skew time only.
func (i *Instance) stop(now mono.Time, why Why, out []Action) []Action {
	if i.state == Master {
		out = append(out, Action{Kind: SendAdvert, Priority: 0}, Action{Kind: SetVIPs})
	}
	i.stopped = true
	i.deadline = mono.Never
	if i.started {
		out = i.enter(now, Init, why, out)
	}
	return out
}

// hear handles an advert.
func (i *Instance) hear(now mono.Time, ev Event, out []Action) []Action {
	ad := ev.Advert
	switch i.state {
	case Backup, Master:
	case Fault:
		return i.hearInFault(now, ad, out)
	default:
		return out
	}
	if r := ad.Check(i.cfg.Auth, i.cfg.AdvertInterval); r != packet.OK {
		return append(out, Action{Kind: Drop, Reason: r, Peer: ev.From})
	}
	// keepalived 2.4 accepts an advert with another address list: refusing it
	// would make two masters out of a typing error.
	if !(i.cfg.SkipAddressCheck && ev.From == i.peer) && !i.sameAddresses(ad) {
		out = append(out, Action{Kind: Drop, Reason: packet.Addresses, Peer: ev.From})
	}
	note := func(n Note) Action {
		return Action{Kind: Trace, Note: n, Priority: i.Priority(), Peer: ev.From, PeerPriority: ad.Priority}
	}
	if i.belated(now, ev) {
		return out
	}
	if i.state == Backup {
		return i.hearAsBackup(now, ev, note, out)
	}
	return i.hearAsMaster(now, ev, note, out)
}

func (i *Instance) hearAsBackup(now mono.Time, ev Event, note func(Note) Action, out []Action) []Action {
	ad := ev.Advert
	if ad.Priority > 0 {
		out = i.see(now, ev, note, out)
		out = i.settleDebt(now, ad, out)
	}
	switch {
	case ad.Priority == 0 && i.follows.IsValid() && !same(ev.From, i.follows):
		// Of a second master, or owed: the master that we hear is there. RFC 9568 has
		// the timer run for any resignation; at 10 ms adverts that can be shorter than
		// the master's answer takes.
		return append(out, note(StrangerResigned))
	case ad.Priority == 0:
		i.deadline = now.Add(i.Skew())
		i.resigned, i.lowerHeard = true, false
		return append(out, note(ResignHeard))
	case !i.preempts() || ad.Priority >= i.Priority():
		i.preemptAt = mono.Never
		if i.peer != ev.From || i.peerPriority != ad.Priority {
			out = append(out, note(NewMaster))
		}
		if last := i.follows; !last.IsValid() || same(ev.From, last) || ad.Interval > i.interval() {
			out = i.adopt(ad, note, out)
		} // Else it may be the last word of one that yields (HigherPrioSendAdvert): its second advert counts.
		i.await(now)
		i.follows = ev.From
	case i.delaysPreemption(now):
		if i.peer != ev.From || i.peerPriority != ad.Priority || now.Add(i.cfg.PreemptDelay) == i.preemptAt {
			out = append(out, note(PreemptLater))
		}
		i.await(now)
		i.follows = ev.From
	default:
		if !i.lowerHeard {
			out = append(out, note(LowerIgnored))
		}
		i.lowerHeard = true
	}
	i.peer, i.peerPriority = ev.From, ad.Priority
	return out
}

// adopt takes the interval of the master over (RFC 9568 section 6.4.2): a backup
// that counted in a shorter one of its own would disturb a master that is well.
// It is forgotten with the next election.
func (i *Instance) adopt(ad *packet.Advert, note func(Note) Action, out []Action) []Action {
	if i.cfg.Version != 3 || ad.Interval <= 0 || i.interval() == ad.Interval {
		return out
	}
	i.masterInterval = ad.Interval
	a := note(IntervalAdopted)
	a.Interval = ad.Interval
	return append(out, a)
}

func (i *Instance) hearAsMaster(now mono.Time, ev Event, note func(Note) Action, out []Action) []Action {
	if out, done := i.hearPartner(now, ev.From, ev.Advert, out); done {
		return out
	}
	ad, ours := ev.Advert, i.rank(now)
	order := ev.From.Compare(i.Source())
	switch {
	case ad.Priority == 0:
		// RFC 3768 section 6.4.3: tell the others at once that there is a master. The one
		// that resigns was a second one, and clients may believe that it still is.
		if out = append(out, note(ResignHeard)); !i.answers(now) {
			i.contested = true
			i.deadline = min(i.deadline, i.answerAt)
			return out
		}
		return append(i.advertise(now, out), Action{Kind: Announce, Conflict: true})
	case ad.Priority == ours && order == 0:
		return append(out, note(SameSender))
	case ad.Priority > ours, ad.Priority == ours && order > 0:
		why := HigherHeard
		if ad.Priority == ours {
			why = TieLost
		}
		if i.cfg.HigherPrioSendAdvert {
			// So that the better one learns of this one and announces itself again: clients
			// may have heard this node last.
			out = i.advertise(now, out)
		}
		i.peer, i.peerPriority = ev.From, ad.Priority
		i.masterInterval = 0
		out = i.backup(now, why, out)
		out = i.adopt(ad, note, out)
		out = i.see(now, ev, note, out)
		i.await(now) // with the interval of the master that we yield to
		i.follows = ev.From
		return out
	case ad.Priority == 255 && i.rivalStays(now):
		i.steppedDown = true
		i.peer, i.peerPriority = ev.From, ad.Priority
		return i.backup(now, HigherHeard, append(out, note(OwnerYields)))
	}
	// keepalived: force a new election and win back the clients that the other took.
	out = append(out, note(LowerHeard))
	if !i.answers(now) {
		i.contested = true // and answered when it may be, in one for all
		if !i.cfg.LowerPrioNoAdvert {
			i.deadline = min(i.deadline, i.answerAt)
		}
		return out
	}
	if !i.cfg.LowerPrioNoAdvert {
		out = i.advertise(now, out)
		i.contested = true
		i.deadline = min(i.deadline, now.Add(contestTime))
	}
	return append(out, Action{Kind: Announce, Conflict: true})
}

// answers reports whether an advert may be answered at once. Two nodes of which each
// takes the other for the lower one would answer each other's answers, and one sender
// could make this node announce as fast as it sends.
func (i *Instance) answers(now mono.Time) bool {
	if now < i.answerAt {
		return false
	}
	i.answerAt = now.Add(min(answerTime, i.cfg.AdvertInterval))
	return true
}

// delaysPreemption reports whether a master of lower rank is left alone for now.
// PreemptDelay runs from its first advert; one of a higher or the same rank ends it.
func (i *Instance) delaysPreemption(now mono.Time) bool {
	if i.cfg.PreemptDelay <= 0 {
		return false
	}
	if i.preemptAt == mono.Never {
		i.preemptAt = now.Add(i.cfg.PreemptDelay)
	}
	return now < i.preemptAt
}

// rivalStays is asked when an owner hears another one with a lower address. That
// one should yield; if it has not after it had the time to hear two adverts and
// something more, this one does, as keepalived does it: two owners are a mistake
// in the files, and one master must come out of it.
func (i *Instance) rivalStays(now mono.Time) bool {
	if i.rivalSince == mono.Never || now.Sub(i.rivalLast) > i.MasterDown() {
		i.rivalSince = now
	}
	i.rivalLast = now
	return now.Sub(i.rivalSince) > 2*i.cfg.AdvertInterval+i.cfg.AdvertInterval*12/10
}

// sameAddresses compares the advertised list with ours as sets.
func (i *Instance) sameAddresses(ad *packet.Advert) bool {
	if len(ad.Addresses) != len(i.cfg.Advertised) {
		return false
	}
next:
	for n, a := range ad.Addresses {
		if i.cfg.Advertised[n] == a {
			continue // the same order is the rule
		}
		for _, b := range i.cfg.Advertised {
			if a == b {
				continue next
			}
		}
		return false
	}
	return true
}
