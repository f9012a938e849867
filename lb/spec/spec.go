package spec

import (
	"net/netip"
	"time"

	"baton/internal/diag"
	"baton/lb/logfmt"
	"baton/lb/pattern"
	"baton/lb/sample"
	"baton/lb/userlist"
)

// Config is everything the balancer runs. A `listen` section becomes one
// Frontend and one Backend of the same name; its ACLs, rules and redirects are
// in the Frontend alone, so that they run once.
type Config struct {
	Global      Global
	Frontends   []*Frontend
	Backends    []*Backend
	Lists       []*pattern.List // the files of ACLs and maps, in the order in which they were named
	Resolvers   []*Resolvers
	Userlists   []*userlist.List
	LogProfiles []*LogProfile
	Rates       bool // some expression asks for rates (fe_sess_rate and its like)
}

// Global is the `global` section.
type Global struct {
	Maxconn int // process-wide connection limit; 0: computed by lb
	// MaxConnRate and MaxSessRate limit the connections in a second, and those that rules
	// let in (maxconnrate, maxsessrate); 0: no limit.
	MaxConnRate, MaxSessRate int
	NbThread                 int // event loops; 0: one per core
	// HeaderCase is how names (in lower case) are written to the peers of proxies with
	// h1-case-adjust-bogus options.
	HeaderCase map[string]string
	// OldBodies lets bodies of GET, HEAD and DELETE in HTTP/1.0 pass
	// (h1-accept-payload-with-any-method).
	OldBodies bool
	PIDFile   string
	// HardStopAfter bounds how long connections may go on after a soft stop; 0: for ever.
	HardStopAfter time.Duration
	// User and Group are what the process becomes once its listeners are open.
	User, Group Account
	// Daemon and MasterWorker are the places of these keywords; their zero value: there
	// is none.
	Daemon, MasterWorker diag.Pos
	// ZeroWarning refuses a configuration with warnings.
	ZeroWarning bool
	// SpreadChecks is the percentage by which the intervals of checks vary, MaxSpreadChecks
	// bounds the time over which the first ones are spread; 0: none.
	SpreadChecks    int
	MaxSpreadChecks time.Duration
	// ExternalCheck allows external checks; with ExternalEnv their commands get all of the
	// process's environment.
	ExternalCheck, ExternalEnv bool
	Logs                       []LogTarget
	// SendHostname puts a host name into syslog heads (log-send-hostname): this one, or
	// the host's own where it is "".
	SendHostname bool
	Hostname     string
	Vars         []GlobalVar
}

// GlobalVar is a set-var or set-var-fmt line: a variable's value at the start, from an
// expression or a format.
type GlobalVar struct {
	Var    sample.VarName
	Expr   *sample.Expr
	Format *logfmt.Format
	Pos    diag.Pos
}

// Mode is the protocol that a proxy speaks.
type Mode uint8

// The modes. HAProxy's default is tcp.
const (
	TCP Mode = iota
	HTTP
)

func (m Mode) String() string {
	if m == HTTP {
		return "http"
	}
	return "tcp"
}

// Timeouts holds every `timeout` keyword of a proxy. Client and Server bound
// inactivity, the others a phase; see chapter 4 of the configuration manual.
// What the manual derives is filled in: Queue and Tarpit are Connect and
// HTTPKeepAlive is HTTPRequest where they were not given. A HTTPKeepAlive and
// HTTPRequest of 0 leave Client to bound those phases, a Check of 0 leaves
// Check.Inter.
type Timeouts struct {
	Connect, Client, Server      time.Duration
	HTTPRequest, HTTPKeepAlive   time.Duration
	Queue, Check, Tunnel, Tarpit time.Duration
	ClientFin, ServerFin         time.Duration
}

// Common is what frontends and backends share.
type Common struct {
	Name       string
	Pos        diag.Pos
	Mode       Mode
	Disabled   bool
	Timeouts   Timeouts
	ForwardFor *ForwardFor // option forwardfor; nil: not set here
	HTTP       HTTPOptions
	ConnMode   ConnMode // option http-keep-alive | http-server-close | httpclose
	ACLs       []ACL
	// The tcp-request rules, in order. ActionAllow is their `accept`.
	TCPConnection, TCPSession, TCPContent []HTTPRule
	InspectDelay                          time.Duration // how long TCPContent may wait for bytes; 0: it does not
	HTTPReq                               []HTTPRule    // http-request, in order
	HTTPAfter                             []HTTPRule    // http-after-response, in order
	HTTPRes                               []HTTPRule    // http-response, in order
	Redirects                             []HTTPRule    // redirect lines; evaluated after HTTPReq, also after its `allow`
	Errors                                []ErrorPage   // errorfile, errorloc, http-error; later ones win
	Logs                                  []LogTarget
	Logging
	LogHealthChecks bool
	// Independent: what is sent to the proxy's side is no sign of its life (option
	// independent-streams). NoLinger: its connections end by a reset (option nolinger).
	Independent, NoLinger bool
	ID                    int // `id`; 0: not given
	Number                ProxyNumber
	Description           string // `description`
}

// ProxyNumber is a proxy's `id`, or the one that it has without: the first that is free,
// in the order of the file.
type ProxyNumber int

// ConnMode says what happens to a connection after a response; when frontend and
// backend differ the stronger (higher) one wins.
type ConnMode uint8

// The connection modes, weakest first.
const (
	KeepAlive   ConnMode = iota // both sides stay open (default)
	ServerClose                 // option http-server-close
	Close                       // option httpclose
)

// ForwardFor is `option forwardfor`: a new last header line with the client's address.
type ForwardFor struct {
	Header string // default X-Forwarded-For
	Except []netip.Prefix
	IfNone bool
}

// Frontend accepts connections.
type Frontend struct {
	Common
	Keepalive Keepalive // of clients' connections

	Binds           []Bind
	Maxconn         int // 0: the global limit
	RateLimit       int // rate-limit sessions: connections in a second; 0: no limit
	Backlog         int
	UseBackends     []UseBackend
	DefaultBackend  string // "" : none, 503
	MonitorURI      string
	UniqueID        *logfmt.Format // unique-id-format; nil: requests have none
	UniqueIDHeader  string         // unique-id-header; "": it is not sent on
	RequestHeaders  []Capture      // capture request header
	ResponseHeaders []Capture
	Cookie          *Capture // capture cookie
	MonitorFail     []Cond   // any true one turns the monitor's answer into 503
	Listen          bool     // half of a `listen` section
}

// UseBackend is `use_backend NAME if COND`.
type UseBackend struct {
	Backend string
	Format  *logfmt.Format // of sample expressions alone: makes the name per request; nil: Backend is it
	Cond    *Cond          // nil: always
	Pos     diag.Pos
}

// UseServer is `use-server NAME if COND`.
type UseServer struct {
	Server string
	Format *logfmt.Format // makes the name per request; nil: Server is it
	Cond   *Cond
	Pos    diag.Pos
}

// Backend owns servers.
type Backend struct {
	Common
	ServerKeepalive Keepalive
	Source          *Source // nil: as the kernel chooses

	// The tcp-response rules, in order, and how long they may wait for bytes; 0: they do not.
	TCPResponse     []HTTPRule
	ResInspectDelay time.Duration

	Balance      Balance
	Servers      []*Server
	UseServers   []UseServer // in order
	AbortOnClose bool        // option abortonclose: a client that closes gives up
	Retries      int         // attempts after the first; default 3
	Redispatch   int         // option redispatch's interval; 0: off; -1: on the last retry (default of the option)
	AllBackups   bool        // option allbackups
	Fullconn     int
	Reuse        Reuse      // http-reuse
	RetryOn      RetryOn    // retry-on
	Checks       *CheckPlan // what its servers' checks do; nil: a connection is enough
	Listen       bool

	Cookie      *Cookie   // nil: none
	CookieKey   string    // dynamic-cookie-key
	Persist     []Persist // force-persist and ignore-persist, in order
	PersistDown bool      // option persist: a server that is down is tried all the same
	RDPCookie   string    // persist rdp-cookie: the cookie's name; "": none
}

// Reuse says which idle server connections a request may take (http-reuse).
type Reuse uint8

// The strategies.
const (
	ReuseSafe       Reuse = iota // a client's first request opens its own (default)
	ReuseNever                   // those of the same client alone
	ReuseAggressive              // a first request takes one that has been reused before
	ReuseAlways                  // any
)

func (r Reuse) String() string { return [...]string{"safe", "never", "aggressive", "always"}[r] }

// RetryOn is the set of failures after which a request is sent again (retry-on). The
// zero value is the default: a connection that could not be made.
type RetryOn struct {
	NoConnFailure   bool // retry-on without conn-failure
	EmptyResponse   bool
	JunkResponse    bool
	ResponseTimeout bool
	Statuses        []int // ascending
}

// Server is one `server` line with its defaults applied.
type Server struct {
	Name     string
	Pos      diag.Pos
	Host     string     // IP address or host name; of a unix socket the address as written
	Socket   string     // a path, or an AbstractSocket; "": the server speaks TCP
	Port     uint16     // 0: the port that the client asked for
	Addr     netip.Addr // of Host; set by lb.Resolve
	Weight   int        // 0..256
	Backup   bool
	Disabled bool
	Maxconn  int // 0: no limit
	Maxqueue int // 0: no limit
	ID       int // `id`; 0: not given
	Check    *Check
	Agent    *Agent       // agent-check; nil: none
	Saved    *ServerState // from a state file; nil: none
	Cookie   string       // the persistence cookie's value; "": none, or a dynamic one
	Redir    string       // `redir`: GET and HEAD are sent to this prefix and their path; "": not

	Source      *Source       // nil: the backend's
	UserTimeout time.Duration // tcp-ut

	SendProxy  *SendProxy // nil: connections begin with what the client sends
	CheckProxy bool       // check-send-proxy: checks at another address begin with a header too

	// How much it gets, beside Weight, Maxconn and Maxqueue.
	Minconn   int           // 0: Maxconn holds whatever the load
	SlowStart time.Duration // 0: none
	Track     string        // backend/server whose health is this one's; itself checked, or tracking in turn; "": none

	KillOnDown      bool // on-marked-down shutdown-sessions: its sessions end when it goes down
	KillBackupsOnUp bool // on-marked-up shutdown-backup-sessions: those with backups end when it comes up

	NoPool       bool          // pool-max-conn 0, pool-purge-delay 0: no idle connections are kept
	PoolMax      int           // pool-max-conn: idle connections kept; 0: no limit
	MostRequests int           // max-reuse and the first: requests that a connection serves; 0: no limit
	PoolFor      time.Duration // pool-purge-delay: how long one is kept; 0: 5 s
	InitAddr     []InitAddr    // none: InitLast, InitLibc
	Naming       *Naming       // nil: the address found at start stays
}

// SendProxy is the header of send-proxy, send-proxy-v2 and proxy-v2-options.
type SendProxy struct {
	Version   int  // 1 or 2
	SSL       bool // tell what TLS the client used: none
	CRC32C    bool
	UniqueID  bool // pass the frontend's unique-id-format on
	Authority bool // pass on the host name that another proxy told
}

// IntRange is lo..hi, both included.
type IntRange struct{ Lo, Hi int64 }
