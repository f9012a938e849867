package health

import (
	"net/netip"
	"strconv"
)

// The syslog levels of the lines below.
const (
	LevelCheck    = 5 // notice
	LevelUp       = 5
	LevelDown     = 1 // alert
	LevelNoServer = 0 // emerg
)

// Name says which server a line is about.
type Name struct {
	Backend, Server string
	Backup          bool
}

// AppendCheck appends the line of `option log-health-checks`: the machine's last
// result and where it led. drained tells that the server's weight is 0.
func AppendCheck(dst []byte, n Name, m *Machine, drained bool) []byte {
	if m.agent {
		dst = append(dst, "Agent"...)
	} else {
		dst = append(dst, "Health"...)
	}
	dst = append(dst, " check for "...)
	if n.Backup {
		dst = append(dst, "backup "...)
	}
	dst = append(dst, "server "...)
	dst = appendName(dst, n)
	switch {
	case m.last.Status == L7OKConditional:
		dst = append(dst, " conditionally succeeded, "...)
	case m.last.Passed():
		dst = append(dst, " succeeded, "...)
	default:
		dst = append(dst, " failed, "...)
	}
	dst = appendReason(dst, m.last)
	dst = append(dst, ", status: "...)
	a, b := m.Health()
	dst = appendOf(dst, a, b)
	switch {
	case !m.Up():
		return append(dst, " DOWN."...)
	case drained:
		return append(dst, " DRAIN."...)
	}
	return append(dst, " UP."...)
}

// Counts is the state of the backend after a change.
type Counts struct {
	Active, Backup int // servers that are up
	Sessions       int // on the server that went down
	Requeued       int // of the server's queue, given back to the backend
	Queued         int // in the backend's queue
}

// Change is what happened to a server.
type Change uint8

// The changes.
const (
	WentDown Change = iota
	WentUp
	IsStopping  // no new clients: its checks pass conditionally
	EntersDrain // no new clients: its agent says so
	EntersMaint // out of service
	LeavesDrain
	LeavesMaint
)

var changeWords = [...]string{
	WentDown: " is DOWN", WentUp: " is UP", IsStopping: " is stopping", EntersDrain: " enters drain state", EntersMaint: " is going DOWN for maintenance",
}

// Level is the syslog level of the line about a change.
func (c Change) Level() int {
	if c == WentDown || c == EntersMaint {
		return LevelDown
	}
	return LevelUp
}

// AppendChange appends the line of a change. Its reason is the check's result, which
// is left out (nil) where AppendCheck has just told it. up tells that the server is
// not down, which changes how the line counts.
func AppendChange(dst []byte, n Name, what Change, up bool, reason *Result, c Counts) []byte {
	dst = appendServer(dst, n)
	dst = append(dst, changeWords[what]...)
	if reason != nil {
		dst = append(dst, ", "...)
		dst = appendReason(dst, *reason)
	}
	return appendCounts(dst, up && what != EntersMaint, c)
}

// AppendLeft appends the line of a server that leaves drain or maintenance; forced
// says by its own agent's word and not with the server that it tracks.
func AppendLeft(dst []byte, n Name, what Change, to *Server, forced bool) []byte {
	dst = appendServer(dst, n)
	if to.Up() {
		dst = append(dst, " is UP"...)
	} else {
		dst = append(dst, " is DOWN"...)
	}
	switch {
	case what == LeavesDrain:
		return append(dst, " (leaving forced drain)."...)
	case to.Drain:
		dst = append(dst, "/DRAIN (leaving "...)
	default:
		dst = append(dst, "/READY (leaving "...)
	}
	if forced {
		dst = append(dst, "forced "...)
	}
	return append(dst, "maintenance)."...)
}

// AppendStaysDrained appends the line of a server that gets no new clients whatever
// else has changed, by its own agent or with the one that it tracks (via).
func AppendStaysDrained(dst []byte, n Name, via *Name) []byte {
	dst = appendServer(dst, n)
	if via == nil {
		return append(dst, " remains in forced drain mode."...)
	}
	dst = append(dst, " is leaving forced drain but remains in drain mode via "...)
	return append(appendName(dst, *via), '.')
}

func appendServer(dst []byte, n Name) []byte {
	if n.Backup {
		dst = append(dst, "Backup "...)
	}
	return appendName(append(dst, "Server "...), n)
}

// AppendNameless appends the line of a server whose name has led nowhere for too long:
// why is NX, refused, timeout or unspecified.
func AppendNameless(dst []byte, n Name, why string, c Counts) []byte {
	dst = append(dst, "Server "...)
	dst = appendName(dst, n)
	dst = append(dst, " is going DOWN for maintenance (DNS "...)
	dst = append(dst, why...)
	dst = append(dst, " status)"...)
	return appendCounts(dst, false, c)
}

// AppendTracked appends the line of a server that follows the change of the one that
// it tracks.
func AppendTracked(dst []byte, n Name, what Change, up bool, via Name, c Counts) []byte {
	dst = appendServer(dst, n)
	dst = append(append(dst, changeWords[what]...), " via "...)
	return appendCounts(appendName(dst, via), up && what != EntersMaint, c)
}

func appendCounts(dst []byte, up bool, c Counts) []byte {
	dst = append(dst, ". "...)
	dst = strconv.AppendInt(dst, int64(c.Active), 10)
	dst = append(dst, " active and "...)
	dst = strconv.AppendInt(dst, int64(c.Backup), 10)
	if up {
		dst = append(dst, " backup servers online."...)
	} else {
		dst = append(dst, " backup servers left."...)
	}
	if c.Active == 0 && c.Backup > 0 {
		dst = append(dst, " Running on backup."...)
	}
	dst = append(dst, ' ')
	if up {
		dst = strconv.AppendInt(dst, int64(c.Requeued), 10)
		dst = append(dst, " sessions requeued, "...)
		dst = strconv.AppendInt(dst, int64(c.Queued), 10)
		return append(dst, " total in queue."...)
	}
	dst = strconv.AppendInt(dst, int64(c.Sessions), 10)
	dst = append(dst, " sessions active, "...)
	dst = strconv.AppendInt(dst, int64(c.Requeued), 10)
	dst = append(dst, " requeued, "...)
	dst = strconv.AppendInt(dst, int64(c.Queued), 10)
	return append(dst, " remaining in queue."...)
}

// AppendNoServer appends the line of a backend whose last server went down. The kind is
// HAProxy's word for the section that it comes from.
func AppendNoServer(dst []byte, kind, backend string) []byte {
	dst = append(append(dst, kind...), ' ')
	dst = append(dst, backend...)
	return append(dst, " has no server available!"...)
}

func appendName(dst []byte, n Name) []byte {
	dst = append(dst, n.Backend...)
	dst = append(dst, '/')
	return append(dst, n.Server...)
}

// appendReason appends reason, code, info and duration. What a server said is not
// trusted: quotes and unprintable bytes become <XX>.
func appendReason(dst []byte, r Result) []byte {
	dst = append(dst, "reason: "...)
	dst = append(dst, r.Status.Text()...)
	if statuses[r.Status].coded {
		dst = append(dst, ", code: "...)
		dst = strconv.AppendInt(dst, int64(r.Code), 10)
	}
	if r.Info != "" {
		dst = append(dst, `, info: "`...)
		const hex = "0123456789ABCDEF"
		for i := range len(r.Info) {
			if c := r.Info[i]; c < 32 || c > 126 || c == '"' {
				dst = append(dst, '<', hex[c>>4], hex[c&15], '>')
			} else {
				dst = append(dst, c)
			}
		}
		dst = append(dst, '"')
	}
	if r.Status == Observed {
		return dst
	}
	dst = append(dst, ", check duration: "...)
	dst = strconv.AppendInt(dst, r.Duration.Milliseconds(), 10)
	return append(dst, "ms"...)
}

// State is how a server is seen, for itself to know.
type State struct {
	Word                    string // UP, UP 1/3, NOLB, DOWN ...
	Addr                    netip.AddrPort
	Unix                    bool // it is on a unix socket
	Name                    Name
	Node                    string
	Weight, WeightOfAll     int // of the servers that share the traffic
	Sessions, SessionsOfAll int
	Queued                  int
}

// AppendState appends the value of the header of `http-check send-state`.
func AppendState(dst []byte, s State) []byte {
	dst = append(dst, s.Word...)
	if s.Unix {
		dst = append(dst, "; address=unix; port="...) // as in HAProxy
	} else {
		dst = append(dst, "; address="...)
		dst = s.Addr.Addr().AppendTo(dst)
		dst = append(dst, "; port="...)
		dst = strconv.AppendInt(dst, int64(s.Addr.Port()), 10)
	}
	dst = append(dst, "; name="...)
	dst = appendName(dst, s.Name)
	dst = append(dst, "; node="...)
	dst = append(dst, s.Node...)
	dst = append(dst, "; weight="...)
	dst = appendOf(dst, s.Weight, s.WeightOfAll)
	dst = append(dst, "; scur="...)
	dst = appendOf(dst, s.Sessions, s.SessionsOfAll)
	dst = append(dst, "; qcur="...)
	return strconv.AppendInt(dst, int64(s.Queued), 10)
}

func appendOf(dst []byte, n, of int) []byte {
	dst = strconv.AppendInt(dst, int64(n), 10)
	dst = append(dst, '/')
	return strconv.AppendInt(dst, int64(of), 10)
}
