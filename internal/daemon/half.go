package daemon

import (
	"baton/checkscript/mailer"
	"baton/conf/keepalived"
	"baton/vip/kernel"
)

// half is what belongs to one configuration of VRRP. A reload puts another one in its
// place; who reads it keeps the one that he has read.
type half struct {
	cfg       *keepalived.Config
	addresses *kernel.Manager
	mailer    *mailer.Mailer // nil: nobody wants mail
}

// instance returns the configuration of an instance; nil if a reload has removed it.
func (h *half) instance(name string) *keepalived.Instance {
	for i := range h.cfg.Instances {
		if h.cfg.Instances[i].VRRP.Name == name {
			return &h.cfg.Instances[i]
		}
	}
	return nil
}

// holdings returns what the kernel side knows, by instance.
func (h *half) holdings() map[string]kernel.Status {
	out := make(map[string]kernel.Status)
	for _, s := range h.addresses.Status() {
		out[s.Instance] = s
	}
	return out
}
