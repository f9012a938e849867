package checkscript

import (
	"time"

	"baton/internal/diag"
)

// Kind says what a probe asks.
type Kind uint8

// The kinds of probe.
const (
	Script    Kind = iota // run Argv; exit status 0 is success
	Self                  // `killall -0 haproxy` and its like: is the balancer in this process serving?
	Backend               // track_backend: at least MinServers servers of Backend are usable
	Traffic               // track_traffic: a request through our own Frontend is answered
	Interface             // track_interface: Interface is up
	File                  // track_file: the number that stands in Path
	Process               // track_process: how many processes match
)

func (k Kind) String() string {
	return [...]string{"script", "self", "backend", "traffic", "interface", "file", "process"}[k]
}

// Probe is one source of health. It is valid when conf/keepalived made it.
type Probe struct {
	Name string
	Kind Kind
	Pos  diag.Pos

	Interval time.Duration // default 1 s
	Timeout  time.Duration // default: Interval
	Rise     int           // successes in a row that end a failure, default 1
	Fall     int           // failures in a row that end a success, default 1
	Weight   int           // weight of tracks that name none, -253..253 (File, Process: 254); 0: failure is FAULT
	Reverse  bool          // `weight N reverse`, likewise
	InitFail bool          // `init_fail`: count as failed before the first result

	Argv       []string // Script: program and arguments; no shell is involved
	CommandPos diag.Pos // Script: where the command stands, for findings about its file
	User       string   // Script: user to run as; "" = keepalived_script if it exists, else baton's own
	Group      string   // Script: group; "" = the user's

	Backend    string // Backend: backend name
	MinServers int    // Backend: usable servers needed, default 1

	Frontend string // Traffic: frontend name
	URI      string // Traffic: path to ask for, default "/"; any HTTP status below 500 is an answer

	Interface string // Interface: its name

	Path string    // File: absolute
	Init *FileInit // File: what to write at the start; nil: nothing

	Match Match // Process: which processes count
	// Quorum and QuorumMax are how many must match, at least and at most (-1: any number).
	Quorum, QuorumMax int
	// ForkDelay and TerminateDelay are how long the number must be right, or wrong
	// again, before it counts.
	ForkDelay, TerminateDelay time.Duration
}

// FileInit is init_file: the value that a File begins with.
type FileInit struct {
	Value     int
	Overwrite bool // also if the file is there
}

// Match says which processes a track_process counts.
type Match struct {
	Name string   // of the process, or the first word of its command line
	Args []string // the words behind it
	// CommandLine compares Name and Args with the command line; otherwise Name is
	// compared with the process's name (/proc/PID/comm).
	CommandLine bool
	Partial     bool // param_match partial: more words may follow
	Initial     bool // param_match initial: the last of Args may be the beginning of a word
}

// Reading is what a probe says at present.
type Reading struct {
	Verdict Verdict
	Number  bool // Value counts, not the verdict (File)
	Value   int
}

// Track ties a probe to a vrrp_instance. Weight and Reverse are those in force:
// conf/keepalived copies the probe's own where the track names none.
type Track struct {
	Probe   string // Probe.Name
	Weight  int
	Reverse bool
	Pos     diag.Pos
}
