package pair

import (
	"net/netip"
	"time"
)

// Protocol is the version that both ends must share.
const Protocol = 1

// MaxPayload bounds a message: room for some thousand instances and backends.
const MaxPayload = 256 << 10

// Limits of what goes into a message. What is above is left out, or cut.
const (
	maxText    = 255
	maxRecords = 1024
	maxNames   = 16
)

// Kind says what a message is.
type Kind uint8

// The kinds. The numbers are on the wire.
const (
	KindHello     Kind = 1
	KindState     Kind = 2
	KindGoodbye   Kind = 3
	KindTakeover  Kind = 4
	KindAnswer    Kind = 5
	KindCancel    Kind = 6
	KindHeartbeat Kind = 7
)

// Message is one of Hello, State, Goodbye, Takeover, Answer, Cancel, Heartbeat.
type Message interface {
	Kind() Kind
	append(w *writer)
}

// Kind returns KindHello.
func (Hello) Kind() Kind { return KindHello }

// Kind returns KindState.
func (State) Kind() Kind { return KindState }

// Kind returns KindGoodbye.
func (Goodbye) Kind() Kind { return KindGoodbye }

// Kind returns KindTakeover.
func (Takeover) Kind() Kind { return KindTakeover }

// Kind returns KindAnswer.
func (Answer) Kind() Kind { return KindAnswer }

// Kind returns KindCancel.
func (Cancel) Kind() Kind { return KindCancel }

// Kind returns KindHeartbeat.
func (Heartbeat) Kind() Kind { return KindHeartbeat }

// Key names an instance on both nodes. It holds no interface: that may be called
// otherwise over there.
type Key struct {
	Name   string
	VRID   uint8
	Family uint8 // 4 or 6
}

// Digest stands for a part of a configuration that must be the same on both nodes.
type Digest [8]byte

// Hello is the first message of each end.
type Hello struct {
	Protocol    uint16
	Incarnation uint64 // of the process: another one after each start
	Version     string // of baton
	Node        string
	Instances   []InstanceConfig
}

// InstanceConfig is what must agree between two nodes about an instance.
type InstanceConfig struct {
	Key       Key
	Interval  time.Duration // of adverts; in whole milliseconds
	Addresses Digest        // of the virtual addresses
	Protocol  Digest        // of the version of VRRP and the authentication
}

// Role is the state of an instance, as VRRP names it.
type Role uint8

// The roles. The numbers are on the wire.
const (
	Init Role = iota
	Backup
	Master
	Fault
)

func (r Role) String() string {
	switch r {
	case Backup:
		return "BACKUP"
	case Master:
		return "MASTER"
	case Fault:
		return "FAULT"
	}
	return "INIT"
}

// State is what a node is doing. It is sent whole, at each change.
type State struct {
	Maintenance bool
	Reason      string // why the node could serve nothing at all; "" if it could
	Instances   []InstanceState
	Backends    []Backend
}

// InstanceState is an instance as its node sees it.
type InstanceState struct {
	Key      Key
	Role     Role
	Priority uint8      // in force
	Base     uint8      // configured
	Holds    bool       // all its addresses are on an interface there
	Source   netip.Addr // where its adverts come from
	Master   netip.Addr // the other master that it heard last; zero: none
	Reason   string     // why it could not be master; "" if it could
}

// Backend is a node's view of a backend.
type Backend struct {
	Name   string
	Usable uint16   // servers
	Total  uint16   // servers
	Down   []string // the names of some that are not
}

// Goodbye is the last message of an end that closes the connection. An end without
// one is not an orderly end.
type Goodbye struct {
	Why Farewell
}

// Farewell is why a node closes a connection.
type Farewell uint8

// The farewells. The numbers are on the wire.
const (
	Leaving      Farewell = iota + 1 // the process ends in order
	Duplicate                        // there is another connection, which goes on
	Incompatible                     // another Protocol
	Unheard                          // nothing was heard for SilenceLimit
	Malformed                        // what was heard makes no sense
)

func (f Farewell) String() string {
	switch f {
	case Leaving:
		return "stopped in order"
	case Duplicate:
		return "there is another connection"
	case Incompatible:
		return "speaks another version of the protocol"
	case Unheard:
		return "heard nothing from this node for too long"
	case Malformed:
		return "could not understand this node"
	}
	return "closed the connection"
}

// Takeover asks the peer to become master of an instance in the sender's place.
type Takeover struct {
	ID    uint32 // of the request, for Answer and Cancel
	Key   Key
	Force bool // also if it is not ready
}

// Answer to a Takeover.
type Answer struct {
	ID       uint32
	Accepted bool
	Reason   string // why not
}

// Cancel takes a Takeover back: the sender stays master.
type Cancel struct {
	ID  uint32
	Key Key
}

// Heartbeat is sent when there is nothing else to say.
type Heartbeat struct{}
