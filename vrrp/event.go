package vrrp

import (
	"net/netip"
	"time"

	"baton/vrrp/packet"
)

// EventKind says what happened.
type EventKind uint8

// The events.
const (
	// Start begins the instance's life. Links and Health may come before it.
	Start EventKind = iota
	// Timer says that the Deadline has come; earlier it does nothing.
	Timer
	// Heard is an advert whose form is right (packet.Advert.Parse said OK) for
	// this instance's VRID and version, on its interface, with the TTL that its
	// configuration asks for.
	Heard
	// Link is the state of the interface: Faults within LinkFaults, and Source.
	Link
	// Health is what the probes add up to: Delta, Fault, Pending.
	Health
	// AddressesFailed says that the last SetVIPs{Up: true} failed. The shell drops
	// what followed that action in the same batch and steps this at once.
	AddressesFailed
	// Slept says that the machine stood still for Asleep, which now does not count:
	// it was suspended.
	Slept
	// Shutdown ends the instance's life.
	Shutdown
	// Remove does so because a reload has removed it.
	Remove

	// What the pair link tells, where there is one. None of it comes from an advert,
	// and an advert settles it where it is wrong.

	// PeerGone: the kernel of the node that sends its adverts from From says that
	// its process is gone. If that is the present master, a BACKUP takes over.
	PeerGone
	// PeerLeft: the node at From was master and says itself that it is not any more.
	PeerLeft
	// PeerWaits: the node at From, of Priority, is no master either and has heard none.
	PeerWaits
	// Succeed: the present master, at From, asks this instance to take over.
	Succeed
	// Withdraw: it asks no longer.
	Withdraw
	// Yield: a MASTER lets go when it hears an advert from From within HandoverTime,
	// and does not take back from a living master then.
	Yield
	// Keep undoes Yield, and what a handover left: the election is as VRRP has it.
	Keep
	// Resign: a MASTER lets go at once, by priority 0, and does not take back from a
	// living master.
	Resign
	// PeerBack: the link to the other node has come up. It may have been cut off, and have
	// been master there until it stopped: a MASTER announces itself again.
	PeerBack
)

// Event is one input of Step.
type Event struct {
	Kind   EventKind
	Member int // index of the instance in its Group; Timer, Start, Slept and Shutdown go to all

	From   netip.Addr     // Heard, and what the pair link tells: the other node's address
	Advert *packet.Advert // Heard: valid during Step
	Path   int            // Heard: by which way; 0 is Interface, n is Config.Paths[n-1]

	Faults Faults     // Link: what is wrong with it, within LinkFaults
	Source netip.Addr // Link: the interface's primary address; zero if it has none

	Delta   int  // Health: priority points, signed
	Fault   bool // Health: the instance must be in FAULT
	Pending bool // Health: no verdict yet, the instance must not become BACKUP

	Asleep time.Duration // Slept

	Priority uint8 // PeerWaits: the other node's
}

// ActionKind says what the shell must do.
type ActionKind uint8

// The actions.
const (
	// SendAdvert sends one advert with Priority.
	SendAdvert ActionKind = iota
	// SetVIPs adds (Up) or removes all addresses.
	SetVIPs
	// Announce starts the gratuitous ARP schedule from its beginning.
	Announce
	// Notify says that the state changed from From to State, and Why.
	Notify
	// Drop says that the advert was refused for Reason (counted, no state change);
	// with packet.Addresses it was accepted and the difference is worth a word.
	Drop
	// Trace says what the instance noticed without changing its state: Note.
	Trace
	// NotifyGroup says that all members of the sync group have moved From to State,
	// and Why the first of them did. Member means nothing.
	NotifyGroup
)

// Action is one output of Step. The actions of a batch are to be carried out in
// their order: a new master's advert leaves before its addresses stand, so that
// the old master has let go of them.
type Action struct {
	Kind   ActionKind
	Member int // index of the instance in its Group

	Priority uint8 // SendAdvert: on the wire; Notify, Trace: the effective priority
	Up       bool  // SetVIPs

	From, State  State         // Notify, NotifyGroup
	Why          Why           // Notify, NotifyGroup
	Faults       Faults        // Notify to FAULT, Trace FaultsChanged: all that hold
	Reason       packet.Reason // Drop
	Note         Note          // Trace
	Peer         netip.Addr    // Notify, Drop, Trace: who sent the advert in question; may be zero
	PeerPriority uint8         // Notify, Trace: with which priority
	Interval     time.Duration // Trace IntervalAdopted: the master's
	Path         int           // Trace PathSilent, PathSeen
	Conflict     bool          // Announce: because another node claims the addresses, not because of a takeover
}

// Faults is the set of reasons that hold an instance in FAULT.
type Faults uint8

// The faults.
const (
	LinkMissing   Faults = 1 << iota // no such interface
	LinkDown                         // the interface is down or without carrier
	NoAddress                        // it has no address to send from
	NoSocket                         // the VRRP socket cannot be opened
	Unhealthy                        // a probe of weight 0 failed
	NoAddresses                      // the virtual addresses cannot be set; retried
	MemberFaulted                    // another member of its sync group is in FAULT
	lastFault     = MemberFaulted
	LinkFaults    = LinkMissing | LinkDown | NoSocket // what a Link event may carry
)

// Each calls f for every fault in the set.
func (s Faults) Each(f func(one Faults)) {
	for one := Faults(1); one <= lastFault; one <<= 1 {
		if s&one != 0 {
			f(one)
		}
	}
}

func (s Faults) String() string {
	text := ""
	s.Each(func(one Faults) {
		if text != "" {
			text += ", "
		}
		switch one {
		case LinkMissing:
			text += "no such interface"
		case LinkDown:
			text += "interface down"
		case NoAddress:
			text += "interface without address to send from"
		case NoSocket:
			text += "no VRRP socket"
		case Unhealthy:
			text += "probe failed"
		case NoAddresses:
			text += "virtual addresses cannot be set"
		case MemberFaulted:
			text += "a member of its sync group is in FAULT"
		}
	})
	return text
}

// Why is the cause of a state change.
type Why uint8

// The causes.
const (
	Started      Why = iota // to BACKUP, FAULT
	OwnsAddress             // INIT to MASTER: priority 255 with `state MASTER`
	NoMaster                // BACKUP to MASTER: silence for the master-down interval
	Resigned                // BACKUP to MASTER: the master sent priority 0
	Preempts                // BACKUP to MASTER: the master's priority is lower
	HigherHeard             // MASTER to BACKUP: an advert with a higher priority
	TieLost                 // MASTER to BACKUP: equal priority, the sender's address is higher
	Faulted                 // to FAULT
	Recovered               // FAULT to BACKUP
	StalledAlone            // MASTER to BACKUP: this process stood still for too long
	Synced                  // with the other members of its sync group
	Stopped                 // to INIT
	Removed                 // to INIT: by a reload
	ProcessGone             // BACKUP to MASTER: the master's kernel ended the pair link
	NoneYet                 // BACKUP to MASTER: nobody is master, and the peer ranks lower
	Asked                   // BACKUP to MASTER: the master handed over
	HandedOver              // MASTER to BACKUP: the successor's advert is here, or nobody was waited for
	StillAlive              // MASTER to BACKUP: the master that was thought dead is not
)

func (w Why) String() string {
	names := [...]string{
		Started:      "started",
		OwnsAddress:  "owns the addresses (priority 255)",
		NoMaster:     "no master heard within the master-down interval",
		Resigned:     "the master resigned",
		Preempts:     "the master's priority is lower",
		HigherHeard:  "heard a higher priority",
		TieLost:      "heard equal priority from a higher address",
		Faulted:      "fault",
		Recovered:    "faults cleared",
		StalledAlone: "this process stood still longer than the master-down interval",
		Synced:       "moves with its sync group",
		Stopped:      "stopped",
		Removed:      "removed by a reload",
		ProcessGone:  "the master's process is gone: its kernel ended the pair link",
		NoneYet:      "there is no master, and the peer ranks lower",
		Asked:        "the master handed over",
		HandedOver:   "handed over",
		StillAlive:   "the master that was thought dead is alive",
	}
	if int(w) < len(names) {
		return names[w]
	}
	return "unknown cause"
}

// Note is something noticed that is no change of state.
type Note uint8

// The notes.
const (
	NewMaster        Note = iota // BACKUP: the master's address or priority is another
	LowerHeard                   // MASTER: an advert of lower rank; answered with advert and announcement
	LowerIgnored                 // BACKUP: an advert of lower priority; we take over when the timer ends
	ResignHeard                  // an advert of priority 0
	SameSender                   // MASTER: equal priority from our own address: a loop or a duplicate address
	PriorityChanged              // the effective priority is now Priority
	FaultsChanged                // FAULT: the set of faults is another
	WokeLate                     // BACKUP: this process stood still; the master-down timer starts again
	PreemptLater                 // BACKUP: preempt_delay has begun
	ReadyInGroup                 // BACKUP: would be master, waits for the other members of its sync group
	OwnerYields                  // MASTER: another owner does not; the priority is 254 from now on
	IntervalAdopted              // BACKUP, version 3: the master's advert interval is another than the one counted in
	PathSilent                   // BACKUP: the master's adverts do not come by Path, but by another
	PathSeen                     // BACKUP: they come by Path again
	StrangerResigned             // BACKUP: an advert of priority 0, but not of the master that is heard
	NumNotes                     // how many there are
)

func (n Note) String() string {
	names := [...]string{
		NewMaster:        "master is",
		LowerHeard:       "heard a lower rank, forcing a new election",
		LowerIgnored:     "heard a lower priority, taking over when the timer ends",
		ResignHeard:      "heard a resignation",
		SameSender:       "heard our own address with our priority",
		PriorityChanged:  "effective priority changed",
		FaultsChanged:    "faults changed",
		IntervalAdopted:  "the master's advert interval is another, adopted",
		WokeLate:         "stood still, waiting for the master once more",
		PreemptLater:     "heard a lower priority, taking over after preempt_delay",
		ReadyInGroup:     "would be master, waiting for the sync group",
		PathSilent:       "the master is not heard by every path: silent",
		PathSeen:         "the master is heard again by path",
		StrangerResigned: "heard a resignation, but not the master's",
		OwnerYields:      "another owner (priority 255) stays, priority is 254 from now on",
	}
	if int(n) < len(names) {
		return names[n]
	}
	return "unknown note"
}
