package daemon

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"baton/checkscript"
	"baton/vrrp"
	"baton/vrrp/vrrpnet"
)

func TestTellerSpeaksKeepalivedsWords(t *testing.T) {
	var got []string
	tell := newTeller(func(n checkscript.News) { got = append(got, strings.TrimSpace(n.Line())) })
	changed := func(s vrrp.State, why vrrp.Why) vrrpnet.Event {
		return vrrpnet.Event{Kind: vrrpnet.StateChanged, Instance: "V", State: s, Why: why, Priority: 100}
	}
	noted := func(n vrrp.Note, priority uint8) vrrpnet.Event {
		return vrrpnet.Event{Kind: vrrpnet.Noted, Instance: "V", Note: n, Priority: priority}
	}
	for _, e := range []vrrpnet.Event{
		noted(vrrp.PriorityChanged, 90), // before the first state
		changed(vrrp.Backup, vrrp.Started),
		noted(vrrp.PriorityChanged, 101),
		noted(vrrp.NewMaster, 101),
		changed(vrrp.Master, vrrp.NoMaster),
		noted(vrrp.LowerHeard, 101),
		noted(vrrp.PriorityChanged, 99),
		{Kind: vrrpnet.Resync, Instance: "V", State: vrrp.Master, Priority: 99},
		{Kind: vrrpnet.Resync, Instance: "V", State: vrrp.Fault, Why: vrrp.Faulted, Priority: 99},
		noted(vrrp.PriorityChanged, 98),
		{Kind: vrrpnet.GroupChanged, Group: "G", State: vrrp.Fault, Why: vrrp.Faulted},
		{Kind: vrrpnet.SendFailed, Instance: "V"},
		changed(vrrp.Init, vrrp.Stopped),
	} {
		tell.event(e)
	}
	want := []string{
		`INSTANCE "V" BACKUP 100`, `INSTANCE "V" BACKUP_PRIORITY 101`, `INSTANCE "V" MASTER 100`,
		`INSTANCE "V" MASTER_RX_LOWER_PRI 101`, `INSTANCE "V" MASTER_PRIORITY 99`, `INSTANCE "V" FAULT 99`,
		`GROUP "G" FAULT 0`, `INSTANCE "V" STOP 100`,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}
