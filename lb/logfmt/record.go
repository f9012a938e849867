package logfmt

import (
	"net/netip"
	"time"
)

// Record is what there is to say about one connection or request.
type Record struct {
	Client netip.AddrPort
	Local  netip.AddrPort // the address that the client connected to; AppendConnect only
	// Date is when the connection was accepted; in HTTP when the request's first
	// byte came. Its zone is the line's zone.
	Date  time.Time
	Dates *DateCache // the event loop's; nil: none

	Frontend string
	TLS      bool   // marks the frontend's name with ~
	HTTP     bool   // the frontend's mode; AppendConnect only
	Bind     string // the bind line's name, or its number from 1; AppendError only
	Backend  string // "": the frontend's name
	Server   string // "": <NOSRV>

	// Timers of chapter 8.4; negative when the phase was not reached. Whole
	// milliseconds are logged.
	TR    time.Duration // first byte to complete request head (HTTP)
	Tw    time.Duration // in queues
	Tc    time.Duration // connecting to the server
	Tr    time.Duration // server's response time (HTTP)
	Total time.Duration // Ta in HTTP, Tt in TCP

	Status int     // 0: none was sent, logged as -1
	Bytes  int64   // sent to the client, heads included
	State  [4]byte // termination state, chapter 8.5: in TCP the first two

	// Connections when the line is written. HAProxy has by then counted this one out of
	// the backend and the server, but not out of the process and the frontend.
	ProcessConns, FrontendConns, BackendConns, ServerConns int

	Retries      int
	Redispatched bool
	ServerQueue  int // requests before this one in the server's queue
	BackendQueue int

	Request []byte // the request line as it came, without its end; nil: <BADREQ>
}

// Abnormal reports whether the record tells of an error, timeout, retry,
// redispatch or status 5xx: what `option log-separate-errors` raises to level err
// and `option dontlog-normal` keeps. A local answer (L) is none of these.
func (r *Record) Abnormal() bool {
	return r.State[0] != '-' && r.State[0] != 'L' || r.Retries > 0 || r.Redispatched || r.Status >= 500
}
