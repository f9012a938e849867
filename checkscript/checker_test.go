package checkscript

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"baton/internal/mono"

	"github.com/cockroachdb/datadriven"
)

// TestScripts plays probes in virtual time. The commands:
//
//	probe interval=2s [timeout=1s] [rise=2] [fall=3] [init-fail]
//	play [for=20s]     one line per run: pass|fail AFTER, hang (ends on SIGTERM),
//	                   stubborn (ends on SIGKILL); prints what happens and when
//	weigh              lines "probe weight=N [reverse] up|down|pending": shares and sum
func TestScripts(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		var c *Checker
		var now mono.Time
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "probe":
				now = 0
				c = NewChecker(parseProbe(t, d), now)
				return fmt.Sprintf("%v, first run at %v\n", c.Verdict(), time.Duration(c.Deadline()))
			case "play":
				until := mono.Time(time.Minute)
				if d.HasArg("for") {
					var s string
					d.ScanArgs(t, "for", &s)
					until = now.Add(duration(t, s))
				}
				var out string
				out, now = play(t, c, now, until, strings.Split(strings.TrimSpace(d.Input), "\n"))
				return out
			case "weigh":
				return weigh(t, d.Input)
			}
			d.Fatalf(t, "unknown command %q", d.Cmd)
			return ""
		})
	})
}

func parseProbe(t *testing.T, d *datadriven.TestData) Probe {
	p := Probe{Name: "p", Interval: time.Second, Rise: 1, Fall: 1}
	for _, a := range d.CmdArgs {
		switch a.Key {
		case "interval":
			p.Interval = duration(t, a.Vals[0])
		case "timeout":
			p.Timeout = duration(t, a.Vals[0])
		case "rise":
			p.Rise = number(t, a.Vals[0])
		case "fall":
			p.Fall = number(t, a.Vals[0])
		case "init-fail":
			p.InitFail = true
		default:
			d.Fatalf(t, "unknown argument %q", a.Key)
		}
	}
	return p
}

// play runs the checker from now, giving each run it starts the next outcome,
// until the outcomes are used up or `until` has come.
func play(t *testing.T, c *Checker, now, until mono.Time, outcomes []string) (string, mono.Time) {
	var out strings.Builder
	say := func(format string, args ...any) {
		fmt.Fprintf(&out, "%-6v "+format+"\n", append([]any{time.Duration(now)}, args...)...)
	}
	exit, ev, kind := mono.Never, Passed, ""
	step := func(ev Event, what string) Action {
		do, changed := c.Step(now, ev)
		if changed {
			what += " -> " + c.Verdict().String()
		}
		if what != "" {
			say("%s", strings.TrimPrefix(what, " "))
		}
		return do
	}
	for {
		at := mono.Min(c.Deadline(), exit)
		if at > until || (len(outcomes) == 0 && exit == mono.Never && !c.Running()) {
			return out.String(), now
		}
		now = at
		if exit <= now {
			exit = mono.Never
			step(ev, map[Event]string{Passed: "passed", Failed: "failed"}[ev])
			continue
		}
		starts := c.next <= now && !(c.running && now >= c.deadline)
		wasRunning := c.Running()
		do := step(Tick, "")
		switch do {
		case Start:
			say("start")
			f := strings.Fields(outcomes[0])
			outcomes = outcomes[1:]
			kind = f[0]
			switch kind {
			case "pass", "fail":
				ev = map[string]Event{"pass": Passed, "fail": Failed}[kind]
				exit = now.Add(duration(t, f[1]))
			case "hang", "stubborn":
				ev = Failed
			default:
				t.Fatalf("unknown outcome %q", kind)
			}
		case Terminate:
			say("SIGTERM")
			if kind == "hang" {
				exit = now.Add(100 * time.Millisecond)
			}
		case Kill:
			say("SIGKILL")
			exit = now.Add(100 * time.Millisecond)
		case Nothing:
			if starts && wasRunning {
				say("skipped: still running")
			}
		}
	}
}

func weigh(t *testing.T, input string) string {
	var tracks []Track
	readings := map[string]Reading{}
	var out strings.Builder
	for line := range strings.Lines(input) {
		f := strings.Fields(line)
		tr := Track{Probe: f[0]}
		for _, w := range f[1:] {
			switch {
			case strings.HasPrefix(w, "weight="):
				tr.Weight = number(t, strings.TrimPrefix(w, "weight="))
			case w == "reverse":
				tr.Reverse = true
			case strings.HasPrefix(w, "value="):
				readings[tr.Probe] = Reading{Verdict: Up, Number: true, Value: number(t, strings.TrimPrefix(w, "value="))}
			default:
				readings[tr.Probe] = Reading{Verdict: map[string]Verdict{"pending": Pending, "up": Up, "down": Down}[w]}
			}
		}
		s := Weigh(tr, readings[tr.Probe])
		fmt.Fprintf(&out, "%s: %+d", tr.Probe, s.Delta)
		if s.Fault {
			out.WriteString(" FAULT")
		}
		if s.Pending {
			out.WriteString(" pending")
		}
		out.WriteByte('\n')
		tracks = append(tracks, tr)
	}
	delta, fault, pending := Effect(tracks, func(p string) Reading { return readings[p] })
	fmt.Fprintf(&out, "sum: %+d fault=%v pending=%v\n", delta, fault, pending)
	return out.String()
}

func duration(t *testing.T, s string) time.Duration {
	d, err := time.ParseDuration(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func number(t *testing.T, s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
