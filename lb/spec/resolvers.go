package spec

import (
	"net/netip"
	"time"

	"baton/internal/diag"
)

// Resolvers is a `resolvers` section: name servers that are asked while baton runs
// (chapter 5.3.2 of the configuration manual).
type Resolvers struct {
	Name       string
	Pos        diag.Pos
	Servers    []NameServer
	ResolvConf bool // parse-resolv-conf: those of /etc/resolv.conf too
	Payload    int  // accepted_payload_size: the largest UDP answer
	Retries    int  // resolve_retries
	Resolve    time.Duration
	Retry      time.Duration
	// Hold: how long after the last valid answer a bad one counts for nothing.
	HoldNX, HoldRefused, HoldTimeout, HoldOther time.Duration
	HoldObsolete                                time.Duration // how long a record that answers leave out stays
	HoldValid                                   time.Duration // how long an answer serves do-resolve again
}

// NameServer is a `nameserver` line.
type NameServer struct {
	Name string
	Addr netip.AddrPort
	TCP  bool
}

// Naming is how a server's address follows its name at run time.
type Naming struct {
	Resolvers    *Resolvers
	PreferIPv4   bool           // resolve-prefer ipv4
	Nets         []netip.Prefix // resolve-net
	AllowDup     bool           // resolve-opts allow-dup-ip
	IgnoreWeight bool           // resolve-opts ignore-weight
}

// InitAddr is one method of `init-addr`, tried in order at start.
type InitAddr struct {
	Kind InitKind
	Addr netip.Addr // InitIP
}

// InitKind is where a server's first address comes from.
type InitKind uint8

// The methods. InitLast knows an address after a reload only: there is no state file.
const (
	InitLast InitKind = iota
	InitLibc          // the system's resolver
	InitNone          // start without an address, out of service
	InitIP            // the one that is given
)
