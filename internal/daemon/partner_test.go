package daemon

import (
	"fmt"
	"log/slog"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"baton/conf/keepalived"
	"baton/pair"
	pairlink "baton/pair/link"
	"baton/vrrp"
	"baton/vrrp/vrrpnet"

	"github.com/google/go-cmp/cmp"
)

// here is a node whose partner is told things; hints are what follows.
type here struct {
	*partner
	state pair.State
	hints []string
}

var (
	keyA  = pair.Key{Name: "A", VRID: 51, Family: 4}
	keyB  = pair.Key{Name: "B", VRID: 52, Family: 4}
	peerA = netip.MustParseAddr("10.0.0.2")
)

func newHere(t *testing.T) *here {
	t.Helper()
	h := &here{state: pair.State{Instances: []pair.InstanceState{{Key: keyA, Role: pair.Backup}, {Key: keyB, Role: pair.Master}}}}
	h.partner = &partner{
		log: slog.New(slog.DiscardHandler), cfg: &keepalived.Pair{Peer: netip.MustParseAddrPort("10.0.0.2:1112")},
		keys: []pair.Key{keyA, keyB}, asked: map[uint32]chan pair.Answer{}, changed: make(chan struct{}),
		look: func() pair.State { return h.state },
		vrrp: func() []vrrpnet.Status { return nil },
		hint: func(instance string, ev vrrp.Event) {
			h.hints = append(h.hints, fmt.Sprintf("%s %s %v %d", instance, hintNames[ev.Kind], ev.From, ev.Priority))
		},
	}
	h.link = pairlink.New(pairlink.Options{Key: filepath.Join(t.TempDir(), "none")}) // never run
	return h
}

var hintNames = map[vrrp.EventKind]string{
	vrrp.PeerGone: "gone", vrrp.PeerLeft: "left", vrrp.PeerWaits: "waits", vrrp.Succeed: "succeed", vrrp.Withdraw: "withdraw", vrrp.PeerBack: "back",
}

// told gives actions and returns the hints that they caused.
func (h *here) told(actions ...pair.Action) []string {
	h.hints = nil
	for _, a := range actions {
		h.on(a)
	}
	return h.hints
}

func up(process uint64, again bool) pair.Action {
	return pair.Action{Kind: pair.Up, Hello: pair.Hello{Node: "lb2", Incarnation: process}, Again: again}
}

func says(role pair.Role) pair.Action {
	return pair.Action{Kind: pair.Heard, Message: pair.State{Instances: []pair.InstanceState{
		{Key: keyA, Role: role, Priority: 101, Source: peerA, Master: netip.MustParseAddr("10.0.0.9")},
	}}}
}

func TestPartnerHints(t *testing.T) {
	gaveWay := []string{"A withdraw 10.0.0.2 0"}
	back := []string{"A back 10.0.0.2 0"}
	left := append(slices.Clone(gaveWay), "A left 10.0.0.2 0")
	for _, tt := range []struct {
		name    string
		actions []pair.Action
		want    []string
	}{
		{"its process is gone", []pair.Action{up(1, false), says(pair.Master), {Kind: pair.Gone}}, []string{"A gone 10.0.0.2 0"}},
		{"silence", []pair.Action{up(1, false), says(pair.Master), {Kind: pair.Down, Why: pair.PeerSilent}}, nil},
		{"an orderly end", []pair.Action{up(1, false), says(pair.Master), {Kind: pair.Down, Why: pair.PeerLeft}}, gaveWay},
		{"the end of one that never spoke", []pair.Action{up(1, false), {Kind: pair.Gone}}, nil},
		{"a fault of the master", []pair.Action{up(1, false), says(pair.Master), says(pair.Fault)}, left},
		{"the master stops", []pair.Action{up(1, false), says(pair.Master), says(pair.Init)}, left},
		{"the master gives way: adverts decide", []pair.Action{up(1, false), says(pair.Master), says(pair.Backup)}, gaveWay},
		{"a fault of a backup", []pair.Action{up(1, false), says(pair.Backup), says(pair.Fault)}, back},
		{"a backup is reached again", []pair.Action{up(1, false), says(pair.Master), {Kind: pair.Down, Why: pair.PeerSilent}, up(1, true), says(pair.Backup)}, append(slices.Clone(gaveWay), back...)},
		{"a new process in place of the master", []pair.Action{up(1, false), says(pair.Master), up(2, false), says(pair.Backup)}, append(slices.Clone(left), back...)},
		{"the same process again", []pair.Action{up(1, false), says(pair.Master), up(1, true), says(pair.Master)}, nil},
		{"a new process that is master already", []pair.Action{up(1, false), says(pair.Master), up(2, false), says(pair.Master)}, nil},
	} {
		if d := cmp.Diff(tt.want, newHere(t).told(tt.actions...)); d != "" {
			t.Errorf("%s: %s", tt.name, d)
		}
	}
}

// Who waits for a master is compared when the peer says so, and when this node
// begins to wait after it has said so.
func TestPartnerWaits(t *testing.T) {
	h := newHere(t)
	state := func(role pair.Role, master netip.Addr) pair.Action {
		return pair.Action{Kind: pair.Heard, Message: pair.State{Instances: []pair.InstanceState{{Key: keyA, Role: role, Priority: 101, Source: peerA, Master: master}}}}
	}
	for _, tt := range []struct {
		role   pair.Role
		master netip.Addr
		want   []string
	}{
		{pair.Backup, netip.Addr{}, []string{"A waits 10.0.0.2 101"}},
		{pair.Fault, netip.Addr{}, []string{"A waits 10.0.0.2 0"}},
		{pair.Init, netip.Addr{}, nil}, // it may be about to begin
		{pair.Master, netip.Addr{}, nil},
		{pair.Backup, peerA, nil},
	} {
		h = newHere(t)
		h.told(up(1, true), says(pair.Backup))
		if d := cmp.Diff(tt.want, h.told(state(tt.role, tt.master))); d != "" {
			t.Errorf("%v: %s", tt.role, d)
		}
	}
	h.told(state(pair.Backup, netip.Addr{}))
	h.hints = nil
	h.onVRRP(vrrpnet.Event{Kind: vrrpnet.StateChanged, Instance: "A", State: vrrp.Backup})
	if d := cmp.Diff([]string{"A waits 10.0.0.2 101"}, h.hints); d != "" {
		t.Error(d)
	}
	h.told(pair.Action{Kind: pair.Down})
	h.onVRRP(vrrpnet.Event{Kind: vrrpnet.StateChanged, Instance: "A", State: vrrp.Backup})
	if len(h.hints) > 0 {
		t.Errorf("hints while the link is down: %v", h.hints)
	}
}

func TestPartnerConsiders(t *testing.T) {
	request := pair.Takeover{ID: 5, Key: keyA}
	for _, tt := range []struct {
		name   string
		change func(*here, *pair.Takeover)
		want   string // the reason; "": accepted
	}{
		{"ready", func(*here, *pair.Takeover) {}, ""},
		{"unknown", func(_ *here, r *pair.Takeover) { r.Key = pair.Key{Name: "C", VRID: 9, Family: 4} }, "no instance C"},
		{"master already", func(_ *here, r *pair.Takeover) { r.Key = keyB }, "MASTER already"},
		{"fault", func(h *here, _ *pair.Takeover) {
			h.state.Instances[0].Role, h.state.Instances[0].Reason = pair.Fault, "it is in FAULT: x"
		}, "in FAULT: x"},
		{"fault, forced", func(h *here, r *pair.Takeover) {
			h.state.Instances[0].Role, h.state.Instances[0].Reason, r.Force = pair.Fault, "it is in FAULT: x", true
		}, "in FAULT: x"},
		{"not ready", func(h *here, _ *pair.Takeover) { h.state.Instances[0].Reason = "its balancer does not serve" }, "does not serve"},
		{"not ready, forced", func(h *here, r *pair.Takeover) {
			h.state.Instances[0].Reason, r.Force = "its balancer does not serve", true
		}, ""},
	} {
		h, r := newHere(t), request
		h.told(up(1, false), says(pair.Master))
		tt.change(h, &r)
		h.hints = nil
		a := h.consider(r)
		accepted := len(h.hints) == 1 && h.hints[0] == "A succeed 10.0.0.2 0"
		if a.Accepted != (tt.want == "") || a.Accepted != accepted || !strings.Contains(a.Reason, tt.want) || a.ID != r.ID {
			t.Errorf("%s: %+v, hints %q", tt.name, a, h.hints)
		}
	}
}

func TestWorse(t *testing.T) {
	ours := []pair.Backend{{Name: "app", Usable: 2, Total: 2}, {Name: "down", Usable: 0, Total: 1}}
	if b, found := worse(ours, []pair.Backend{{Name: "app", Usable: 1, Total: 2}, {Name: "down", Total: 1}, {Name: "empty"}, {Name: "new", Total: 1}}); found {
		t.Errorf("worse at %s", b)
	}
	if b, _ := worse(ours, []pair.Backend{{Name: "app", Total: 2}}); b != "app" {
		t.Errorf("worse at %q, want app", b)
	}
}
