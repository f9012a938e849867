package dump

import (
	"cmp"

	"baton/checkscript"
	"baton/checkscript/runner"
)

// of returns the probes of a kind.
func (s *Snapshot) of(kind checkscript.Kind) []runner.Status {
	var out []runner.Status
	for _, p := range s.Probes {
		if p.Probe.Kind == kind {
			out = append(out, p)
		}
	}
	return out
}

func (s *Snapshot) scripts(w *writer) {
	for i, p := range s.of(checkscript.Script) {
		if i == 0 {
			w.line("------< VRRP Scripts >------")
		}
		timeout := p.Probe.Timeout
		if timeout == p.Probe.Interval {
			timeout = 0 // keepalived shows the default so
		}
		w.line(" VRRP Script = %s", p.Probe.Name)
		w.line("   Command = %s", quoted(p.Probe.Argv))
		w.line("   Interval = %g sec", p.Probe.Interval.Seconds())
		w.line("   Timeout = %g sec", timeout.Seconds())
		w.line("   Weight = %d%s", p.Probe.Weight, either(p.Probe.Reverse, " reverse", ""))
		w.line("   Rise = %d", max(p.Probe.Rise, 1))
		w.line("   Fall = %d", max(p.Probe.Fall, 1))
		w.line("   Result = %d", result(p))
		w.line("   Insecure = no")
		w.line("   Init state = %s", either(p.Probe.InitFail, "failed", "unknown"))
		w.line("   Status = %s", verdict(p.Verdict))
		w.line("   Script user = %s", cmp.Or(p.Probe.User, "default"))
		s.trackers(w, p.Probe.Name)
		w.line("   State = idle")
	}
}

// result is keepalived's counter: up to rise-1 while bad, up to rise+fall-1 while good.
func result(p runner.Status) int {
	rise, fall := max(p.Probe.Rise, 1), max(p.Probe.Fall, 1)
	if p.Verdict == checkscript.Up {
		return rise + fall - 1 - p.Streak
	}
	return p.Streak
}

func verdict(v checkscript.Verdict) string {
	switch v {
	case checkscript.Up:
		return "GOOD"
	case checkscript.Down:
		return "BAD"
	case checkscript.Pending:
	}
	return "INIT"
}

func (s *Snapshot) files(w *writer) {
	for i, p := range s.of(checkscript.File) {
		if i == 0 {
			w.line("------< VRRP Track files >------")
		}
		w.line(" Track file = %s", p.Probe.Name)
		w.line("   File = %s", p.Probe.Path)
		w.line("   Status = %d", p.Value)
		w.line("   Weight = %d%s", p.Probe.Weight, either(p.Probe.Reverse, " reverse", ""))
		s.trackers(w, p.Probe.Name)
	}
}

func (s *Snapshot) processes(w *writer) {
	for i, p := range s.of(checkscript.Process) {
		if i == 0 {
			w.line("------< VRRP Track processes >------")
		}
		w.line(" VRRP Track process = %s", p.Probe.Name)
		w.line("   Process = %s", p.Probe.Match.Name)
		w.line("   Min processes = %d", p.Probe.Quorum)
		if p.Probe.QuorumMax >= 0 {
			w.line("   Max processes = %d", p.Probe.QuorumMax)
		}
		w.line("   Have quorum = %t", p.Verdict == checkscript.Up)
		w.line("   Weight = %d%s", p.Probe.Weight, either(p.Probe.Reverse, " reverse", ""))
		w.line("   Terminate delay = %.6fs", p.Probe.TerminateDelay.Seconds())
		w.line("   Fork delay = %.6fs", p.Probe.ForkDelay.Seconds())
		w.line("   Full command = %t", p.Probe.Match.CommandLine)
		s.trackers(w, p.Probe.Name)
	}
}

// trackers lists the instances that track a probe.
func (s *Snapshot) trackers(w *writer, probe string) {
	w.line("   Tracking instances :")
	for i := range s.Instances {
		for _, t := range s.Instances[i].Tracks {
			if t.Probe == probe {
				w.line("     %s, weight %d%s", s.Instances[i].VRRP.Name, t.Weight, either(t.Reverse, " reverse", ""))
			}
		}
	}
}
