package dump

import (
	"net"
	"net/netip"
	"slices"
	"time"

	"baton/checkscript"
	"baton/checkscript/runner"
	"baton/conf/keepalived"
	"baton/vip"
	"baton/vip/kernel"
	"baton/vrrp"
	"baton/vrrp/vrrpnet"
)

// Snapshot is everything that a dump shows.
type Snapshot struct {
	Node       string // router_id, or the host's name
	Config     *keepalived.Config
	Instances  []Instance
	Probes     []runner.Status
	Interfaces []Interface
}

// Instance is one vrrp_instance: its configuration and what it is doing.
type Instance struct {
	keepalived.Instance
	Status  vrrpnet.Status
	Holding kernel.Status
}

// Interface is a network interface of this host.
type Interface struct {
	net.Interface
	Addresses []netip.Prefix
}

// target returns what is told about an instance or a group; an empty one if nothing.
func (s *Snapshot) target(group bool, name string) checkscript.Target {
	for _, t := range s.Config.Notify.Targets {
		if t.Group == group && t.Name == name {
			return t
		}
	}
	return checkscript.Target{}
}

// probe returns a tracked probe; the zero one if there is none.
func (s *Snapshot) probe(name string) checkscript.Probe {
	for _, p := range s.Config.Probes {
		if p.Name == name {
			return p
		}
	}
	return checkscript.Probe{}
}

// tracks returns the tracks of an instance whose probes are of a kind.
func (s *Snapshot) tracks(in *Instance, kind checkscript.Kind) []checkscript.Track {
	var out []checkscript.Track
	for _, t := range in.Tracks {
		if p := s.probe(t.Probe); p.Kind == kind {
			out = append(out, t)
		}
	}
	return out
}

// schedule is how the instance announces its addresses.
func (in *Instance) schedule() vip.Schedule {
	if in.VIP.Announce == (vip.Schedule{}) {
		return vip.DefaultSchedule()
	}
	return in.VIP.Announce
}

// interval is the advert interval in force: of version 3, the master's.
func (in *Instance) downAdverts() int {
	if n := in.VRRP.DownAdverts; n > 0 {
		return n
	}
	return 3
}

// masterDown is the master-down interval as the configuration makes it.
func (in *Instance) masterDown() time.Duration {
	within := time.Second
	if in.Status.Version == 3 {
		within = in.VRRP.AdvertInterval
	}
	return time.Duration(in.downAdverts())*in.VRRP.AdvertInterval + time.Duration(256-int(in.Status.Priority))*within/256
}

// address is one virtual address in words, as keepalived lists it.
type address struct {
	text     string
	excluded bool
}

// addresses lists the virtual addresses, and whether all of them stand.
func (in *Instance) addresses() (list []address, set bool) {
	set = len(in.VIP.Addresses) > 0
	for i, a := range in.VIP.Addresses {
		held := i < len(in.Holding.Addresses) && in.Holding.Addresses[i].Held
		set = set && held
		list = append(list, address{in.addressText(a, in.VRRP.Interface, held), !slices.Contains(in.VRRP.Advertised, a.Prefix.Addr())})
	}
	return list, set
}

func (in *Instance) addressText(a vip.Address, device string, held bool) string {
	text := a.Prefix.String()
	if a.Prefix.IsSingleIP() {
		text = a.Prefix.Addr().String()
	}
	if a.Broadcast.IsValid() {
		text += " brd " + a.Broadcast.String()
	}
	if a.Interface != "" {
		device = a.Interface
	}
	if v, ok := in.VIP.VMACOf(device); ok {
		device += "@" + v.Base
	}
	text += " dev " + device + " scope " + scope(a.Scope)
	if a.Label != "" {
		text += " label " + a.Label
	}
	if held {
		text += " set"
	}
	return text
}

func scope(s uint8) string {
	switch s {
	case 200:
		return "site"
	case 253:
		return "link"
	case 254:
		return "host"
	case 255:
		return "nowhere"
	}
	return "global"
}

// faults counts what holds an instance in FAULT.
func faults(f vrrp.Faults) (n int) {
	f.Each(func(vrrp.Faults) { n++ })
	return n
}
