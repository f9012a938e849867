package health

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"baton/internal/mono"
	"baton/lb/spec"

	"github.com/cockroachdb/datadriven"
)

// TestMachine runs the scripts in testdata/machine.
//
//	new [rise=N] [fall=N] [inter=D] [fast=D] [down=D]
//	checks [took=D]    results, one word each: a status code; shows what each led to
func TestMachine(t *testing.T) {
	var m Machine
	datadriven.RunTest(t, "testdata/machine", func(t *testing.T, d *datadriven.TestData) string {
		switch d.Cmd {
		case "new":
			c := spec.Check{Inter: 2 * time.Second, Rise: 2, Fall: 3}
			d.MaybeScanArgs(t, "rise", &c.Rise)
			d.MaybeScanArgs(t, "fall", &c.Fall)
			c.Inter = scanDuration(t, d, "inter", c.Inter)
			c.FastInter = scanDuration(t, d, "fast", 0)
			c.DownInter = scanDuration(t, d, "down", 0)
			m = New(c, mono.Time(time.Second))
			return describe(&m, mono.Time(0)) + "\n"
		case "checks":
			took := scanDuration(t, d, "took", 10*time.Millisecond)
			var b strings.Builder
			for _, word := range strings.Fields(d.Input) {
				begun := m.Deadline()
				m.Begin(begun)
				if m.Deadline() != mono.Never {
					t.Error("a check is due while one runs")
				}
				changed, noted := m.Step(begun.Add(took), Result{Status: status(t, word)})
				fmt.Fprintf(&b, "%-8s %s", word, describe(&m, begun))
				if changed {
					b.WriteString(" changed")
				}
				if noted {
					b.WriteString(" noted")
				}
				b.WriteString("\n")
			}
			return b.String()
		}
		d.Fatalf(t, "unknown command")
		return ""
	})
}

func describe(m *Machine, since mono.Time) string {
	n, of := m.Health()
	return fmt.Sprintf("%-8s %d/%d next +%v", m, n, of, m.Deadline().Sub(since))
}

func status(t *testing.T, code string) Status {
	for s := range statuses {
		if statuses[s].code == code {
			return Status(s)
		}
	}
	t.Fatalf("no status %s", code)
	return 0
}

func scanDuration(t *testing.T, d *datadriven.TestData, name string, otherwise time.Duration) time.Duration {
	text := ""
	if d.MaybeScanArgs(t, name, &text); text == "" {
		return otherwise
	}
	v, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestOffsets(t *testing.T) {
	for i, want := range []time.Duration{0, 500 * time.Millisecond, time.Second, 1500 * time.Millisecond} {
		if got := Offset(i, 4, 2*time.Second); got != want {
			t.Errorf("offset of check %d of 4: %v, want %v", i, got, want)
		}
	}
	if got := Offset(0, 0, time.Second); got != 0 {
		t.Errorf("offset of no check: %v", got)
	}
}

// The wanted lines were written by HAProxy 2.6.
func TestLines(t *testing.T) {
	a, b := Name{Backend: "lhc", Server: "a"}, Name{Backend: "lhc", Server: "b", Backup: true}
	refused := Result{Status: L4Failed, Info: "Connection refused"}
	connected := Result{Status: L4OK, Duration: 999 * time.Microsecond}
	after := func(rs ...Result) *Machine {
		m := New(spec.Check{Rise: 2, Fall: 3}, 0)
		for _, r := range rs {
			m.Step(0, r)
		}
		return &m
	}
	one := func(r Result) *Machine {
		m := New(spec.Check{Rise: 1, Fall: 1}, 0)
		m.Step(0, r)
		return &m
	}
	for _, c := range []struct{ got, want string }{
		{
			string(AppendCheck(nil, a, after(connected), false)),
			`Health check for server lhc/a succeeded, reason: Layer4 check passed, check duration: 0ms, status: 3/3 UP.`,
		}, {
			string(AppendCheck(nil, b, after(connected, refused), false)),
			`Health check for backup server lhc/b failed, reason: Layer4 connection problem, info: "Connection refused", check duration: 0ms, status: 2/3 UP.`,
		}, {
			string(AppendCheck(nil, a, after(refused), false)),
			`Health check for server lhc/a failed, reason: Layer4 connection problem, info: "Connection refused", check duration: 0ms, status: 0/2 DOWN.`,
		}, {
			string(AppendCheck(nil, a, after(refused, connected), false)),
			`Health check for server lhc/a succeeded, reason: Layer4 check passed, check duration: 0ms, status: 1/2 DOWN.`,
		}, {
			string(AppendCheck(nil, Name{Backend: "s500", Server: "w"}, one(Result{Status: L7Status, Code: 500, Info: `Internal  Server "Error"`}), false)),
			`Health check for server s500/w failed, reason: Layer7 wrong status, code: 500, info: "Internal  Server <22>Error<22>", check duration: 0ms, status: 0/1 DOWN.`,
		}, {
			string(AppendCheck(nil, Name{Backend: "ok", Server: "w"}, one(Result{Status: L7OK, Code: 200, Duration: 10 * time.Millisecond}), false)),
			`Health check for server ok/w succeeded, reason: Layer7 check passed, code: 200, check duration: 10ms, status: 1/1 UP.`,
		}, {
			string(AppendCheck(nil, Name{Backend: "hang", Server: "w"}, one(Result{Status: L7Timeout, Duration: 400 * time.Millisecond}), false)),
			`Health check for server hang/w failed, reason: Layer7 timeout, check duration: 400ms, status: 0/1 DOWN.`,
		}, {
			string(AppendCheck(nil, Name{Backend: "rst", Server: "w"}, one(Result{Status: SocketError, Info: "Connection reset by peer", Duration: 2 * time.Millisecond}), false)),
			`Health check for server rst/w failed, reason: Socket error, info: "Connection reset by peer", check duration: 2ms, status: 0/1 DOWN.`,
		}, {
			string(AppendChange(nil, Name{Backend: "plain", Server: "a"}, WentDown, false, &refused, Counts{Backup: 1})),
			`Server plain/a is DOWN, reason: Layer4 connection problem, info: "Connection refused", check duration: 0ms. 0 active and 1 backup servers left. Running on backup. 0 sessions active, 0 requeued, 0 remaining in queue.`,
		}, {
			string(AppendChange(nil, b, WentDown, false, nil, Counts{})),
			`Backup Server lhc/b is DOWN. 0 active and 0 backup servers left. 0 sessions active, 0 requeued, 0 remaining in queue.`,
		}, {
			string(AppendChange(nil, Name{Backend: "l4tout", Server: "w"}, WentDown, false, nil, Counts{Active: 1})),
			`Server l4tout/w is DOWN. 1 active and 0 backup servers left. 0 sessions active, 0 requeued, 0 remaining in queue.`,
		}, {
			string(AppendChange(nil, b, WentUp, true, nil, Counts{Backup: 1})),
			`Backup Server lhc/b is UP. 0 active and 1 backup servers online. Running on backup. 0 sessions requeued, 0 total in queue.`,
		}, {
			string(AppendChange(nil, Name{Backend: "plain", Server: "a"}, WentUp, true, &connected, Counts{Active: 1})),
			`Server plain/a is UP, reason: Layer4 check passed, check duration: 0ms. 1 active and 0 backup servers online. 0 sessions requeued, 0 total in queue.`,
		}, {
			string(AppendNoServer(nil, "backend", "plain")),
			`backend plain has no server available!`,
		}, {
			string(AppendNoServer(nil, "proxy", "l")),
			`proxy l has no server available!`,
		},
	} {
		if c.got != c.want {
			t.Errorf("\n got %s\nwant %s", c.got, c.want)
		}
	}
	got := string(AppendChange(nil, a, WentDown, false, &Result{Status: L7Status, Info: "a\n\x80"}, Counts{Sessions: 1, Requeued: 2, Queued: 3}))
	if want := `info: "a<0A><80>", check duration: 0ms. 0 active and 0 backup servers left. 1 sessions active, 2 requeued, 3 remaining in queue.`; !strings.HasSuffix(got, want) {
		t.Errorf("\n got %s\nwant ... %s", got, want)
	}
}

// What agents may say; words that mean nothing are passed over.
func TestReadAgent(t *testing.T) {
	for _, c := range []struct {
		line string
		want Result
		adv  Advice
	}{
		{"up\n", Result{Status: L7OK, Info: "via agent : up"}, Advice{Unsaid, Unsaid, AdminUnsaid}},
		{"75%\r", Result{Status: Same}, Advice{75, Unsaid, AdminUnsaid}},
		{" drain,\t0% maxconn:30\nup", Result{Status: Same}, Advice{0, 30, AdminDrain}},
		{"ready down # too busy \n", Result{Status: L7Status, Info: "via agent : down (too busy)"}, Advice{Unsaid, Unsaid, AdminReady}},
		{"stopped#\n", Result{Status: L7Status, Info: "via agent : stopped"}, Advice{Unsaid, Unsaid, AdminUnsaid}},
		{"failed maint\n", Result{Status: L7Status, Info: "via agent : failed"}, Advice{Unsaid, Unsaid, AdminMaint}},
		{"% -1% 1e9% maxconn: maxconn:-2 maxconn:99999999999 Up\n", Result{Status: Same}, Advice{Unsaid, Unsaid, AdminUnsaid}},
		{"\n", Result{Status: Same}, Advice{Unsaid, Unsaid, AdminUnsaid}},
	} {
		got := ReadAgent(c.line)
		if *got.Advice != c.adv {
			t.Errorf("%q: %+v, want %+v", c.line, *got.Advice, c.adv)
		}
		if got.Advice = nil; got != c.want {
			t.Errorf("%q: %+v, want %+v", c.line, got, c.want)
		}
	}
}

func FuzzReadAgent(f *testing.F) {
	f.Add("up 75%,maxconn:30 # why\n")
	f.Fuzz(func(t *testing.T, line string) {
		if r := ReadAgent(line); r.Advice.Weight < Unsaid || r.Advice.Maxconn < Unsaid {
			t.Errorf("%q: %+v", line, *r.Advice)
		}
	})
}

// init-state and where observed errors lead.
func TestInitAndObserve(t *testing.T) {
	for state, want := range map[spec.InitState]string{spec.InitUp: "UP 1/3", spec.InitFullyUp: "UP", spec.InitDown: "DOWN 1/2", spec.InitFullyDown: "DOWN"} {
		m := New(spec.Check{Rise: 2, Fall: 3, Init: state}, 0)
		if got := m.String(); got != want || StartsUp(&spec.Check{Rise: 2, Fall: 3, Init: state}) != m.Up() {
			t.Errorf("init-state %v: %s, want %s", state, got, want)
		}
	}
	for what, want := range map[spec.OnError]string{spec.FailCheck: "UP 2/3", spec.FastInter: "UP", spec.SuddenDeath: "UP 1/3", spec.MarkDown: "DOWN"} {
		m := New(spec.Check{Rise: 2, Fall: 3, Inter: 10 * time.Second, FastInter: time.Second, Init: spec.InitFullyUp}, mono.Time(time.Hour))
		changed, noted := m.Observe(0, what, Result{Status: Observed})
		if got := m.String(); got != want || changed != (what == spec.MarkDown) || noted != (what != spec.FastInter) {
			t.Errorf("on-error %v: %s changed=%v noted=%v, want %s", what, got, changed, noted, want)
		}
		if m.Deadline() != mono.Time(time.Second) {
			t.Errorf("on-error %v: next check at %v", what, m.Deadline())
		}
	}
}

// Intervals vary within the percentage, and do vary.
func TestSpread(t *testing.T) {
	m := New(spec.Check{Rise: 1, Fall: 1, Inter: time.Second, Spread: 10}, 0)
	seen := make(map[mono.Time]bool)
	for range 100 {
		m.Begin(0)
		m.Step(0, Result{Status: L4OK})
		at := m.Deadline()
		if at < mono.Time(900*time.Millisecond) || at > mono.Time(1100*time.Millisecond) {
			t.Fatalf("next check after %v", at)
		}
		seen[at] = true
	}
	if len(seen) < 50 {
		t.Errorf("%d different intervals of 100", len(seen))
	}
}
