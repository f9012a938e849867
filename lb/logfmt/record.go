package logfmt

import (
	"net/netip"
	"strings"
	"time"

	"baton/lb/sample"
)

// Record is what there is to say about one connection or request.
type Record struct {
	Client netip.AddrPort
	Local  netip.AddrPort // the address that the client connected to; AppendConnect, NeedLocal
	Source netip.AddrPort // ours on the connection to the server; NeedSource
	Target netip.AddrPort // the server's
	Unix   bool           // the server is on a unix socket: its address and ours read unix
	// Date is when the connection was accepted; in HTTP when the request's first
	// byte came. Its zone is the line's zone.
	Date  time.Time
	Dates *DateCache // the event loop's; nil: none

	Frontend string
	TLS      bool   // marks the frontend's name with ~
	HTTP     bool   // the frontend's mode
	Bind     string // the bind line's name, or its number from 1; AppendError only
	Backend  string // "": the frontend's name
	Server   string // "": <NOSRV>

	sample.Times // whole milliseconds are logged

	Status int   // 0: none was sent, logged as -1
	Bytes  int64 // sent to the client, heads included
	// Uploaded is what came from the client, heads included.
	Uploaded int64
	// Early marks a line that is written before the end (option logasap): the total
	// time and the bytes are not all there will be.
	Early bool
	State [4]byte // termination state, chapter 8.5: in TCP the first two

	// Connections when the line is written. HAProxy has by then counted this one out of
	// the backend and the server, but not out of the process and the frontend.
	ProcessConns, FrontendConns, BackendConns, ServerConns int

	Retries      int
	Redispatched bool
	ServerQueue  int // requests before this one in the server's queue
	BackendQueue int

	Request []byte // the request line as it came, without its end; nil: <BADREQ>

	// What the frontend captures: a slot for each `capture` line, nil where the header
	// was not there.
	RequestHeaders, ResponseHeaders [][]byte
	RequestCookie, ResponseCookie   []byte // `capture cookie`: name=value

	Host               string // of the process
	PID                int
	UniqueID           []byte
	LogCount           uint64 // lines of the frontend before this one
	RequestID          uint32 // streams of the process before this one; NeedCounters
	Origin             Origin
	Message            string      // why it failed before it was a session: AppendError
	Cipher, TLSVersion string      // "": no TLS
	Sample             *sample.Ctx // what expressions look at; nil: all are absent
}

// At makes the record one of a line that is written at o. Before the end the connection
// has not been counted out of its backend and server.
func (r *Record) At(o Origin) *Record {
	r.Origin = o
	if o == TxnClose || o == SessError {
		return r
	}
	r.Early = true
	if r.Backend != "" {
		r.BackendConns++
	}
	if r.Server != "" {
		r.ServerConns++
	}
	return r
}

// Origin is the step in a transaction at which a line is written (%OG).
type Origin uint8

// The origins.
const (
	Unspecified Origin = iota
	SessError
	SessKilled
	TxnAccept
	TxnRequest
	TxnConnect
	TxnResponse
	TxnClose
	TCPReqConn // this one and those behind it are of the action do-log
	TCPReqSess
	TCPReqCont
	TCPResCont
	HTTPReq
	HTTPRes
	HTTPAfterRes
)

func (o Origin) String() string {
	return [...]string{
		"unspec", "sess_error", "sess_killed", "txn_accept", "txn_request", "txn_connect", "txn_response", "txn_close",
		"tcp-req-conn", "tcp-req-sess", "tcp-req-cont", "tcp-res-cont", "http-req", "http-res", "http-after-res",
	}[o]
}

// Origins is a set of them.
type Origins uint16

// Of makes a set.
func Of(all ...Origin) Origins {
	var s Origins
	for _, o := range all {
		s |= 1 << o
	}
	return s
}

// Has reports whether o is in the set.
func (s Origins) Has(o Origin) bool { return s>>o&1 != 0 }

func (s Origins) String() string {
	var names []string
	for o := Unspecified; o <= HTTPAfterRes; o++ {
		if s.Has(o) {
			names = append(names, o.String())
		}
	}
	return strings.Join(names, ",")
}

// Abnormal reports whether the record tells of an error, timeout, retry,
// redispatch or status 5xx: what `option log-separate-errors` raises to level err
// and `option dontlog-normal` keeps. A local answer (L) is none of these.
func (r *Record) Abnormal() bool {
	return r.State[0] != '-' && r.State[0] != 'L' || r.Retries > 0 || r.Redispatched || r.Status >= 500
}
