package proxy

import (
	"log/slog"
	"sync/atomic"
	"time"

	"baton/lb/balance"
	"baton/lb/logfmt"
	"baton/lb/logsink"
	"baton/lb/rules"
	"baton/lb/sample"
	"baton/lb/spec"
)

// Set is everything that the loops share: the proxies and the process's limits.
type Set struct {
	Log       *slog.Logger
	Frontends []*Frontend
	Backends  []*Backend
	Workers   []*Worker
	Maxconn   int32
	// MaxConnRate and MaxSessRate are spec.Global's.
	MaxConnRate, MaxSessRate int
	// HeaderCase is spec.Global's.
	HeaderCase map[string]string
	// OldBodies is spec.Global's.
	OldBodies bool
	Host      string // for the log
	PID       int

	rates        bool // some expression or limit asks for them
	connRate     rate // connections of the process, and those that rules have let in
	sessRate     rate
	countStreams bool // some log counts requests
	*lasting

	Resolvers map[*spec.Resolvers]Resolver // of do-resolve

	clerk     clerk
	verifier  verifier
	byName    map[string]*Backend
	hostname  string
	userlists bool         // there are some
	servers   int          // of all backends
	conns     atomic.Int32 // client connections
	draining  atomic.Bool  // no keep-alive: responses say so
	unawaits  atomic.Bool  // nor does anybody wait for a request that was not forbidden
	paused    atomic.Bool  // some listener waits for a connection to end
}

// lasting is what a reload hands from one Set to the next.
type lasting struct {
	streams  atomic.Uint32
	started  time.Time
	procVars sample.ProcVars // of expressions
}

// Drain tells all sessions to end after their present request; with unawaited also those
// whose client was not told so by its last response.
func (s *Set) Drain(unawaited bool) {
	s.draining.Store(true)
	s.unawaits.Store(unawaited)
}

// Resume undoes Drain.
func (s *Set) Resume() {
	s.draining.Store(false)
	s.unawaits.Store(false)
}

// Draining reports whether Drain was called.
func (s *Set) Draining() bool { return s.draining.Load() }

// Conns returns the number of client connections now.
func (s *Set) Conns() int { return int(s.conns.Load()) }

// Full reports whether a frontend accepts nobody at present, for want of a place there
// or in the process.
func (s *Set) Full(fe *Frontend) bool {
	return atLimit(&fe.Conns, int32(fe.Spec.Maxconn)) || atLimit(&s.conns, s.Maxconn)
}

func atLimit(n *atomic.Int32, limit int32) bool { return limit > 0 && n.Load() >= limit }

// Frontend is a `frontend` section, or half of a `listen`, at run time.
type Frontend struct {
	Spec                *spec.Frontend
	Default             *Backend // nil: none
	Logs                *logsink.Group
	facts               sample.Proxy
	switches            []backendSwitch
	connection, session []tcpRule  // tcp-request
	content             []tcpRule  // tcp-request content on a connection in mode tcp
	requestContent      []httpRule // the same on a request
	request             []httpRule
	redirects           []httpRule
	response            []httpRule
	after               []httpRule   // http-after-response
	monitor             []rules.Cond // any true one: 503
	needs               logfmt.Need  // of all its formats
	outputs             []logsink.Part
	steps               logfmt.Origins

	Conns                    atomic.Int32
	sessionRate, requestRate rate

	places map[*spec.Bind]*places // of binds with a maxconn
	*Counters
}

// Counters are what a proxy counts, also over reloads; loops add to them atomically.
type Counters struct {
	Sessions atomic.Uint64
	Requests atomic.Uint64
	BytesIn  atomic.Uint64 // from clients
	BytesOut atomic.Uint64
	Denied   atomic.Uint64    // requests refused by rules
	Errors   atomic.Uint64    // requests that were none
	Status   [6]atomic.Uint64 // responses by first digit; 0: other
	lines    atomic.Uint64    // of the log
}

// Backend is a `backend` section, or half of a `listen`, at run time.
type Backend struct {
	Spec           *spec.Backend
	facts          sample.Proxy
	Servers        []*Server
	Logs           *logsink.Group
	index          int // its place in a worker's pickers
	queue          queue
	fullconn       int
	content        []tcpRule  // tcp-request, in mode tcp
	requestContent []httpRule // tcp-request content in mode http
	answer         []tcpRule  // tcp-response content, in mode tcp
	answerHead     []httpRule // and in mode http
	request        []httpRule
	redirects      []httpRule
	response       []httpRule
	after          []httpRule // http-after-response
	persist        []persistRule
	useServers     []serverSwitch

	Conns       atomic.Int32
	sessionRate rate
	*Counters
	usable  atomic.Int32
	changes atomic.Uint64                  // of its servers' loads; see Server.Changed
	slots   atomic.Pointer[[]balance.Slot] // the servers that share the traffic now
}

// Queued returns the number of sessions that wait for any server.
func (b *Backend) Queued() int { return int(b.queue.any.n.Load()) }

// Usable is nbsrv(): how many servers can serve now.
func (b *Backend) Usable() int { return int(b.usable.Load()) }

// Slots returns the servers that share the traffic now.
func (b *Backend) Slots() []balance.Slot { return *b.slots.Load() }

// connMode joins the connection modes of both sides: the stronger wins.
func connMode(f *Frontend, b *Backend) spec.ConnMode { return max(f.Spec.ConnMode, b.Spec.ConnMode) }

// orTimeout returns the first timeout that is set, or 0.
func orTimeout(ds ...time.Duration) time.Duration {
	for _, d := range ds {
		if d > 0 {
			return d
		}
	}
	return 0
}
