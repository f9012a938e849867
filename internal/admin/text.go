package admin

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// WriteText prints a status for people: first what is wrong, then everything
// else, in the order in which a request meets it. now is the reader's clock.
func (s *Status) WriteText(out io.Writer, now time.Time) error {
	var b strings.Builder
	fmt.Fprintf(&b, "baton %s on %s: %s, pid %d, up %s\n", s.Version, s.Node, s.State, s.PID, ago(time.Duration(s.Uptime*float64(time.Second))))
	for _, p := range s.problems(now) {
		b.WriteString("  ! " + p + "\n")
	}
	if s.Pair != nil {
		b.WriteString("\n")
		s.Pair.write(&b, now)
	}
	s.writeInstances(&b, now)
	s.writeProbes(&b, now)
	s.writeFrontends(&b)
	s.writeOlder(&b, now)
	s.writeBackends(&b, now)
	_, err := io.WriteString(out, b.String())
	return err
}

// problems lists what keeps a person from going back to bed.
func (s *Status) problems(now time.Time) []string {
	var out []string
	for _, i := range s.Instances {
		if i.State == "FAULT" {
			out = append(out, fmt.Sprintf("instance %s is in FAULT: %s", i.Name, i.Reason))
		}
		if i.Problem != "" {
			out = append(out, fmt.Sprintf("instance %s: %s", i.Name, i.Problem))
		}
		for _, p := range i.Paths {
			switch {
			case p.Problem != "":
				out = append(out, fmt.Sprintf("instance %s: heartbeat path %s does not work: %s", i.Name, p.Interface, p.Problem))
			case p.Master == "silent":
				out = append(out, fmt.Sprintf("instance %s: the master is not heard by %s, but by another path", i.Name, p.Interface))
			}
		}
	}
	if s.Maintenance {
		since := ""
		if s.MaintenanceSince != nil {
			since = " since " + moment(*s.MaintenanceSince, now)
		}
		out = append(out, "this node is in maintenance"+since+": it takes part in no election until `baton maintenance off`, over restarts too")
	}
	out = append(out, s.Pair.problems()...)
	for _, p := range s.Probes {
		if p.Verdict == "down" {
			out = append(out, fmt.Sprintf("probe %s is down: %s", p.Name, p.Last))
		}
	}
	if s.Balancer != nil && s.Balancer.Connections >= s.Balancer.MaxConnections {
		out = append(out, fmt.Sprintf("the connection limit is reached (%d): new clients wait", s.Balancer.MaxConnections))
	}
	out = append(out, s.Balancer.logProblems()...)
	for _, be := range s.Backends {
		down := 0
		for _, srv := range be.Servers {
			if strings.HasPrefix(srv.State, "DOWN") {
				down++
			}
		}
		switch {
		case be.Usable == 0 && len(be.Servers) > 0:
			out = append(out, fmt.Sprintf("backend %s has no usable server", be.Name))
		case down > 0:
			out = append(out, fmt.Sprintf("backend %s: %d of %d servers down", be.Name, down, len(be.Servers)))
		}
	}
	return out
}

// logProblems tells of log targets that lines don't reach.
func (b *Balancer) logProblems() []string {
	if b == nil {
		return nil
	}
	var out []string
	for _, t := range b.LogTargets {
		switch {
		case t.Failing:
			out = append(out, fmt.Sprintf("log target %s can't be reached, %d lines were dropped", t.Name, t.Dropped))
		case t.Dropped > 0:
			out = append(out, fmt.Sprintf("log target %s was too slow or away: %d lines were dropped", t.Name, t.Dropped))
		}
	}
	return out
}

func (s *Status) writeInstances(b *strings.Builder, now time.Time) {
	for _, i := range s.Instances {
		fmt.Fprintf(b, "\nvrrp_instance %s (%s, VRID %d): %s since %s\n", i.Name, i.Interface, i.VRID, i.State, moment(i.Since, now))
		w := tabwriter.NewWriter(b, 0, 8, 2, ' ', 0)
		if i.Reason != "" {
			fmt.Fprintf(w, "  why\t%s\n", i.Reason)
		}
		fmt.Fprintf(w, "  priority\t%s\n", i.Sum())
		for _, a := range i.Addresses {
			state := "not here"
			if a.Held {
				state = "held"
				if i.Lease != nil {
					state = fmt.Sprintf("held since %s, lease ends in %.1f s unless renewed", moment(i.Lease.Since, now), i.Lease.Remaining)
				}
			}
			fmt.Fprintf(w, "  address\t%s on %s: %s\n", a.Prefix, a.Interface, state)
		}
		if i.Master != nil {
			fmt.Fprintf(w, "  master heard\t%s with priority %d\n", i.Master.Address, i.Master.Priority)
		}
		for _, d := range i.Differs {
			fmt.Fprintf(w, "  differs\t%s\n", d)
		}
		for _, p := range i.Paths {
			fmt.Fprintf(w, "  path %s\t%s\n", p.Interface, p.text(now))
		}
		if c := counters(i.Counters); c != "" {
			fmt.Fprintf(w, "  adverts\t%s\n", c)
		}
		_ = w.Flush() // into a strings.Builder
	}
}

func (p *Path) text(now time.Time) string {
	switch {
	case p.Problem != "":
		return "does not work: " + p.Problem
	case p.Master == "unknown":
		return "master neither seen nor missed" + fmt.Sprintf(", sent %d, received %d", p.Sent, p.Received)
	}
	return fmt.Sprintf("master %s since %s, sent %d, received %d", p.Master, moment(p.Since, now), p.Sent, p.Received)
}

// Sum spells a priority out: "103 = 101 base + 2 check_haproxy".
func (i *Instance) Sum() string {
	var terms, notes []string
	for _, sh := range i.Shares {
		switch {
		case sh.Fault:
			notes = append(notes, fmt.Sprintf("%s %s: FAULT", sh.Probe, sh.Verdict))
		case sh.Pending:
			notes = append(notes, sh.Probe+" pending: not started")
		case sh.Delta > 0:
			terms = append(terms, fmt.Sprintf(" + %d %s", sh.Delta, sh.Probe))
		case sh.Delta < 0:
			terms = append(terms, fmt.Sprintf(" - %d %s", -sh.Delta, sh.Probe))
		case sh.Verdict == "pending":
			notes = append(notes, sh.Probe+" pending")
		case sh.Weight > 0:
			notes = append(notes, fmt.Sprintf("without %+d %s %s", sh.Weight, sh.Probe, sh.Verdict))
		}
	}
	s := fmt.Sprintf("%d", i.Priority)
	if len(terms) > 0 {
		s += fmt.Sprintf(" = %d base%s", i.Base, strings.Join(terms, ""))
	}
	if len(notes) > 0 {
		s += " (" + strings.Join(notes, ", ") + ")"
	}
	return s
}

// counters prints those that are not zero, by name.
func counters(c map[string]uint64) string {
	var names []string
	for n, v := range c {
		if v > 0 {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	for i, n := range names {
		names[i] = fmt.Sprintf("%s %d", strings.ReplaceAll(n, "_", " "), c[n])
	}
	return strings.Join(names, ", ")
}

func (s *Status) writeProbes(b *strings.Builder, now time.Time) {
	if len(s.Probes) == 0 {
		return
	}
	b.WriteString("\n")
	w := tabwriter.NewWriter(b, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "PROBE\tKIND\tSTATE\tSINCE\tLAST RESULT")
	for _, p := range s.Probes {
		state := p.Verdict
		if p.Streak > 0 {
			state += fmt.Sprintf(" (%d of %d to change)", p.Streak, p.Need)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", p.Name, p.Kind, state, moment(p.Since, now), p.Last)
	}
	_ = w.Flush()
}

func (s *Status) writeFrontends(b *strings.Builder) {
	if len(s.Frontends) == 0 {
		return
	}
	b.WriteString("\n")
	w := tabwriter.NewWriter(b, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "FRONTEND\tMODE\tLISTENS ON\tOPEN\tSESSIONS\tREQUESTS\t5XX")
	for _, f := range s.Frontends {
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%d\t%d\n", f.Name, f.Mode, strings.Join(f.Binds, " "), f.Connections, f.Sessions, f.Requests, f.Status5xx)
	}
	_ = w.Flush()
}

// writeOlder tells who is still served by an older configuration.
func (s *Status) writeOlder(b *strings.Builder, now time.Time) {
	if s.Balancer == nil {
		return
	}
	for _, o := range s.Balancer.Older {
		fmt.Fprintf(b, "\n%d connections go on by the configuration that was replaced %s\n", o.Connections, moment(o.Until, now))
	}
}

func (s *Status) writeBackends(b *strings.Builder, now time.Time) {
	for _, be := range s.Backends {
		fmt.Fprintf(b, "\nbackend %s (%s, %s): %d of %d servers usable", be.Name, be.Mode, be.Balance, be.Usable, len(be.Servers))
		if be.Queued > 0 {
			fmt.Fprintf(b, ", %d requests wait in its queue", be.Queued)
		}
		b.WriteString("\n")
		if len(be.Servers) == 0 {
			continue
		}
		w := tabwriter.NewWriter(b, 0, 8, 2, ' ', 0)
		fmt.Fprintln(w, "  SERVER\tADDRESS\tSTATE\tSINCE\tLAST CHECK\tWEIGHT\tNOW\tSESSIONS\tERRORS")
		for _, srv := range be.Servers {
			weight := fmt.Sprintf("%d", srv.Weight)
			if srv.Backup {
				weight += " backup"
			}
			fmt.Fprintf(w, "  %s\t%s\t%s\t%s\t%s\t%s\t%d\t%d\t%d\n", srv.Name, srv.Address, srv.State, moment(srv.Since, now), srv.checkText(), weight, srv.Current, srv.Sessions, srv.ConnErrors+srv.RespErrors)
		}
		_ = w.Flush()
	}
}

// checkText is the last check in words: "L7STS 503 in 4.1 ms".
func (s *Server) checkText() string {
	if s.Check == "" {
		return "-"
	}
	text := s.Check
	if s.Code != 0 {
		text += fmt.Sprintf(" %d", s.Code)
	}
	if s.Info != "" {
		text += " " + s.Info
	}
	return text + fmt.Sprintf(" in %.1f ms", s.Took)
}

// moment prints a time of day and how long ago it was; the date when it was
// another day.
func moment(t, now time.Time) string {
	if t.IsZero() {
		return "-"
	}
	t = t.In(now.Location())
	layout := "15:04:05"
	if t.Format(time.DateOnly) != now.Format(time.DateOnly) {
		layout = time.DateTime
	}
	return fmt.Sprintf("%s (%s ago)", t.Format(layout), ago(now.Sub(t)))
}

// ago prints a duration with its two largest units.
func ago(d time.Duration) string {
	d = max(d, 0).Round(time.Second)
	days, hours, minutes, seconds := int(d.Hours())/24, int(d.Hours())%24, int(d.Minutes())%60, int(d.Seconds())%60
	switch {
	case days > 0:
		return fmt.Sprintf("%dd %dh", days, hours)
	case hours > 0:
		return fmt.Sprintf("%dh %dm", hours, minutes)
	case minutes > 0:
		return fmt.Sprintf("%dm %ds", minutes, seconds)
	}
	return fmt.Sprintf("%ds", seconds)
}
