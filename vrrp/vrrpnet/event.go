package vrrpnet

import (
	"fmt"
	"log/slog"
	"net/netip"
	"time"

	"baton/internal/mono"
	"baton/vrrp"
	"baton/vrrp/packet"
)

// Kind says what an Event is about.
type Kind uint8

// The kinds of event.
const (
	StateChanged   Kind = iota // From, State, Why, Priority; Faults, Peer where they apply
	Resync                     // State: the consumer was behind, this is how it stands now
	Noted                      // Note, and what belongs to it
	Refused                    // Reason, Peer: an advert was not accepted (Instance "" when its VRID is unknown)
	AddressesStuck             // Err: the owner could not add (Up) or remove the addresses
	SocketFailed               // Err: the interface's VRRP socket cannot be opened; tried again
	SendFailed                 // Err: an advert could not be sent
	GroupChanged               // Group, From, State, Why: all members of a sync group have moved
	PeerDiffers                // Peer, Differs, Text: what its adverts show of its settings has changed
	PathChanged                // Interface, Err: the heartbeat path by this interface does not work, or does again (nil)
	Suspended                  // Asleep: the machine was, and its clock stood still
	Reloaded                   // another configuration is in force; what was removed has been told before
	Unprivileged               // Err: no real-time scheduling or no locked memory, for this reason
)

// Event is something that happened, as data. Refused, Noted and SendFailed are
// told once and then at intervals, with Repeated counting the silent ones.
type Event struct {
	Kind      Kind
	Time      mono.Time
	Instance  string
	Group     string // GroupChanged
	Interface string

	From, State  vrrp.State
	Why          vrrp.Why
	Faults       vrrp.Faults
	Priority     uint8 // effective
	Note         vrrp.Note
	Reason       packet.Reason
	Peer         netip.Addr
	PeerPriority uint8
	Asleep       time.Duration // Suspended
	Interval     time.Duration // Note IntervalAdopted
	Up           bool
	Differs      vrrp.Differences // PeerDiffers; 0: nothing any more
	Text         string           // PeerDiffers: in words
	Repeated     uint64
	Err          error
}

// String is the event in one line, without time, instance and interface.
func (e Event) String() string {
	peer := ""
	if e.Peer.IsValid() {
		peer = fmt.Sprintf(" (%v, priority %d)", e.Peer, e.PeerPriority)
	}
	switch e.Kind {
	case StateChanged:
		if e.Faults != 0 {
			return fmt.Sprintf("%v: %v", e.State, e.Faults)
		}
		return fmt.Sprintf("%v: %v%s", e.State, e.Why, peer)
	case GroupChanged:
		return fmt.Sprintf("group %s is %v: %v", e.Group, e.State, e.Why)
	case Resync:
		return fmt.Sprintf("%v (events were lost before this one)", e.State)
	case Noted:
		switch e.Note {
		case vrrp.PriorityChanged:
			return fmt.Sprintf("priority is now %d", e.Priority)
		case vrrp.NewMaster:
			return fmt.Sprintf("master is %v (priority %d)", e.Peer, e.PeerPriority)
		case vrrp.FaultsChanged:
			return fmt.Sprintf("%v: %v", vrrp.Fault, e.Faults)
		case vrrp.PathSilent:
			return fmt.Sprintf("heartbeat path %s is silent, the master is heard by another", e.Interface)
		case vrrp.PathSeen:
			return fmt.Sprintf("the master is heard again by heartbeat path %s", e.Interface)
		case vrrp.IntervalAdopted:
			return fmt.Sprintf("%v: %v%s", e.Note, e.Interval, peer)
		}
		return e.Note.String() + peer
	case Refused:
		if e.Reason == packet.Addresses {
			return fmt.Sprintf("advert of %v: %v", e.Peer, e.Reason)
		}
		return fmt.Sprintf("advert of %v refused: %v", e.Peer, e.Reason)
	case AddressesStuck:
		if e.Up {
			return fmt.Sprintf("cannot add the virtual addresses: %v", e.Err)
		}
		return fmt.Sprintf("cannot remove the virtual addresses: %v", e.Err)
	case SocketFailed:
		return fmt.Sprintf("no VRRP socket: %v", e.Err)
	case SendFailed:
		return fmt.Sprintf("cannot send adverts: %v", e.Err)
	case PeerDiffers:
		return e.Text
	case PathChanged:
		if e.Err == nil {
			return fmt.Sprintf("heartbeat path %s works", e.Interface)
		}
		return fmt.Sprintf("heartbeat path %s does not work: %v", e.Interface, e.Err)
	case Suspended:
		return fmt.Sprintf("the machine was suspended for %v", e.Asleep.Round(time.Millisecond))
	case Reloaded:
		return "VRRP works by the new configuration"
	case Unprivileged:
		return fmt.Sprintf("the VRRP thread goes on with less protection against a busy host: %v", e.Err)
	}
	return fmt.Sprintf("event %d", e.Kind)
}

func (e Event) level() slog.Level {
	switch e.Kind {
	case StateChanged:
		if e.State == vrrp.Fault || e.Why == vrrp.StalledAlone || e.Why == vrrp.StillAlive {
			return slog.LevelWarn
		}
		return slog.LevelInfo
	case Noted:
		switch e.Note {
		case vrrp.LowerHeard, vrrp.SameSender, vrrp.FaultsChanged, vrrp.WokeLate, vrrp.PathSilent:
			return slog.LevelWarn
		}
		return slog.LevelInfo
	case GroupChanged, Reloaded:
		return slog.LevelInfo
	case PeerDiffers:
		if e.Differs == 0 {
			return slog.LevelInfo
		}
		return slog.LevelWarn
	case PathChanged:
		if e.Err == nil {
			return slog.LevelInfo
		}
		return slog.LevelWarn
	case Resync, Refused, Suspended, Unprivileged:
		return slog.LevelWarn
	}
	return slog.LevelError
}

func (e Event) attrs() []slog.Attr {
	var a []slog.Attr
	if e.Interface != "" {
		a = append(a, slog.String("interface", e.Interface))
	}
	if e.Kind == StateChanged {
		a = append(a, slog.String("from", e.From.String()), slog.Int("priority", int(e.Priority)))
	}
	if e.Repeated > 0 {
		a = append(a, slog.Uint64("repeated", e.Repeated))
	}
	return a
}
