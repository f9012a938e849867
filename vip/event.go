package vip

// EventKind says what an Event is.
type EventKind uint8

// The events that a Keeper is told.
const (
	Timer    EventKind = iota // the deadline has come, or nothing in particular
	Up                        // Instance became master: hold its addresses
	Down                      // Instance is master no longer: let go
	Announce                  // Instance: announce its addresses now
	Missing                   // an address may have vanished: look now
	Added                     // the kernel did not have Address and has it now
	Renewed                   // the kernel has renewed the lease of Address
	Removed                   // the kernel does not have Address any more
	Failed                    // a step on Address failed
)

// Event is one input of a Keeper.
type Event struct {
	Kind     EventKind
	Instance string  // Up, Down, Announce
	Conflict bool    // Announce: another node claims the addresses too
	Address  Address // Added, Renewed, Removed, Failed
}

// ActionKind says what an Action is.
type ActionKind uint8

// The actions that a Keeper asks for.
const (
	// Sync: apply Diff(present, Want()) and tell the outcome of every step by
	// Added, Renewed, Removed or Failed. Then do what Settle asks for. With an Instance,
	// only the steps about its addresses: when the master of hundreds of instances dies,
	// each of them must not renew all the others.
	Sync ActionKind = iota
	// Send: broadcast Count gratuitous ARP frames, or unsolicited neighbour
	// advertisements, for Address.
	Send
	// Returned: Address had vanished while it was held, and is back (for the log).
	Returned
	// Ask: find out who else answers for Address.
	Ask
)

func (k ActionKind) String() string {
	return [...]string{Sync: "sync", Send: "send", Returned: "returned", Ask: "ask"}[k]
}

// Action is one output of a Keeper.
type Action struct {
	Kind     ActionKind
	Address  Address // Send, Returned, Ask
	Count    int     // Send
	Form     ARPForm // Send
	Instance string  // Sync; "": all
}
