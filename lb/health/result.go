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
	L7OK
	L7Timeout
	L7Invalid // L7RSP
	L7Status  // L7STS
)

var statuses = [...]struct {
	code, text string
	passed     bool
}{
	Unchecked:   {"INI", "Initializing", false},
	Unknown:     {"UNK", "Unknown", false},
	SocketError: {"SOCKERR", "Socket error", false},
	L4OK:        {"L4OK", "Layer4 check passed", true},
	L4Timeout:   {"L4TOUT", "Layer4 timeout", false},
	L4Failed:    {"L4CON", "Layer4 connection problem", false},
	L7OK:        {"L7OK", "Layer7 check passed", true},
	L7Timeout:   {"L7TOUT", "Layer7 timeout", false},
	L7Invalid:   {"L7RSP", "Layer7 invalid response", false},
	L7Status:    {"L7STS", "Layer7 wrong status", false},
}

func (s Status) String() string { return statuses[s].code }

// Text returns the status in words, as in the log.
func (s Status) Text() string { return statuses[s].text }

// Result is the outcome of one check.
type Result struct {
	Status   Status
	Code     int    // HTTP status; 0: none
	Info     string // what the system or the server said; may hold any bytes
	Duration time.Duration
}

// Passed reports whether the check succeeded.
func (r Result) Passed() bool { return statuses[r.Status].passed }
