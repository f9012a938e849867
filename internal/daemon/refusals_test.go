package daemon

import (
	"net/netip"
	"testing"
	"time"

	"baton/internal/mono"
	"baton/vrrp"
	"baton/vrrp/packet"
	"baton/vrrp/vrrpnet"
)

func TestRefusalsAreProblems(t *testing.T) {
	var r refusals
	at := mono.Time(0).Add(time.Hour)
	peer := netip.MustParseAddr("192.0.2.2")
	r.note(vrrpnet.Event{Kind: vrrpnet.StateChanged, Instance: "VI_1", Time: at})
	r.note(vrrpnet.Event{Kind: vrrpnet.Refused, Reason: packet.VRID, Peer: peer, Time: at})
	if got := r.problem("VI_1", vrrp.Master, at); got != "" {
		t.Errorf("before a refusal: %q", got)
	}
	r.note(vrrpnet.Event{Kind: vrrpnet.Refused, Instance: "VI_1", Reason: packet.AuthData, Peer: peer, Time: at})
	const backup = "advert of 192.0.2.2 refused: password differs"
	for _, tt := range []struct {
		instance string
		state    vrrp.State
		after    time.Duration
		want     string
	}{
		{"VI_1", vrrp.Backup, time.Minute, backup},
		{"VI_1", vrrp.Master, time.Minute, backup + "; 192.0.2.2 is a master beside this one"},
		{"VI_2", vrrp.Backup, 0, ""},
		{"VI_1", vrrp.Backup, 2 * time.Minute, ""},
	} {
		if got := r.problem(tt.instance, tt.state, at.Add(tt.after)); got != tt.want {
			t.Errorf("%s in %v after %v: %q, want %q", tt.instance, tt.state, tt.after, got, tt.want)
		}
	}
	r.note(vrrpnet.Event{Kind: vrrpnet.Refused, Instance: "VI_1", Reason: packet.Addresses, Peer: peer, Time: at})
	if got, want := r.problem("VI_1", vrrp.Master, at), "advert of 192.0.2.2: address list differs"; got != want {
		t.Errorf("other addresses: %q, want %q", got, want)
	}
}
