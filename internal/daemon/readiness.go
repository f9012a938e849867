package daemon

import (
	"baton/conf/keepalived"
	"baton/lb"
	"baton/pair"
	"baton/vip/kernel"
	"baton/vrrp"
	"baton/vrrp/vrrpnet"
)

// pairState is what this node is doing, as the other one is told: states,
// readiness, and its view of the servers. It is called from many goroutines.
func (d *process) pairState() pair.State {
	s := pair.State{Maintenance: d.health.inMaintenance(), Reason: d.unready()}
	h := d.half.Load()
	holdings := h.holdings()
	for _, st := range d.speaker.Status() {
		c := h.instance(st.Name)
		if c == nil {
			continue // a reload is under way
		}
		in := pair.InstanceState{
			Key:      instanceKey(st.Name, st.VRID, st.IPv6),
			Role:     role(st.State),
			Priority: st.Priority, Base: st.BasePriority,
			Holds: holdings[st.Name].Held, Source: st.Source, Master: st.Master,
			Reason: s.Reason,
		}
		if text := d.unreadyInstance(c, st, holdings[st.Name]); text != "" {
			in.Reason = text
		}
		s.Instances = append(s.Instances, in)
	}
	if d.balancer != nil {
		s.Backends = backendViews(d.balancer.Status().Backends)
	}
	return s
}

func role(s vrrp.State) pair.Role {
	return [...]pair.Role{vrrp.Init: pair.Init, vrrp.Backup: pair.Backup, vrrp.Master: pair.Master, vrrp.Fault: pair.Fault}[s]
}

// unready is why this node could serve nothing: "" if it could.
func (d *process) unready() string {
	phase, _ := d.phase.Load().(string)
	switch {
	case d.health.inMaintenance():
		return "it is in maintenance"
	case phase == "stopping":
		return "it is stopping"
	case d.balancer != nil && !d.balancer.Serving():
		return "its balancer does not serve"
	}
	return ""
}

// unreadyInstance is why an instance could not be master.
func (d *process) unreadyInstance(c *keepalived.Instance, st vrrpnet.Status, h kernel.Status) string {
	switch {
	case st.State == vrrp.Fault:
		return "it is in FAULT: " + reason(st, d.shares(c))
	case st.State == vrrp.Init:
		return "it has not started yet: " + reason(st, d.shares(c))
	case st.Problem != "":
		return st.Problem
	}
	return h.Error
}

// backendViews is this node's view of the servers.
func backendViews(list []lb.BackendStatus) []pair.Backend {
	var out []pair.Backend
	for _, be := range list {
		b := pair.Backend{Name: be.Name, Usable: uint16(min(be.Usable, 0xffff)), Total: uint16(min(len(be.Servers), 0xffff))}
		for _, srv := range be.Servers {
			if !srv.Active && !srv.Backup {
				b.Down = append(b.Down, srv.Name)
			}
		}
		out = append(out, b)
	}
	return out
}

// worse names a backend that has usable servers here and none there.
func worse(ours, theirs []pair.Backend) (backend string, found bool) {
	for _, there := range theirs {
		if there.Usable > 0 || there.Total == 0 {
			continue
		}
		for _, here := range ours {
			if here.Name == there.Name && here.Usable > 0 {
				return here.Name, true
			}
		}
	}
	return "", false
}
