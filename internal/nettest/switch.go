package nettest

import (
	"strings"
	"testing"
	"time"
)

// Switch is a bridge in a namespace of its own. It floods multicast and forwards
// from the first frame on (no spanning tree, no snooping).
type Switch struct {
	*NS
}

// Host is a namespace with one interface, eth0, on a switch. Its port on the
// switch carries the host's name.
type Host struct {
	*NS
	sw   *Switch
	port string
}

// NewSwitch makes an empty switch.
func NewSwitch(t testing.TB) *Switch {
	t.Helper()
	sw := &Switch{NewNS(t, "switch")}
	sw.IP("link", "add", "br0", "type", "bridge", "stp_state", "0", "forward_delay", "0", "mcast_snooping", "0")
	sw.IP("link", "set", "br0", "up")
	return sw
}

// Host makes a host on the switch with the given addresses ("10.0.0.1/24") on
// eth0, which is up. The name has at most 15 bytes.
func (sw *Switch) Host(name string, addrs ...string) *Host {
	sw.t.Helper()
	h := &Host{NewNS(sw.t, name), sw, name}
	h.Rewire()
	for _, a := range addrs {
		h.IP("addr", "add", a, "dev", "eth0", "nodad")
	}
	return h
}

// Rewire gives the host a new eth0, without addresses, in place of one that it
// has no longer.
func (h *Host) Rewire() {
	h.t.Helper()
	h.IP("link", "add", "eth0", "type", "veth", "peer", "name", h.port, "netns", h.sw.Name)
	h.sw.IP("link", "set", "dev", h.port, "master", "br0", "up")
	h.IP("link", "set", "eth0", "up")
	h.awaitForwarding()
}

// awaitForwarding waits until frames pass the port: the kernel tells the bridge
// of the carrier in its own time, and drops what comes before. There is no event
// that covers both ends, so the state is asked for, as often as ip can run.
func (h *Host) awaitForwarding() {
	h.t.Helper()
	for end := time.Now().Add(patience); ; {
		out := h.sw.IP("-details", "link", "show", "dev", h.port)
		if strings.Contains(out, "state forwarding") && strings.Contains(out, "state UP") && strings.Contains(h.IP("link", "show", "dev", "eth0"), "state UP") {
			return
		}
		if time.Now().After(end) {
			h.t.Fatalf("the switch never forwarded for %s:\n%s", h.port, out)
		}
	}
}

// Unplug takes the carrier from eth0: nothing gets in or out.
func (h *Host) Unplug() {
	h.t.Helper()
	h.sw.IP("link", "set", "dev", h.port, "down")
}

// Plug undoes Unplug. It does not wait until frames pass.
func (h *Host) Plug() {
	h.t.Helper()
	h.sw.IP("link", "set", "dev", h.port, "up")
}
