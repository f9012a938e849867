package daemon

import (
	"fmt"
	"sync"
	"time"

	"baton/internal/mono"
	"baton/vrrp"
	"baton/vrrp/packet"
	"baton/vrrp/vrrpnet"
)

// refusals remembers which instances hear adverts that they cannot accept: most
// often a password or an interval that differs, and so two masters.
type refusals struct {
	mu   sync.Mutex
	last map[string]vrrpnet.Event // by instance
}

// refusalHolds is how long one counts as present. The speaker tells of one that
// goes on once a minute.
const refusalHolds = 70 * time.Second

// note takes an event of the speaker.
func (r *refusals) note(e vrrpnet.Event) {
	if e.Kind != vrrpnet.Refused || e.Instance == "" {
		return // of a router that is not ours
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.last == nil {
		r.last = make(map[string]vrrpnet.Event)
	}
	r.last[e.Instance] = e
}

// problem says what an instance in this state refuses at present, or "".
func (r *refusals) problem(instance string, state vrrp.State, now mono.Time) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	e, ok := r.last[instance]
	if !ok || now.Sub(e.Time) > refusalHolds {
		return ""
	}
	text := e.String()
	// Only a master sends adverts.
	if state == vrrp.Master && e.Reason != packet.Addresses {
		text += fmt.Sprintf("; %v is a master beside this one", e.Peer)
	}
	return text
}
