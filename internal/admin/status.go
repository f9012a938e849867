package admin

import "time"

// Status is the answer to GET /status. Lists are never null.
type Status struct {
	Version string    `json:"version"`
	PID     int       `json:"pid"`
	Node    string    `json:"node"`
	Started time.Time `json:"started"`
	Uptime  float64   `json:"uptime_seconds"`
	State   string    `json:"state"` // starting, running, stopping

	// Maintenance says that the operator keeps the node out of elections.
	Maintenance      bool       `json:"maintenance,omitempty"`
	MaintenanceSince *time.Time `json:"maintenance_since,omitempty"`

	Pair *Pair `json:"pair,omitempty"` // the other baton; only with a pair block

	Instances []Instance `json:"instances"`
	Probes    []Probe    `json:"probes"`
	Balancer  *Balancer  `json:"balancer,omitempty"`
	Frontends []Frontend `json:"frontends"`
	Backends  []Backend  `json:"backends"`
}

// Instance is a vrrp_instance.
type Instance struct {
	Name      string    `json:"name"`
	Interface string    `json:"interface"`
	VRID      int       `json:"vrid"`
	State     string    `json:"state"` // INIT, BACKUP, MASTER, FAULT
	Since     time.Time `json:"since"`
	Reason    string    `json:"reason"`            // why the last change of state happened
	Problem   string    `json:"problem,omitempty"` // what is wrong at present: socket, addresses, adverts refused

	Priority int     `json:"priority"`      // in force
	Base     int     `json:"base_priority"` // from the file
	Shares   []Share `json:"shares"`        // what makes the difference, in the order of the file

	Master    *Master           `json:"master,omitempty"` // the last one heard, this node excepted
	Differs   []string          `json:"differences"`      // what other nodes' adverts show to be other than here, and should not be
	Paths     []Path            `json:"paths,omitempty"`  // with heartbeat_path: the interface's first, then those
	Addresses []Address         `json:"addresses"`
	Lease     *Lease            `json:"lease,omitempty"` // only while addresses are held
	Counters  map[string]uint64 `json:"counters"`
}

// Share is one probe's part in an instance's priority.
type Share struct {
	Probe   string `json:"probe"`
	Verdict string `json:"verdict"` // pending, up, down
	Weight  int    `json:"weight"`
	Reverse bool   `json:"reverse,omitempty"`
	Delta   int    `json:"delta"` // points it adds at present
	Fault   bool   `json:"fault,omitempty"`
	Pending bool   `json:"pending,omitempty"`
}

// Master is what the adverts of another node say.
type Master struct {
	Address  string `json:"address"`
	Priority int    `json:"priority"`
}

// Path is a way for adverts: the instance's interface, or a heartbeat_path.
type Path struct {
	Interface string    `json:"interface"`
	Unicast   bool      `json:"unicast,omitempty"`
	Master    string    `json:"master"` // seen, silent (by this path only), unknown (not BACKUP, or nothing heard yet)
	Since     time.Time `json:"since"`
	Problem   string    `json:"problem,omitempty"` // why adverts neither leave nor come
	Sent      uint64    `json:"sent"`
	Errors    uint64    `json:"send_errors"`
	Received  uint64    `json:"received"`
}

// Address is a virtual address.
type Address struct {
	Prefix    string `json:"prefix"`
	Interface string `json:"interface"`
	Held      bool   `json:"held"` // on the interface of this node
	Error     string `json:"error,omitempty"`
}

// Lease is the valid lifetime that keeps the addresses on the interface.
type Lease struct {
	Since     time.Time `json:"since"`             // held since
	Remaining float64   `json:"remaining_seconds"` // the kernel takes them after this unless renewed
	Announced uint64    `json:"announced"`         // gratuitous ARP frames sent
}

// Probe is one source of health.
type Probe struct {
	Name     string     `json:"name"`
	Kind     string     `json:"kind"` // script, self, backend, traffic
	Verdict  string     `json:"verdict"`
	Since    time.Time  `json:"since"`
	Last     string     `json:"last"` // the last result in words
	LastAt   *time.Time `json:"last_at,omitempty"`
	Streak   int        `json:"streak"` // results in a row against the verdict
	Need     int        `json:"need"`   // that change it
	Runs     uint64     `json:"runs"`
	Failures uint64     `json:"failures"`
}

// Balancer is what all proxies share.
type Balancer struct {
	Connections    int         `json:"connections"`
	MaxConnections int         `json:"max_connections"`
	Loops          int         `json:"loops"`
	Draining       bool        `json:"draining"` // no new connections are taken
	DroppedLogs    uint64      `json:"dropped_log_lines"`
	LogTargets     []LogTarget `json:"log_targets"`
	Older          []Older     `json:"older,omitempty"`
}

// Older is a configuration that a reload has replaced and that clients are still
// connected to.
type Older struct {
	Until       time.Time `json:"until"` // it served
	Connections int       `json:"connections"`
}

// LogTarget is where log lines go.
type LogTarget struct {
	Name    string `json:"name"`
	Dropped uint64 `json:"dropped"` // lines that were lost, ever
	Failing bool   `json:"failing"` // it can't be reached at present
}

// Counters are what a proxy has counted since the start.
type Counters struct {
	Sessions    uint64 `json:"sessions"`
	Requests    uint64 `json:"requests"`
	BytesIn     uint64 `json:"bytes_in"`
	BytesOut    uint64 `json:"bytes_out"`
	Denied      uint64 `json:"denied"`
	BadRequests uint64 `json:"bad_requests"`
	Status2xx   uint64 `json:"status_2xx"`
	Status3xx   uint64 `json:"status_3xx"`
	Status4xx   uint64 `json:"status_4xx"`
	Status5xx   uint64 `json:"status_5xx"`
}

// Frontend is an accepting proxy.
type Frontend struct {
	Name        string   `json:"name"`
	Mode        string   `json:"mode"`
	Binds       []string `json:"binds"`
	Connections int      `json:"connections"`
	Counters
}

// Backend is a set of servers.
type Backend struct {
	Name    string   `json:"name"`
	Mode    string   `json:"mode"`
	Balance string   `json:"balance"`
	Usable  int      `json:"usable_servers"`
	Current int      `json:"current_sessions"`
	Queued  int      `json:"queued"`
	Servers []Server `json:"servers"`
	Counters
}

// Server is one server line.
type Server struct {
	Name       string    `json:"name"`
	Address    string    `json:"address"`
	State      string    `json:"state"` // UP, UP 1/3, DOWN, DOWN 1/2, MAINT, no check
	Since      time.Time `json:"since"`
	Backup     bool      `json:"backup"`
	Active     bool      `json:"active"` // shares the traffic now
	Weight     int       `json:"weight"`
	Current    int       `json:"current_sessions"`
	Sessions   uint64    `json:"sessions"`
	Opened     uint64    `json:"connections_opened"`
	ConnErrors uint64    `json:"connection_errors"`
	RespErrors uint64    `json:"response_errors"`
	Retries    uint64    `json:"retries"`
	Redispatch uint64    `json:"redispatches"`
	Check      string    `json:"check_status"` // L4OK, L7STS, ...; "" without check
	Info       string    `json:"check_info"`   // what the last check said
	Code       int       `json:"check_code"`   // HTTP status; 0: none
	Took       float64   `json:"check_ms"`
}
