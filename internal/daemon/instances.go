package daemon

import (
	"baton/internal/admin"
	"baton/internal/mono"
)

// instances joins what the speaker, the owner of the addresses and the probes
// know about each vrrp_instance.
func (d *process) instances(now mono.Time) []admin.Instance {
	holdings := d.addresses.Status()
	out := make([]admin.Instance, 0, len(d.cfg.VRRP.Instances))
	for i, st := range d.speaker.Status() {
		cfg := d.cfg.VRRP.Instances[i]
		in := admin.Instance{
			Name: st.Name, Interface: cfg.VRRP.Interface, VRID: int(cfg.VRRP.VRID),
			State: st.State.String(),
			Base:  int(cfg.VRRP.Priority), Shares: shares(cfg.Tracks, d.probes.Verdict),
			Addresses: []admin.Address{},
		}
		addHoldings(&in, holdings[i], now)
		out = append(out, in)
	}
	return out
}
