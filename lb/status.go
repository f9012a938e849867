package lb

import (
	"time"

	"baton/internal/mono"
	"baton/lb/proxy"
)

// Status is the balancer at one moment.
type Status struct {
	Connections    int              `json:"connections"`
	MaxConnections int              `json:"max_connections"`
	Loops          int              `json:"loops"`
	Draining       bool             `json:"draining,omitempty"`
	DroppedLogs    uint64           `json:"dropped_log_lines,omitempty"`
	LogTargets     []LogTarget      `json:"log_targets,omitempty"`
	Frontends      []FrontendStatus `json:"frontends,omitempty"`
	Backends       []BackendStatus  `json:"backends,omitempty"`
	Older          []OlderStatus    `json:"older,omitempty"`
}

// LogTarget is where log lines go.
type LogTarget struct {
	Name    string `json:"name"`
	Dropped uint64 `json:"dropped"` // lines that were lost, ever
	Failing bool   `json:"failing"` // it can't be reached at present
}

// OlderStatus is a configuration that a reload has replaced and that clients are still
// connected to.
type OlderStatus struct {
	Until       time.Time `json:"until"` // it served
	Connections int       `json:"connections"`
}

// Counters are what a proxy has counted since the start, whatever was reloaded.
type Counters struct {
	Sessions    uint64 `json:"sessions"`
	Requests    uint64 `json:"requests,omitempty"`
	BytesIn     uint64 `json:"bytes_in"`
	BytesOut    uint64 `json:"bytes_out"`
	Denied      uint64 `json:"denied,omitempty"`
	BadRequests uint64 `json:"bad_requests,omitempty"`
	Status2xx   uint64 `json:"status_2xx,omitempty"`
	Status3xx   uint64 `json:"status_3xx,omitempty"`
	Status4xx   uint64 `json:"status_4xx,omitempty"`
	Status5xx   uint64 `json:"status_5xx,omitempty"`
}

// FrontendStatus is one frontend.
type FrontendStatus struct {
	Name        string   `json:"name"`
	Mode        string   `json:"mode"`
	Binds       []string `json:"binds"`
	Connections int      `json:"connections"`
	Counters
}

// BackendStatus is one backend with its servers.
type BackendStatus struct {
	Name    string         `json:"name"`
	Mode    string         `json:"mode"`
	Balance string         `json:"balance"`
	Usable  int            `json:"usable_servers"`
	Current int            `json:"current_sessions"`
	Queued  int            `json:"queued"`
	Servers []ServerStatus `json:"servers"`
	Counters
}

// ServerStatus is one server.
type ServerStatus struct {
	Name        string    `json:"name"`
	Address     string    `json:"address"`
	State       string    `json:"state"` // UP, UP 1/3, DOWN, DOWN 1/2, DOWN (agent), NOLB, DRAIN, MAINT, no check
	Since       time.Time `json:"since"`
	Backup      bool      `json:"backup,omitempty"`
	Active      bool      `json:"active"` // shares the traffic now
	Weight      int       `json:"weight"`
	Current     int       `json:"current_sessions"`
	Queued      int       `json:"queued,omitempty"` // who waits for this one alone
	Sessions    uint64    `json:"sessions"`
	Opened      uint64    `json:"connections_opened"`
	ConnErrors  uint64    `json:"connection_errors,omitempty"`
	RespErrors  uint64    `json:"response_errors,omitempty"`
	Retries     uint64    `json:"retries,omitempty"`
	Redispatch  uint64    `json:"redispatches,omitempty"`
	CheckStatus string    `json:"check_status,omitempty"` // L4OK, L7STS, ...
	CheckInfo   string    `json:"check_info,omitempty"`
	CheckCode   int       `json:"check_code,omitempty"`
	CheckMS     float64   `json:"check_ms,omitempty"`
	AgentStatus string    `json:"agent_status,omitempty"`
	AgentInfo   string    `json:"agent_info,omitempty"`
}

// Status returns the present state.
func (l *LB) Status() Status {
	st := Status{
		Connections: l.set.Conns(), MaxConnections: int(l.set.Maxconn), Loops: len(l.set.Workers),
		Draining: l.set.Draining(), DroppedLogs: l.sinks.Dropped(),
	}
	for _, t := range l.sinks.Targets() {
		st.LogTargets = append(st.LogTargets, LogTarget(t))
	}
	for _, fe := range l.set.Frontends {
		f := FrontendStatus{
			Name: fe.Spec.Name, Mode: fe.Spec.Mode.String(), Connections: int(fe.Conns.Load()), Counters: counted(fe.Counters),
		}
		for _, b := range fe.Spec.Binds {
			f.Binds = append(f.Binds, b.Key())
		}
		st.Frontends = append(st.Frontends, f)
	}
	for _, b := range l.set.Backends {
		bs := BackendStatus{
			Name: b.Spec.Name, Mode: b.Spec.Mode.String(), Balance: b.Spec.Balance.Algorithm.String(),
			Usable: b.Usable(), Current: int(b.Conns.Load()), Queued: b.Queued(), Counters: counted(b.Counters),
		}
		active := make(map[int]bool)
		for _, slot := range b.Slots() {
			active[slot.ID] = true
		}
		for _, k := range l.checks {
			if k.backend == b {
				bs.Servers = append(bs.Servers, serverStatus(k, active[k.server.Index]))
			}
		}
		st.Backends = append(st.Backends, bs)
	}
	return st
}

func serverStatus(k *check, active bool) ServerStatus {
	s := k.server
	st := ServerStatus{
		Name: s.Spec.Name, Address: s.Place(), Since: mono.Time(k.since.Load()).Wall(),
		Backup: s.Spec.Backup, Active: active, Weight: s.Weight(),
		Current: int(s.Load.Load()), Queued: s.Queued(), Sessions: s.Sessions.Load(), Opened: s.Opened.Load(),
		ConnErrors: s.ConnErrs.Load(), RespErrors: s.RespErrs.Load(), Retries: s.Retries.Load(), Redispatch: s.Redisps.Load(),
	}
	st.State = k.word()
	if m := k.last.Load(); m != nil {
		last := m.Last()
		st.CheckStatus, st.CheckInfo, st.CheckCode = last.Status.String(), last.Info, last.Code
		st.CheckMS = float64(last.Duration.Microseconds()) / 1000
	}
	if m := k.lastAgent.Load(); m != nil {
		st.AgentStatus, st.AgentInfo = m.Last().Status.String(), m.Last().Info
	}
	return st
}

// word is the state of the server as statistics show it.
func (k *check) word() string {
	word := k.shown.Load().String(k.checked())
	if word == "DRAIN" && k.agent != nil {
		return "DRAIN (agent)"
	}
	return word
}

// checked is what the checks say of the server.
func (k *check) checked() string {
	switch m := k.last.Load(); {
	case m != nil:
		return m.String()
	case k.server.Spec.Track == "" && k.runner == nil:
		return "no check"
	case k.shown.Load().CheckDown:
		return "DOWN"
	}
	return "UP" // until the first check says otherwise
}

func counted(c *proxy.Counters) Counters {
	return Counters{
		Sessions: c.Sessions.Load(), Requests: c.Requests.Load(), BytesIn: c.BytesIn.Load(), BytesOut: c.BytesOut.Load(),
		Denied: c.Denied.Load(), BadRequests: c.Errors.Load(),
		Status2xx: c.Status[2].Load(), Status3xx: c.Status[3].Load(), Status4xx: c.Status[4].Load(), Status5xx: c.Status[5].Load(),
	}
}
