package lab

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// feed plays a script: a line is "DONE STREAM WEB", "DONE STREAM !REASON SENT",
// "DONE clock" or "DONE act TITLE"; times are in ms.
func feed(t *testing.T, tr *traffic, script string) (told []string) {
	t.Helper()
	for line := range strings.Lines(script) {
		f := strings.Fields(line)
		if len(f) == 0 {
			continue
		}
		at := parseMS(t, f[0])
		var tell []entry
		switch {
		case f[1] == "clock":
			tell = tr.clock(at)
		case f[1] == "act":
			tr.begin(strings.Join(f[2:], " "), at)
		case f[2][0] == '!':
			sent := at
			if len(f) > 3 {
				sent = parseMS(t, f[3])
			}
			tell = tr.add(answer{stream: f[1], sent: sent, done: at, err: f[2][1:]})
		default:
			tell = tr.add(answer{stream: f[1], sent: at, done: at, web: f[2]})
		}
		for _, e := range tell {
			told = append(told, fmt.Sprintf("%d %s", e.at.Milliseconds(), e.text))
		}
	}
	return told
}

func parseMS(t *testing.T, s string) time.Duration {
	t.Helper()
	d, err := time.ParseDuration(s + "ms")
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestTrafficTells(t *testing.T) {
	for _, c := range []struct {
		name, script string
		want         []string
	}{
		{"nothing", "10 new web1\n20 kept web2\n30 clock\n120 new web1\n200 clock", nil},
		{"before the first answer", "10 new !refused\n900 clock", nil},
		{
			"outage with a reason", "10 new web1\n20 new !refused\n30 new !reset\n300 clock\n310 new !refused\n1000 new web3\n1100 clock",
			[]string{"20 gets no answer: refused", "1000 is answered again, by web3, after 990 ms"},
		},
		{
			"outage without a word", "10 new web1\n200 clock\n250 clock\n300 clock\n700 kept web1\n750 clock",
			[]string{"20 gets no answer", "700 is answered again, by web1, after 690 ms"},
		},
		{
			"outage that no clock saw", "10 new web1\n15 new !refused\n700 kept web1",
			[]string{"15 gets no answer: refused", "700 is answered again, by web1, after 690 ms"},
		},
		{
			"latecomers belong to the old outage", "10 new web1\n300 clock\n700 new web1\n800 new !timeout 650\n900 new web1\n1050 clock\n1100 new web1\n1150 clock",
			[]string{"20 gets no answer", "700 is answered again, by web1, after 690 ms"},
		},
		{
			"one mishap", "10 new web1\n20 kept !reset\n30 new web1\n130 new web1\n200 new web1\n250 clock",
			[]string{"20 1 request failed (reset), the others were answered"},
		},
		{
			"mishaps are told once", "10 new web1\n20 kept !502\n30 new web1\n130 new !502\n200 new web1\n250 clock\n300 new web1\n400 clock",
			[]string{"130 2 requests failed in 110 ms (502), the others were answered"},
		},
		{
			"mishaps before an outage are part of it", "10 new web1\n20 kept !502\n30 new web1\n50 new !refused\n300 clock\n400 new web1\n700 new web1",
			[]string{"50 gets no answer: refused", "400 is answered again, by web1, after 370 ms", "410 gets no answer", "700 is answered again, by web1, after 300 ms"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if d := cmp.Diff(c.want, feed(t, newTraffic(), c.script), cmpopts.EquateEmpty()); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

func TestTrafficCounts(t *testing.T) {
	tr := newTraffic()
	feed(t, tr, `
		0 act calm
		10 new web1
		12 kept web1
		40 new web2
		50 kept web3
		60 act kill
		70 new !refused
		80 kept !refused
		400 clock
		900 new web1
		950 kept web1
		960 act void
		970 new web2
		1200 clock
	`)
	tr.end(parseMS(t, "2000"))
	millis := func(newGap, kept int) map[string]time.Duration {
		return map[string]time.Duration{streamNew: time.Duration(newGap) * time.Millisecond, streamKept: time.Duration(kept) * time.Millisecond}
	}
	want := []act{
		{title: "calm", from: 0, longest: millis(30, 38), answered: 4},
		{title: "kill", from: 60 * time.Millisecond, longest: millis(860, 900), answered: 2, failed: 2},
		{title: "void", from: 960 * time.Millisecond, longest: millis(1030, 1050), answered: 1}, // it never ended
	}
	if d := cmp.Diff(want, tr.acts, cmp.AllowUnexported(act{})); d != "" {
		t.Errorf("acts (-want +got):\n%s", d)
	}
	if d := cmp.Diff(map[string]int{"web1": 4, "web2": 2, "web3": 1}, tr.answered); d != "" {
		t.Errorf("answered (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]half{{4, 2}, {3, 0}}, tr.halves, cmp.AllowUnexported(half{})); d != "" {
		t.Errorf("half seconds (-want +got):\n%s", d)
	}
	if tr.failed["refused"] != 2 {
		t.Errorf("failed: %v, want 2 refused", tr.failed)
	}
}
