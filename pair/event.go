package pair

// EventKind says what happened.
type EventKind uint8

// The events of a Machine.
const (
	Start      EventKind = iota
	Timer                // the Deadline has come; earlier it does nothing
	Connected            // Conn is a connection to the authenticated peer; Outgoing if we dialled
	DialFailed           // the last Dial failed; Refused says how
	Received             // Message on Conn
	Ended                // Conn is no more, for End
	Publish              // State is what this node is doing now
	Say                  // Message is to be sent, if the link is up
	Stop                 // the process ends in order
)

// End is how a connection ended.
type End uint8

// The ends.
const (
	KernelEnd End = iota // FIN or RST of the peer's kernel
	Lost                 // a local timeout or error: nothing is known about the peer
	Garbled              // what came was no TLS or no protocol
)

// Event is one input of Step.
type Event struct {
	Kind     EventKind
	Conn     uint64 // Connected, Received, Ended: never 0
	Outgoing bool   // Connected
	Refused  bool   // DialFailed: the peer's kernel refused or reset the connection
	End      End    // Ended
	Message  Message
	State    State // Publish
}

// ActionKind says what the shell must do.
type ActionKind uint8

// The actions.
const (
	Dial  ActionKind = iota // connect to the peer; answered by Connected or DialFailed
	Send                    // Message on Conn
	Close                   // Conn, once what was sent is on its way; its Ended does not matter
	Up                      // the link is up: the peer said Hello
	Down                    // the link is down, for Why
	Gone                    // the peer's process is gone
	Heard                   // Message: State, Takeover, Answer or Cancel
)

// Action is one output of Step.
type Action struct {
	Kind    ActionKind
	Conn    uint64
	Message Message
	Hello   Hello // Up
	Again   bool  // Up: the same process as when the link was up last
	Why     Why   // Down
}

// Why is why the link is not up.
type Why uint8

// The reasons.
const (
	NotYet Why = iota
	PeerLeft
	PeerDied
	PeerEnded
	PeerSilent
	PeerGarbled
	PeerIncompatible
	PeerClosed
)

func (w Why) String() string {
	switch w {
	case NotYet:
		return "connecting"
	case PeerLeft:
		return "the peer stopped in order"
	case PeerDied:
		return "the peer's process is gone"
	case PeerEnded:
		return "the peer's kernel ended the connection, and does not say whether its process is gone"
	case PeerSilent:
		return "nothing is heard from the peer"
	case PeerGarbled:
		return "the peer sent what cannot be understood"
	case PeerIncompatible:
		return "the peer speaks another version of the protocol"
	case PeerClosed:
		return "the peer closed the connection"
	}
	return "down"
}
