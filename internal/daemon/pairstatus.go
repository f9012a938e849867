package daemon

import (
	"baton/internal/admin"
	"baton/pair"
)

// status is the link and the other node for the socket.
func (p *partner) status() *admin.Pair {
	l := p.link.Status()
	out := &admin.Pair{
		Address: p.cfg.Peer.String(), Up: l.Up, Since: l.Since.Wall(), Problem: l.Problem, DialError: l.DialError,
		Key: l.Self, PeerKey: l.PeerID, Strangers: l.Strangers, Refused: l.Refused,
		Instances: []admin.PeerInstance{}, Backends: []admin.PeerBackend{}, Differences: []string{},
	}
	if !l.Up {
		out.Why = l.Why
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.peer == nil {
		return out
	}
	out.Node, out.Version = p.peer.Node, p.peer.Version
	out.Differences = append(out.Differences, pair.Differences(p.hello, *p.peer)...)
	if p.state == nil {
		return out
	}
	out.Maintenance, out.Reason = p.state.Maintenance, p.state.Reason
	for _, i := range p.state.Instances {
		out.Instances = append(out.Instances, admin.PeerInstance{
			Name: i.Key.Name, VRID: int(i.Key.VRID), State: i.Role.String(), Priority: int(i.Priority), Base: int(i.Base),
			Holds: i.Holds, Ready: i.Reason == "", Reason: i.Reason,
		})
	}
	for _, b := range p.state.Backends {
		out.Backends = append(out.Backends, admin.PeerBackend{Name: b.Name, Usable: int(b.Usable), Servers: int(b.Total), Down: b.Down})
	}
	if p.up {
		out.Differences = append(out.Differences, pair.Views(p.look().Backends, p.state.Backends, p.peer.Node)...)
	}
	return out
}
