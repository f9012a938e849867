package daemon

import (
	"strings"

	"baton/checkscript"
	"baton/conf/keepalived"
	"baton/internal/admin"
	"baton/internal/mono"
	"baton/vip/kernel"
	"baton/vrrp"
	"baton/vrrp/packet"
	"baton/vrrp/vrrpnet"
)

// instances joins what the speaker, the owner of the addresses and the probes
// know about each vrrp_instance.
func (d *process) instances(now mono.Time) []admin.Instance {
	h := d.half.Load()
	holdings := h.holdings()
	out := make([]admin.Instance, 0, len(h.cfg.Instances))
	for _, st := range d.speaker.Status() {
		c := h.instance(st.Name)
		if c == nil {
			continue // a reload is under way
		}
		in := admin.Instance{
			Name: st.Name, Interface: st.Interface, VRID: int(st.VRID),
			State: st.State.String(), Since: st.Since.Wall(), Problem: st.Problem,
			Priority: int(st.Priority), Base: int(st.BasePriority),
			Shares:    d.shares(c),
			Differs:   []string{},
			Addresses: []admin.Address{},
			Counters:  advertCounters(st),
		}
		in.Reason = reason(st, in.Shares)
		for _, s := range st.Sights {
			in.Differs = append(in.Differs, s.Tell(&c.VRRP)...)
		}
		if text := d.refusals.problem(st.Name, st.State, now); text != "" && in.Problem == "" {
			in.Problem = text
		}
		if st.Master.IsValid() {
			in.Master = &admin.Master{Address: st.Master.String(), Priority: int(st.MasterPriority)}
		}
		for _, p := range st.Paths {
			in.Paths = append(in.Paths, admin.Path{
				Interface: p.Interface, Unicast: p.Unicast, Master: p.Sighting.String(), Since: p.Since.Wall(), Problem: p.Problem,
				Sent: p.Sent, Errors: p.SendErrors, Received: p.Received,
			})
		}
		addHoldings(&in, holdings[st.Name], now)
		out = append(out, in)
	}
	return out
}

// reason says why an instance is in its state, and names the probe where it is one.
func reason(st vrrpnet.Status, shares []admin.Share) string {
	if st.State != vrrp.Fault {
		switch {
		case st.Pending:
			return "the first results of its probes are awaited"
		case st.Yielded && st.Why != vrrp.HandedOver:
			return st.Why.String() + "; has handed over and takes nothing back"
		}
		return st.Why.String()
	}
	text := st.Faults.String()
	if st.Faults&vrrp.Unhealthy == 0 {
		return text
	}
	var failed []string
	for _, s := range shares {
		if s.Fault {
			failed = append(failed, s.Probe)
		}
	}
	if len(failed) > 0 {
		text += " (" + strings.Join(failed, ", ") + ")"
	}
	return text
}

func advertCounters(st vrrpnet.Status) map[string]uint64 {
	c := map[string]uint64{
		"sent": st.Sent, "send_errors": st.SendErrors, "received": st.Received, "transitions": st.Transitions,
	}
	for r, n := range st.Refused {
		switch {
		case n == 0:
		case packet.Reason(r) == packet.Addresses: // noticed, but accepted
			c["other_addresses"] = n
		default:
			c["refused_"+packet.Reason(r).Key()] = n
		}
	}
	return c
}

// addHoldings adds what the kernel side knows about an instance's addresses.
func addHoldings(in *admin.Instance, h kernel.Status, now mono.Time) {
	for _, a := range h.Addresses {
		problem := a.Error
		if problem == "" && a.Stranger != "" {
			problem = "another host answers for it too: " + a.Stranger
		}
		in.Addresses = append(in.Addresses, admin.Address{
			Prefix: a.Prefix.String(), Interface: a.Interface, Held: a.Held, Error: problem,
		})
	}
	if h.Held {
		in.Lease = &admin.Lease{Since: h.Since.Wall(), Remaining: h.Remaining(now).Seconds(), Announced: h.Announced}
	}
}

// shares is what makes an instance's priority.
func (d *process) shares(c *keepalived.Instance) []admin.Share {
	list := shares(c.Tracks, d.probes.Reading)
	if d.health.inMaintenance() {
		list = append(list, admin.Share{Probe: "maintenance", Verdict: "on", Fault: true})
	}
	return list
}

// shares spells out what an instance's probes do to its priority.
func shares(tracks []checkscript.Track, reading func(string) checkscript.Reading) []admin.Share {
	out := []admin.Share{}
	for _, t := range tracks {
		s := checkscript.Weigh(t, reading(t.Probe))
		out = append(out, admin.Share{
			Probe: t.Probe, Verdict: s.Verdict.String(), Weight: t.Weight, Reverse: t.Reverse,
			Delta: s.Delta, Fault: s.Fault, Pending: s.Pending,
		})
	}
	return out
}
