package daemon

import (
	"sync"
	"time"

	"baton/checkscript"
	"baton/conf/keepalived"
	"baton/vrrp"
)

// health turns the verdicts of probes into what the VRRP instances are told.
type health struct {
	instances []keepalived.Instance
	reading   func(probe string) checkscript.Reading
	send      func(instance string, delta int, fault, pending bool)

	mu          sync.Mutex // keeps an older sum from being sent after a newer one
	maintenance time.Time  // since when the operator keeps the node out of elections: FAULT, whatever the probes say
}

// refresh sends the sum of every instance that tracks the probe; "" means all.
func (h *health) refresh(probe string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	free := h.maintenance.IsZero()
	for _, in := range h.instances {
		if probe == "" || tracks(in, probe) {
			delta, fault, pending := checkscript.Effect(in.Tracks, h.reading)
			h.send(in.VRRP.Name, delta, fault || !free, pending && free)
		}
	}
}

// resume sets what a later refresh sends.
func (h *health) resume(maintenance time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.maintenance = maintenance
}

// replace goes on with the instances of another configuration.
func (h *health) replace(instances []keepalived.Instance) {
	h.mu.Lock()
	h.instances = instances
	h.mu.Unlock()
	h.refresh("")
}

// of is what an instance's probes add up to.
func (h *health) of(in keepalived.Instance) vrrp.Event {
	h.mu.Lock()
	defer h.mu.Unlock()
	delta, fault, pending := checkscript.Effect(in.Tracks, h.reading)
	free := h.maintenance.IsZero()
	return vrrp.Event{Kind: vrrp.Health, Delta: delta, Fault: fault || !free, Pending: pending && free}
}

// setMaintenance sends every sum anew. The zero time ends it.
func (h *health) setMaintenance(since time.Time) {
	h.resume(since)
	h.refresh("")
}

// inMaintenance reports what setMaintenance set; false without VRRP.
func (h *health) inMaintenance() bool { return !h.maintenanceSince().IsZero() }

func (h *health) maintenanceSince() time.Time {
	if h == nil {
		return time.Time{}
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
