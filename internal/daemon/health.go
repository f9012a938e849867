package daemon

import (
	"sync"

	"baton/checkscript"
	"baton/conf/keepalived"
)

// health turns the verdicts of probes into what the VRRP instances are told.
type health struct {
	instances []keepalived.Instance
	reading   func(probe string) checkscript.Reading
	send      func(instance string, delta int, fault, pending bool)

	mu          sync.Mutex // keeps an older sum from being sent after a newer one
	maintenance bool       // the operator keeps the node out of elections: FAULT, whatever the probes say
}

// refresh sends the sum of every instance that tracks the probe; "" means all.
func (h *health) refresh(probe string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, in := range h.instances {
		if probe == "" || tracks(in, probe) {
			delta, fault, pending := checkscript.Effect(in.Tracks, h.reading)
			h.send(in.VRRP.Name, delta, fault || h.maintenance, pending && !h.maintenance)
		}
	}
}

// setMaintenance sends every sum anew.
func (h *health) setMaintenance(on bool) {
	h.mu.Lock()
	h.maintenance = on
	h.mu.Unlock()
	h.refresh("")
}

// inMaintenance reports what setMaintenance set; false without VRRP.
func (h *health) inMaintenance() bool {
	if h == nil {
		return false
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.maintenance
}

func tracks(in keepalived.Instance, probe string) bool {
	for _, t := range in.Tracks {
		if t.Probe == probe {
			return true
		}
	}
	return false
}
