package health

import "time"

// Status is how a check ended, by the layer that it reached.
type Status uint8

// The statuses; String gives the code that HAProxy's statistics show.
const (
	Unchecked   Status = iota // INI
	Unknown                   // UNK
	SocketError               // SOCKERR: local trouble, or a connection reset
	L4OK
	L4Timeout
	L4Failed // L4CON
	L6OK
	L6Timeout
	L6Invalid // L6RSP
	L7OK
	L7OKConditional // L7OKC: no new clients
	L7Timeout
	L7Invalid // L7RSP
	L7Status  // L7STS
	ProcessError
	ProcessTimeout
	ProcessOK
	Same     // an agent that said nothing of up or down
	Observed // HANA: traffic met errors (chapter 5.2, observe)
)

var statuses = [...]struct {
	code, text string
	passed     bool
	coded      bool // the log tells the code, also where it is 0
}{
	Unchecked:       {"INI", "Initializing", false, false},
	Unknown:         {"UNK", "Unknown", false, false},
	SocketError:     {"SOCKERR", "Socket error", false, false},
	L4OK:            {"L4OK", "Layer4 check passed", true, false},
	L4Timeout:       {"L4TOUT", "Layer4 timeout", false, false},
	L4Failed:        {"L4CON", "Layer4 connection problem", false, false},
	L6OK:            {"L6OK", "Layer6 check passed", true, false},
	L6Timeout:       {"L6TOUT", "Layer6 timeout", false, false},
	L6Invalid:       {"L6RSP", "Layer6 invalid response", false, false},
	L7OK:            {"L7OK", "Layer7 check passed", true, true},
	L7OKConditional: {"L7OKC", "Layer7 check conditionally passed", true, true},
	L7Timeout:       {"L7TOUT", "Layer7 timeout", false, false},
	L7Invalid:       {"L7RSP", "Layer7 invalid response", false, false},
	L7Status:        {"L7STS", "Layer7 wrong status", false, true},
	ProcessError:    {"PROCERR", "External check error", false, true},
	ProcessTimeout:  {"PROCTOUT", "External check timeout", false, true},
	ProcessOK:       {"PROCOK", "External check passed", true, true},
	Same:            {"CHECKED", "No status change", true, false},
	Observed:        {"HANA", "Health analyze", false, false},
}

// StatusOf returns the status of a code that the configuration has checked.
func StatusOf(code string) Status {
	for s := range statuses {
		if statuses[s].code == code {
			return Status(s)
		}
	}
	panic("BUG: no check status " + code)
}

func (s Status) String() string { return statuses[s].code }

// Text returns the status in words, as in the log.
func (s Status) Text() string { return statuses[s].text }

// Coded reports whether a Result's Code means something.
func (s Status) Coded() bool { return statuses[s].coded }

// Result is the outcome of one check.
type Result struct {
	Status   Status
	Code     int    // HTTP status, or the protocol's; see Status.Coded
	Info     string // what the system or the server said; may hold any bytes
	Duration time.Duration
	Advice   *Advice // an agent's; nil: none
}

// Passed reports whether the check succeeded.
func (r Result) Passed() bool { return statuses[r.Status].passed }
