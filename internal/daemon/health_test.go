package daemon

import (
	"fmt"
	"strings"
	"testing"

	"baton/checkscript"
	"baton/conf/keepalived"
	"baton/vrrp"
)

func TestHealthSumsTheTracksOfAnInstance(t *testing.T) {
	verdicts := map[string]checkscript.Verdict{}
	var sent []string
	h := &health{
		instances: []keepalived.Instance{
			{VRRP: vrrp.Config{Name: "A"}, Tracks: []checkscript.Track{{Probe: "web", Weight: -50}, {Probe: "chk"}}},
			{VRRP: vrrp.Config{Name: "B"}, Tracks: []checkscript.Track{{Probe: "web", Weight: 2}}},
		},
		reading: func(p string) checkscript.Reading { return checkscript.Reading{Verdict: verdicts[p]} },
		send: func(in string, delta int, fault, pending bool) {
			sent = append(sent, fmt.Sprintf("%s %+d fault=%v pending=%v", in, delta, fault, pending))
		},
	}
	step := func(probe string, v checkscript.Verdict, want ...string) {
		t.Helper()
		sent = nil
		if probe != "" {
			verdicts[probe] = v
		}
		h.refresh(probe)
		if got := strings.Join(sent, "; "); got != strings.Join(want, "; ") {
			t.Errorf("after %s %v: %s, want %s", probe, v, got, strings.Join(want, "; "))
		}
	}
	step("", 0, "A +0 fault=false pending=true", "B +0 fault=false pending=false")
	step("web", checkscript.Down, "A -50 fault=false pending=true", "B +0 fault=false pending=false")
	step("chk", checkscript.Up, "A -50 fault=false pending=false")
	step("web", checkscript.Up, "A +0 fault=false pending=false", "B +2 fault=false pending=false")
	step("chk", checkscript.Down, "A +0 fault=true pending=false")
	step("other", checkscript.Down)
}
