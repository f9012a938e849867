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

	Instances []Instance `json:"instances"`
	Probes    []Probe    `json:"probes"`
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
	Reason    string    `json:"reason"` // why the last change of state happened

	Priority int     `json:"priority"`      // in force
	Base     int     `json:"base_priority"` // from the file
	Shares   []Share `json:"shares"`        // what makes the difference, in the order of the file

	Master    *Master           `json:"master,omitempty"` // the last one heard, this node excepted
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

// Address is a virtual address.
type Address struct {
	Prefix    string `json:"prefix"`
	Interface string `json:"interface"`
	Held      bool   `json:"held"` // on the interface of this node
}

// Lease is the valid lifetime that keeps the addresses on the interface.
type Lease struct {
	Since     time.Time `json:"since"`             // held since
	Remaining float64   `json:"remaining_seconds"` // the kernel takes them after this unless renewed
	Error     string    `json:"error,omitempty"`
	Announced uint64    `json:"announced"` // gratuitous ARP frames sent
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

// Frontend is an accepting proxy.
type Frontend struct {
	Name     string   `json:"name"`
	Mode     string   `json:"mode"`
	Binds    []string `json:"binds"`
	State    string   `json:"state"` // OPEN, STOP
	Sessions int64    `json:"sessions"`
	Total    uint64   `json:"sessions_total"`
	Limit    int64    `json:"sessions_limit"`
	Requests uint64   `json:"requests_total"`
}

// Backend is a set of servers.
type Backend struct {
	Name     string   `json:"name"`
	Mode     string   `json:"mode"`
	Balance  string   `json:"balance"`
	Usable   int      `json:"usable"`
	Sessions int64    `json:"sessions"`
	Total    uint64   `json:"sessions_total"`
	Servers  []Server `json:"servers"`
}

// Server is one server line.
type Server struct {
	Name     string    `json:"name"`
	Address  string    `json:"address"`
	State    string    `json:"state"`  // UP, UP 1/3, DOWN, DOWN 1/2, MAINT, no check
	Check    string    `json:"check"`  // L4OK, L7STS, ...; "" without check
	Detail   string    `json:"detail"` // what the last check said
	Since    time.Time `json:"since"`
	Weight   int       `json:"weight"`
	Backup   bool      `json:"backup,omitempty"`
	Usable   bool      `json:"usable"`
	Sessions int64     `json:"sessions"`
	Total    uint64    `json:"sessions_total"`
	Queue    int64     `json:"queue"`
}
