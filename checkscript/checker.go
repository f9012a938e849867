package checkscript

import (
	"time"

	"baton/internal/mono"
)

// Verdict is what a probe says after rise and fall have been counted.
type Verdict uint8

// The verdicts. A probe is Pending until its first success streak of `rise`
// runs or its first failure, whichever comes first.
const (
	Pending Verdict = iota
	Up
	Down
)

func (v Verdict) String() string { return [...]string{"pending", "up", "down"}[v] }

// KillAfter is the time between SIGTERM and SIGKILL for a script that overran
// its timeout.
const KillAfter = 2 * time.Second

// Event is what happened to a probe.
type Event uint8

// The events.
const (
	Tick   Event = iota // the Deadline has come
	Passed              // the run ended well
	Failed              // the run ended badly: non-zero status, signal, could not start
)

// Action is what the shell must do now.
type Action uint8

// The actions.
const (
	Nothing   Action = iota
	Start            // start a run
	Terminate        // the run overran its timeout: SIGTERM to its process group
	Kill             // it outlived that as well: SIGKILL
)

// Checker schedules one probe and counts its results. It is not safe for
// concurrent use.
type Checker struct {
	interval, timeout time.Duration
	rise, fall        int

	verdict Verdict
	streak  int // results in a row that speak against the verdict (for Pending: successes)

	next     mono.Time // next start
	running  bool
	overran  bool      // the present run is counted already: it ended by timeout
	deadline mono.Time // of the present run: SIGTERM, then SIGKILL, then Never
}

// NewChecker returns a Checker whose first run is due at now.
func NewChecker(p Probe, now mono.Time) *Checker {
	c := &Checker{
		interval: max(p.Interval, time.Millisecond),
		timeout:  p.Timeout,
		rise:     max(p.Rise, 1),
		fall:     max(p.Fall, 1),
		next:     now,
		deadline: mono.Never,
	}
	if c.timeout <= 0 {
		c.timeout = c.interval
	}
	if p.InitFail {
		c.verdict = Down
	}
	return c
}

// Resume begins with a verdict of before a reload.
func (c *Checker) Resume(v Verdict) { c.verdict = v }

// Verdict returns the present verdict.
func (c *Checker) Verdict() Verdict { return c.verdict }

// Streak returns how many results in a row speak for a change of the verdict,
// and how many are needed.
func (c *Checker) Streak() (have, need int) {
	if c.verdict == Up {
		return c.streak, c.fall
	}
	return c.streak, c.rise
}

// Running reports whether a run is under way.
func (c *Checker) Running() bool { return c.running }

// Overran reports whether the present run has been counted as a failure already
// because it overran its timeout.
func (c *Checker) Overran() bool { return c.overran }

// Deadline returns when Step wants its next Tick.
func (c *Checker) Deadline() mono.Time { return mono.Min(c.next, c.deadline) }

// Step takes an event and returns what to do, and whether the verdict changed.
// A start that falls into a running run is skipped, as keepalived does.
func (c *Checker) Step(now mono.Time, ev Event) (do Action, changed bool) {
	switch ev {
	case Passed, Failed:
		if !c.running {
			return Nothing, false
		}
		counted := c.overran
		c.running, c.overran, c.deadline = false, false, mono.Never
		if counted {
			return Nothing, false
		}
		return Nothing, c.count(ev == Passed)
	}

	if c.running && now >= c.deadline {
		if c.overran {
			c.deadline = mono.Never // SIGKILL cannot be refused: only the exit is left to come
			return Kill, false
		}
		// The run is a failure from here on, whatever its exit status will be.
		c.overran = true
		c.deadline = now.Add(KillAfter)
		return Terminate, c.count(false)
	}
	if now < c.next {
		return Nothing, false
	}
	// Keep the cadence, but do not make up for ticks that were missed.
	c.next = c.next.Add(c.interval)
	if c.next <= now {
		c.next = now.Add(c.interval)
	}
	if c.running {
		return Nothing, false
	}
	c.running = true
	c.deadline = now.Add(c.timeout)
	return Start, false
}

// count books one result and reports whether the verdict changed.
func (c *Checker) count(ok bool) bool {
	was := c.verdict
	switch {
	case ok == (c.verdict == Up) && c.verdict != Pending:
		c.streak = 0
	case !ok && c.verdict == Pending:
		c.verdict, c.streak = Down, 0 // the first failure counts in full, whatever `fall` says
	default:
		c.streak++
		if _, need := c.Streak(); c.streak >= need {
			c.streak = 0
			if ok {
				c.verdict = Up
			} else {
				c.verdict = Down
			}
		}
	}
	return c.verdict != was
}
