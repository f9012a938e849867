package daemon

import (
	"os"
	"time"

	"baton/checkscript/runner"
	"baton/internal/admin"
	"baton/internal/mono"
	"baton/lb"
)

// status is the present state for the socket. It is called from many goroutines.
func (d *process) status() admin.Status {
	st := admin.Status{
		Version: d.Version, PID: os.Getpid(), Node: d.cfg.Name,
		Started: d.started, Uptime: time.Since(d.started).Seconds(), State: d.phase.Load().(string),
		Instances: []admin.Instance{}, Probes: []admin.Probe{}, Frontends: []admin.Frontend{}, Backends: []admin.Backend{},
	}
	if d.speaker != nil {
		st.Instances = d.instances(mono.Now())
		if since := d.health.maintenanceSince(); !since.IsZero() {
			st.Maintenance, st.MaintenanceSince = true, &since
		}
	}
	if d.partner != nil {
		st.Pair = d.partner.status()
	}
	if d.probes != nil {
		for _, p := range d.probes.Status() {
			st.Probes = append(st.Probes, probeStatus(p))
		}
	}
	if d.balancer != nil {
		addBalancer(&st, d.balancer.Status())
	}
	return st
}

func probeStatus(s runner.Status) admin.Probe {
	p := admin.Probe{
		Name: s.Probe.Name, Kind: s.Probe.Kind.String(), Verdict: s.Verdict.String(), Since: s.Since.Wall(),
		Last: s.Last, Streak: s.Streak, Need: s.Need, Runs: s.Runs, Failures: s.Failures,
	}
	if s.Runs > 0 {
		at := s.LastAt.Wall()
		p.LastAt = &at
	}
	return p
}

// addBalancer copies the balancer's state into the answer.
func addBalancer(st *admin.Status, b lb.Status) {
	st.Balancer = &admin.Balancer{
		Connections: b.Connections, MaxConnections: b.MaxConnections, Loops: b.Loops,
		Draining: b.Draining, DroppedLogs: b.DroppedLogs, LogTargets: []admin.LogTarget{},
	}
	for _, t := range b.LogTargets {
		st.Balancer.LogTargets = append(st.Balancer.LogTargets, admin.LogTarget(t))
	}
	for _, o := range b.Older {
		st.Balancer.Older = append(st.Balancer.Older, admin.Older(o))
	}
	for _, f := range b.Frontends {
		st.Frontends = append(st.Frontends, admin.Frontend{
			Name: f.Name, Mode: f.Mode, Binds: f.Binds, Connections: f.Connections, Counters: counters(f.Counters),
		})
	}
	for _, be := range b.Backends {
		out := admin.Backend{
			Name: be.Name, Mode: be.Mode, Balance: be.Balance, Usable: be.Usable,
			Current: be.Current, Queued: be.Queued, Servers: []admin.Server{}, Counters: counters(be.Counters),
		}
		for _, s := range be.Servers {
			out.Servers = append(out.Servers, serverStatus(s))
		}
		st.Backends = append(st.Backends, out)
	}
}

func counters(c lb.Counters) admin.Counters {
	return admin.Counters{
		Sessions: c.Sessions, Requests: c.Requests, BytesIn: c.BytesIn, BytesOut: c.BytesOut,
		Denied: c.Denied, BadRequests: c.BadRequests,
		Status2xx: c.Status2xx, Status3xx: c.Status3xx, Status4xx: c.Status4xx, Status5xx: c.Status5xx,
	}
}

func serverStatus(s lb.ServerStatus) admin.Server {
	return admin.Server{
		Name: s.Name, Address: s.Address, State: s.State, Since: s.Since,
		Backup: s.Backup, Active: s.Active, Weight: s.Weight,
		Current: s.Current, Sessions: s.Sessions, Opened: s.Opened,
		ConnErrors: s.ConnErrors, RespErrors: s.RespErrors, Retries: s.Retries, Redispatch: s.Redispatch,
		Check: s.CheckStatus, Info: s.CheckInfo, Code: s.CheckCode, Took: s.CheckMS,
	}
}
