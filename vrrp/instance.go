package vrrp

import (
	"net/netip"
	"time"

	"baton/internal/mono"
)

const (
	// downAdverts is how many advert intervals of silence mean that the master is
	// gone (RFC 3768 section 6.1, Master_Down_Interval).
	downAdverts = 3

	// linkGrace is how long a started instance waits for the first word about its
	// interface before it reports it missing.
	linkGrace = time.Second

	// contestTime is how long after a lower rank was heard the master speaks and
	// announces once more. The other one may have announced itself after our answer
	// had left: it adds its addresses between the two.
	contestTime = 50 * time.Millisecond

	// answerTime is the least time between two answers to lower ranks, or one advert
	// interval, if that is shorter: what others send must not set the pace.
	answerTime = contestTime

	// A master whose addresses cannot be set takes them from a node that could
	// hold them, for nothing, at each attempt. So attempts become rare.
	firstRetry = 10 * time.Second
	lastRetry  = 320 * time.Second
)

// Instance is one vrrp_instance: the state machine of RFC 3768 section 6.4 with
// keepalived's FAULT. Its fields change in Step only.
type Instance struct {
	cfg   Config
	state State

	started, stopped bool
	linkKnown        bool // a Link event has come
	linkOverdue      bool // started for linkGrace without one
	pending          bool // the probes have no verdict yet
	link             Faults
	unhealthy        bool
	unset            bool // the addresses could not be set; retried at deadline
	retry            time.Duration
	shown            Faults // as last told

	// What the Group knows; see sync.go.
	grouped     bool // a member of a sync group
	held        bool // another member is not ready to leave INIT or FAULT
	released    bool // may leave INIT: members do so in their order, whoever was the last to be ready
	memberFault bool // another member has a fault of its own
	wants       bool // BACKUP: the timer has expired, the group may go MASTER
	wantWhy     Why
	joins       bool // a reload put it into a group that is MASTER: it goes there as soon as it can

	waiting     bool      // StartDelay has not passed
	startAt     mono.Time // when it has
	graceAt     mono.Time // when a link that nobody has spoken of is missing
	preemptAt   mono.Time // BACKUP: end of PreemptDelay; Never while no lower master was heard
	steppedDown bool      // an owner that goes on with 254
	rivalSince  mono.Time // MASTER: another owner's first advert of a row
	rivalLast   mono.Time // and its last

	delta  int
	source netip.Addr // the interface's primary address

	deadline mono.Time // the one timer: advert, master-down, grace or retry
	sent     mono.Time // MASTER: when the last advert was due to leave

	masterInterval time.Duration // version 3, BACKUP: the master's advert interval; 0: ours

	peer         netip.Addr // the master heard last
	peerPriority uint8
	follows      netip.Addr // BACKUP: the master that the timer runs for; zero: none heard yet
	owes         bool       // a resignation, to the next master that is heard; see debt.go
	owesFrom     mono.Time  // but not before
	resignedAt   mono.Time  // when it was said for the first time; Never: not yet
	resigned     bool       // BACKUP: the timer runs after a resignation
	lowerHeard   bool       // BACKUP: adverts of lower priority were ignored
	contested    bool       // MASTER: the timer runs for contestTime at most, to announce again
	answerAt     mono.Time  // MASTER: a lower rank that is heard before is answered then

	sights   []PathSight // with heartbeat paths: by which the master is heard
	farewell farewell

	partner partner
}

func (i *Instance) init(c Config) {
	*i = Instance{cfg: c, deadline: mono.Never, retry: firstRetry, preemptAt: mono.Never}
	if len(c.Paths) > 0 {
		i.sights = make([]PathSight, 1+len(c.Paths))
	}
}

// Config returns what the instance was made from.
func (i *Instance) Config() *Config { return &i.cfg }

// State returns the present state.
func (i *Instance) State() State { return i.state }

// Source returns the address that adverts are sent from: mcast_src_ip, or the
// interface's primary address; zero if there is none.
func (i *Instance) Source() netip.Addr {
	if i.cfg.Source.IsValid() {
		return i.cfg.Source
	}
	return i.source
}

// Delta returns what the probes add to the priority.
func (i *Instance) Delta() int { return i.delta }

// Pending reports whether the probes still keep the instance from taking part.
func (i *Instance) Pending() bool { return i.pending }

// Peer returns the master heard last and its priority; zero if none was.
func (i *Instance) Peer() (netip.Addr, uint8) { return i.peer, i.peerPriority }

// Deadline is when the instance wants its next Timer event.
func (i *Instance) Deadline() mono.Time { return i.deadline }

// Priority returns the effective priority: base and probes, within 1..254. An
// owner's 255 does not move (keepalived.conf, track_script).
func (i *Instance) Priority() uint8 {
	if i.steppedDown {
		return Effective(254, i.delta)
	}
	return Effective(i.cfg.Priority, i.delta)
}

// Effective is the priority in force with a base priority and the points that the
// probes add: within 1..254, but 255 stays.
func Effective(base uint8, delta int) uint8 {
	if base == 255 {
		return 255
	}
	return uint8(min(max(int(base)+delta, 1), 254))
}

// Skew returns the skew time: the higher the priority, the sooner the takeover.
func (i *Instance) Skew() time.Duration { return i.skew(i.Priority()) }

// skew is within one second in version 2 (RFC 3768 section 6.1), and within one
// advert interval of the master in version 3 (RFC 9568 section 6.1).
func (i *Instance) skew(priority uint8) time.Duration {
	within := time.Second
	if i.cfg.Version == 3 {
		within = i.interval()
	}
	return time.Duration(256-int(priority)) * within / 256
}

// interval is the advert interval that the timers of a backup count in: in version
// 3 the present master's (Active_Adver_Interval of RFC 9568 section 6.1).
func (i *Instance) interval() time.Duration {
	if i.masterInterval > 0 && i.state == Backup {
		return i.masterInterval
	}
	return i.cfg.AdvertInterval
}

// MasterDown returns the master-down interval of RFC 3768 section 6.1 and RFC 9568
// section 6.1.
func (i *Instance) MasterDown() time.Duration {
	n := i.cfg.DownAdverts
	if n == 0 {
		n = downAdverts
	}
	return time.Duration(n)*i.interval() + i.Skew()
}

// Faults returns all that keeps the instance in FAULT.
func (i *Instance) Faults() Faults {
	f := i.ownFaults()
	if i.memberFault {
		f |= MemberFaulted
	}
	return f
}

// ownFaults is Faults without those of the sync group.
func (i *Instance) ownFaults() Faults {
	f := i.link
	if i.cfg.DontTrackPrimary {
		f &^= LinkDown
	}
	switch {
	case i.linkOverdue && !i.linkKnown:
		f |= LinkMissing
	case i.linkKnown && f == 0 && !i.Source().IsValid():
		f |= NoAddress
	}
	if i.unhealthy {
		f |= Unhealthy
	}
	if i.unset {
		f |= NoAddresses
	}
	return f
}

// Step applies an event at now and appends what to do to out, in order.
func (i *Instance) Step(now mono.Time, ev Event, out []Action) []Action {
	if i.stopped {
		return out
	}
	i.waiting = i.waiting && now < i.startAt
	out = i.fence(now, ev.Asleep, out)
	switch ev.Kind {
	case Start:
		if !i.started {
			i.started = true
			// What a dead predecessor left behind must not answer for the addresses.
			out = append(out, Action{Kind: SetVIPs})
			i.waiting, i.startAt, i.graceAt = i.cfg.StartDelay > 0, now.Add(i.cfg.StartDelay), now.Add(linkGrace)
			out = i.review(now, Started, out)
			i.awaitStart()
		}
	case Timer:
		if now >= i.deadline {
			out = i.expire(now, out)
		}
	case Slept:
		i.sleptOnDebt(ev.Asleep)
		if i.state == Master { // for less than what fence minds: its advert is late
			i.deadline = max(i.deadline.Add(-ev.Asleep), now)
			out = append(out, Action{Kind: Announce, Conflict: true})
		}
	case Heard:
		out = i.hear(now, ev, out)
	case Link:
		if i.link != 0 && ev.Faults&LinkFaults == 0 {
			i.unset = false // the interface that refused the addresses is another now
		}
		i.linkKnown = true
		i.awaitStart()
		i.link, i.source = ev.Faults&LinkFaults, ev.Source
		out = i.review(now, i.comeback(), out)
	case Health:
		i.unhealthy, i.pending = ev.Fault, ev.Pending
		out = i.reprioritise(now, ev.Delta, out)
		out = i.review(now, i.comeback(), out)
	case AddressesFailed:
		if i.state == Master {
			i.unset = true
			out = i.review(now, Faulted, out)
		}
	case Shutdown:
		out = i.stop(now, Stopped, out)
	case Remove:
		out = i.stop(now, Removed, out)
	default:
		out = i.hint(now, ev, out)
	}
	return out
}

// comeback is why an instance without faults becomes BACKUP.
func (i *Instance) comeback() Why {
	if i.state == Fault {
		return Recovered
	}
	return Started
}

// review compares the faults with the state: into FAULT, out of it or out of INIT.
func (i *Instance) review(now mono.Time, why Why, out []Action) []Action {
	if !i.started {
		return out
	}
	faults := i.Faults()
	switch {
	case faults != 0 && i.state != Fault:
		out = i.fault(now, faults, out)
	case faults != 0:
		if faults != i.shown {
			i.shown = faults
			out = append(out, Action{Kind: Trace, Note: FaultsChanged, Faults: faults, Priority: i.Priority()})
		}
	case i.state != Init && i.state != Fault:
		// Takes part already; a new probe that is pending does not end that.
	case i.grouped && i.state == Init && !i.released:
		// Nor does a member of a sync group go ahead alone.
	case i.waiting || i.held || i.pending || !i.linkKnown:
		// INIT stays INIT. FAULT stays FAULT too: leaving it needs a verdict.
	case i.cfg.Priority == 255 && i.cfg.StartAsMaster && i.state == Init && !i.grouped:
		out = i.master(now, OwnsAddress, out)
	case i.cfg.Priority == 255 && i.cfg.StartAsMaster && i.state == Init:
		out = i.backup(now, why, out)
		i.deadline = now // at once, if the group can
	default:
		out = i.backup(now, why, out)
	}
	return out
}

// reprioritise takes a new sum of the probes' weights. A backup's running timer
// moves by the difference of the skew times, as keepalived does it.
func (i *Instance) reprioritise(now mono.Time, delta int, out []Action) []Action {
	was := i.Priority()
	i.delta = delta
	is := i.Priority()
	if was == is {
		return out
	}
	if i.state == Backup {
		i.deadline = max(i.deadline.Add(i.skew(is)-i.skew(was)), now)
	}
	return append(out, Action{Kind: Trace, Note: PriorityChanged, Priority: is})
}

// expire handles the Deadline.
func (i *Instance) expire(now mono.Time, out []Action) []Action {
	switch i.state {
	case Master:
		contested := i.contested && i.answers(now)
		i.contested = i.contested && !contested
		if out = i.advertise(now, out); contested || i.partner.announces(now) {
			out = append(out, Action{Kind: Announce, Conflict: contested})
		}
		return out
	case Backup:
		why := NoMaster
		switch {
		case i.resigned:
			why = Resigned
		case i.lowerHeard:
			why = Preempts
		}
		if i.grouped {
			i.want(now, why)
			return out
		}
		return i.master(now, why, out)
	case Fault:
		i.deadline = mono.Never
		i.unset = false
		return i.review(now, Recovered, out)
	}
	i.linkOverdue = i.linkOverdue || now >= i.graceAt
	out = i.review(now, Started, out)
	i.awaitStart()
	return out
}

// awaitStart sets the timer of an instance that is in INIT: what it waits for in
// time is the end of StartDelay, and the first word about its interface.
func (i *Instance) awaitStart() {
	if i.state != Init || !i.started {
		return
	}
	i.deadline = mono.Never
	if i.waiting {
		i.deadline = i.startAt
	}
	if !i.linkKnown && !i.linkOverdue {
		i.deadline = mono.Min(i.deadline, i.graceAt)
	}
}

// advertise sends an advert and starts the advert timer anew.
func (i *Instance) advertise(now mono.Time, out []Action) []Action {
	// From the instant it was due, so that lateness does not add up to fewer
	// adverts, unless this one comes early or an interval was missed.
	due := i.deadline
	if due > now || now.Sub(due) >= i.cfg.AdvertInterval {
		due = now
	}
	i.sent = now
	i.partner.confirm(now)
	i.deadline = due.Add(i.cfg.AdvertInterval)
	return append(out, Action{Kind: SendAdvert, Priority: i.rank(now)})
}

// overdue is a MASTER's advert that has become due while the shell carries out a batch.
func (i *Instance) overdue(now mono.Time, out []Action) []Action {
	if i.state != Master || now < i.deadline || i.overslept(now, 0) {
		return out
	}
	return i.advertise(now, out)
}

// ahead is a MASTER's advert that may leave now though it is due a little later.
func (i *Instance) ahead(now mono.Time, out []Action) []Action {
	if i.state != Master || i.contested || now < i.deadline.Add(-Lead(i.cfg.AdvertInterval)) || i.overslept(now, 0) {
		return out
	}
	return i.expire(now, out)
}
