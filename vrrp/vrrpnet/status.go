package vrrpnet

import (
	"net/netip"
	"time"

	"baton/internal/mono"
	"baton/vrrp"
	"baton/vrrp/packet"
)

// Status is what an instance is doing.
type Status struct {
	Name           string
	Interface      string
	Group          string // its sync group; "" if it is in none
	Version        uint8  // 2 or 3
	IPv6           bool
	Unicast        bool
	VRID           uint8
	BasePriority   uint8
	AdvertInterval time.Duration
	NoPreempt      bool
	View

	Deadline    mono.Time // when the instance wants to act next; mono.Never if it waits for something else
	Transitions uint64    // state changes so far
	Sent        uint64    // adverts sent
	SendErrors  uint64
	Received    uint64 // adverts accepted or refused, of this VRID
	// BecameMaster and LeftMaster count those changes, ZeroSent and ZeroReceived
	// adverts of priority 0.
	BecameMaster, LeftMaster, ZeroSent, ZeroReceived uint64
	// Refused counts packets by reason. Those from NotIPv4 to Short, and VRID,
	// are counted per interface and family, because the packet is nobody's or cannot be
	// trusted: every instance of an interface shows the same numbers there.
	Refused [packet.NumReasons]uint64
	// Sights are the other nodes that have been heard within the last minute.
	Sights  []Sight
	Paths   []PathStatus  // the interface's first, then those of heartbeat_path; none without such
	MaxLate time.Duration // the latest that a timer of this instance was served
}

// View is the part of a Status that is consistent in itself.
type View struct {
	State          vrrp.State
	Since          mono.Time
	Why            vrrp.Why    // of the last state change
	Faults         vrrp.Faults // all that hold it in FAULT
	Priority       uint8       // effective
	Delta          int         // what the probes add to the base priority
	Pending        bool        // the probes have no verdict yet
	Yielded        bool        // has handed over, and leaves the addresses where they are
	Source         netip.Addr  // where its adverts come from; zero if there is no address
	Master         netip.Addr  // the other master heard last; zero if none was
	MasterPriority uint8
	Problem        string // the last failure of socket or addresses that still stands
}

// Status returns the state of every instance, in the order of Options.Instances.
// It never waits for the VRRP thread.
func (s *Speaker) Status() []Status {
	members := s.roster.Load().members
	list := make([]Status, len(members))
	for i, m := range members {
		list[i] = m.status()
	}
	return list
}

func (m *member) status() Status {
	st := Status{
		Name: m.cfg.Name, Interface: m.cfg.Interface, Group: m.team.name, VRID: m.cfg.VRID,
		Version: m.version, IPv6: m.cfg.IPv6, Unicast: m.cfg.Unicast(),
		BasePriority: m.cfg.Priority, AdvertInterval: m.cfg.AdvertInterval, NoPreempt: m.cfg.NoPreempt,
		View:        *m.view.Load(),
		Deadline:    mono.Time(m.deadline.Load()),
		Transitions: m.transitions.Load(),
		Sent:        m.sent.Load(),
		SendErrors:  m.sendErrors.Load(),
		Received:    m.received.Load(),
		Sights:      m.sights.present(mono.Now()),
		MaxLate:     time.Duration(m.maxLate.Load()),
	}
	st.BecameMaster, st.LeftMaster = m.becameMaster.Load(), m.leftMaster.Load()
	st.ZeroSent, st.ZeroReceived = m.zeroSent.Load(), m.zeroReceived.Load()
	for r := range st.Refused {
		st.Refused[r] = m.refused[r].Load() + m.link.refused[r].Load()
	}
	st.Paths = m.pathStatus()
	return st
}

// Alive reports whether the VRRP thread did a full turn within the given time. It
// turns at least once a second. A Speaker that does not run is well.
func (s *Speaker) Alive(within time.Duration) bool {
	beat := s.beat.Load()
	return beat == notRunning || mono.Now().Sub(mono.Time(beat)) <= max(within, 2*maxWait)
}

const notRunning = -1
