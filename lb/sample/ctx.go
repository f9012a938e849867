package sample

import (
	"net/netip"
	"time"

	"baton/lb/http1"
	"baton/lb/userlist"
)

// scratchSize is the size of one scratch buffer: the longest sample, as a buffer
// is in HAProxy (tune.bufsize).
const scratchSize = 16384

// Ctx is what expressions look at, and the room they work in. One Ctx is used
// again and again, but by one goroutine at a time. Everything may be left zero: the
// samples of what is not there are absent.
type Ctx struct {
	World   World   // the process; nil in tests and in checks of a configuration alone
	Session Session // nil: there is none

	Client           Conn
	Server           Conn // to the server
	Req, Res         Message
	Frontend         *Proxy
	Backend          *Proxy // the one chosen, in a frontend's rules nil
	Target           *Target
	FirstRequest     bool // the request is the first one of its connection
	ForProxy         bool // it asks a proxy: the user tells who he is in Proxy-Authorization
	UniqueID         []byte
	ReqCaps, ResCaps Captures
	Vars             [scopes]*Vars
	Proc             *ProcVars

	// Auth is who asks userlists; what it leaves open has to be answered, and the
	// expression to be evaluated again. nil: hashes are computed on the spot.
	Auth *userlist.Asker

	// Raw contents of the channels (layer 6), empty when they are HTTP.
	In, Out Channel

	// Final says that there is nothing to wait for any more: the inspection delay is
	// over, or the peer has sent all.
	Final bool
	// Undecided is set by an evaluation whose result more bytes may change.
	Undecided bool

	facts   Facts // of the session, when it was asked last
	s       Sample
	iterate bool   // all values are wanted, one after the other
	more    bool   // the fetch that just ran has another value
	cur     cursor // where it goes on

	probe   *probe // nil until a raw request is looked at
	scratch [4][]byte
	turn    int
	pad     [128]byte // of an HMAC: its key, then the sums
	inner   [64]byte
	mac     [64]byte
	sig     [64]byte // the signature that a sum is compared with
}

// Conn is one side's connection.
type Conn struct {
	Src, Dst  netip.AddrPort // as rules have set them
	RealSrc   netip.AddrPort // as the kernel says; zero: the same as Src
	RealDst   netip.AddrPort
	TLS       bool   // we end TLS on it
	HTTPMajor int    // 0: no HTTP
	Proxied   bool   // a PROXY header came in
	Authority []byte // the authority TLV of the PROXY header; nil: none
	ProxyID   []byte // its unique-id TLV; nil: none
	Err       ConnError
}

// Message is a request or a response.
type Message struct {
	Head  *http1.Message // nil: there is none (mode tcp, or it has been forwarded)
	Buf   []byte         // the bytes that Head's spans point into
	Added []*Line        // lines that rules have appended to Head
	Body  []byte         // what is here of the body, chunks as they came; nil where there is none
	Size  int64          // of the body as advertised, or less than what is here

	// What is kept when the head is gone.
	Method []byte
	URI    []byte
	Minor  int // HTTP/1.Minor
	Status int // of a response; 0: none yet
}

// Line is a header line of a rule's; Name is in lower case.
type Line struct{ Name, Value string }

// Channel is what has come on a connection and has not been forwarded.
type Channel struct {
	B   []byte
	End bool // no more will come
}

// Captures are the values captured by slot; nil where nothing was.
type Captures [][]byte

// Proxy is what expressions can tell about a frontend or backend.
type Proxy struct {
	Name                                        string
	ID                                          int
	DefaultBackend                              string
	ClientTimeout, ServerTimeout, TunnelTimeout time.Duration
	ConnectTimeout, QueueTimeout, TarpitTimeout time.Duration
	CheckTimeout                                time.Duration
}

// Target is the server that was chosen.
type Target struct {
	Name string
	ID   int
}

// World is the process around the connection. Its methods are called on the event
// loop: they must not block or allocate.
type World interface {
	Wall() time.Time
	Rand() uint64
	Hostname() string
	Getenv(name string) (string, bool)
	Stopping() bool
	Threads() (this, all int)
	Uptime() time.Duration
	PID() int
	IsLocal(netip.Addr) bool
	Proxies
}

// Proxies looks up present numbers of proxies and servers by name. ok is false
// when there is no such object; Load has checked the names that stand in the
// configuration.
type Proxies interface {
	FrontendCount(name string, what Count) (n int64, ok bool)
	BackendCount(name string, what Count) (n int64, ok bool)
	ServerCount(backend, server string, what Count) (n int64, ok bool)
}

// Count is a number that a proxy or a server has at each moment.
type Count uint8

// The counts, with their fetches.
const (
	CountConns    Count = iota // fe_conn, be_conn, srv_conn
	CountFree                  // be_conn_free, srv_conn_free: -1 without a maxconn
	CountSlots                 // connslots: -1 without a maxconn or maxqueue
	CountQueue                 // queue, srv_queue
	CountUsable                // nbsrv, srv_is_up
	CountSessRate              // fe_sess_rate, be_sess_rate, srv_sess_rate
	CountReqRate               // fe_req_rate
	CountWeight                // srv_weight
	CountIWeight               // srv_iweight
	CountUWeight               // srv_uweight
)

// room returns an empty piece of scratch area with room for scratchSize bytes. It is
// none of the three given out before: a converter reads its input in one, a variable's
// text in another, decodes that into the third and writes its output into the fourth.
func (c *Ctx) room() []byte {
	if c.scratch[0] == nil {
		for i := range c.scratch {
			c.scratch[i] = make([]byte, 0, scratchSize)
		}
	}
	c.turn = (c.turn + 1) % len(c.scratch)
	return c.scratch[c.turn]
}
