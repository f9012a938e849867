package checkscript

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestMailMessage: the words are those that keepalived 2.2.7 was seen to send, but for
// X-Mailer.
func TestMailMessage(t *testing.T) {
	m := &Mail{From: "lb@example.org", To: []string{"a@example.org", "b@example.org"}}
	date := time.Date(2026, 11, 21, 3, 28, 58, 0, time.UTC)
	head := "Date: Sat, 21 Nov 2026 03:28:58 +0000\nFrom: lb@example.org\nSubject: [LB_ONE] VRRP "
	tail := "X-Mailer: baton\nTo: a@example.org, b@example.org\n\n=> "
	for _, c := range []struct {
		news          News
		subject, body string
	}{
		{News{Name: "VI_1", Word: ToMaster}, "Instance VI_1 - Entering MASTER state", "VRRP Instance is now owning VRRP VIPs"},
		{News{Name: "VI_1", Word: ToBackup}, "Instance VI_1 - Entering BACKUP state", "VRRP Instance is no longer owning VRRP VIPs"},
		{News{Name: "VI_1", Word: ToFault}, "Instance VI_1 - Entering FAULT state", "VRRP Instance is no longer owning VRRP VIPs"},
		{News{Name: "G", Group: true, Word: ToFault}, "Group G - Entering FAULT state", "All VRRP group instances are now in FAULT state"},
		{News{Name: "a\r\nBcc: x", Word: ToMaster}, "Instance a??Bcc: x - Entering MASTER state", "VRRP Instance is now owning VRRP VIPs"},
	} {
		want := strings.ReplaceAll(head+c.subject+"\n"+tail+c.body+" <=\n", "\n", "\r\n")
		if diff := cmp.Diff(want, string(m.Message(c.news, "LB_ONE", date))); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", c.news, diff)
		}
	}
}

func TestMailWants(t *testing.T) {
	var got []Word
	m := &Mail{NoFaults: true}
	for _, w := range []Word{ToMaster, ToBackup, ToFault, Stopped, Deleted, RxLower, MasterPriority, BackupPriority} {
		if m.Wants(News{Word: w}) {
			got = append(got, w)
		}
	}
	if diff := cmp.Diff([]Word{ToMaster, ToBackup}, got); diff != "" {
		t.Errorf("without faults (-want +got):\n%s", diff)
	}
	if m.NoFaults = false; !m.Wants(News{Word: ToFault}) {
		t.Error("a fault is not mailed")
	}
}
