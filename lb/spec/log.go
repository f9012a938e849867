package spec

import (
	"time"

	"baton/lb/logfmt"
)

// LogTarget is one `log` line.
type LogTarget struct {
	Kind     LogKind
	Address  string // LogUDP, LogStream: host:port; LogUnix, LogUnixStream: path
	FD       int    // LogFD: 1 for stdout, 2 for stderr, or fd@N
	Format   string // local (""), rfc3164, rfc5424, priority, short, timed, iso, raw
	Len      int    // longest line, default 1024
	Facility int    // 0..23
	Level    int    // most verbose level that is sent: 0 emerg .. 7 debug (default)
	MinLevel int    // levels more severe are lowered to this one
	Tag      string // log-tag of the proxy or the process; "": the program's name
	Sample   *LogSample
	Profile  *LogProfile // nil: lines are made as the proxy says
	Ring     *Ring       // the buffer before a LogStream; nil: an ordinary one
}

// Ring is a `ring` section as one of its servers sees it.
type Ring struct {
	Name, Server  string
	Size          int           // bytes of lines that wait
	MaxLen        int           // longest line, its head included; LogTarget.Len is that of the text
	Connect, Send time.Duration // bound a connection attempt and a write; 0: they do not end
	OctetCount    bool          // lines begin with their length (RFC 6587 section 3.4.1); otherwise they end with a line feed
}

// LogProfile is a `log-profile` section: how the lines of the targets that name it are made.
type LogProfile struct {
	Name  string
	Tag   string // "": the proxy's
	Steps []LogStep
	Any   *LogStep // for steps not in Steps; nil: as the proxy says
}

// LogStep is an `on` line.
type LogStep struct {
	On               logfmt.Origin
	Drop             bool           // no line
	Format, FormatSD *logfmt.Format // nil: the proxy's
}

// Step returns what the profile says of a step; nil: nothing.
func (p *LogProfile) Step(o logfmt.Origin) *LogStep {
	if p == nil {
		return nil
	}
	for i := range p.Steps {
		if p.Steps[i].On == o {
			return &p.Steps[i]
		}
	}
	return p.Any
}

// Needs tells what the formats of the profile want a record to hold.
func (p *LogProfile) Needs() logfmt.Need {
	var n logfmt.Need
	for i := range p.Steps {
		n |= p.Steps[i].Format.Needs() | p.Steps[i].FormatSD.Needs()
	}
	if p.Any != nil {
		n |= p.Any.Format.Needs() | p.Any.FormatSD.Needs()
	}
	return n
}

// LogSample sends a share of the lines: of each Size lines those whose number, from
// 1, is in one of the ranges.
type LogSample struct {
	Size   int
	Ranges [][2]int
}

// LogKind is the transport of a log target.
type LogKind uint8

// The transports.
const (
	LogUDP LogKind = iota
	LogUnix
	LogFD
	LogStream     // a line ends with a line feed
	LogUnixStream // the same
)

// LogFormat is the line a proxy writes per connection or request.
type LogFormat uint8

// The formats.
const (
	LogDefault LogFormat = iota // "Connect from ..."
	LogTCP                      // option tcplog
	LogHTTP                     // option httplog
	LogCustom                   // Logging.Format
)

// Logging is what a frontend writes about its traffic.
type Logging struct {
	LogFormat                                     LogFormat
	Format                                        *logfmt.Format // LogCustom
	FormatSD                                      *logfmt.Format // log-format-sd: structured data of rfc5424 targets; nil: none
	ErrorFormat                                   *logfmt.Format // error-log-format: connections that failed before they were sessions; nil: the built-in one
	DontLogNull, LogSeparateErrors, DontLogNormal bool
	LogAsap                                       bool           // option logasap: log when the transfer begins
	LogSteps                                      logfmt.Origins // log-steps; 0: not given
}

// Capture is one `capture` line: what is kept of a header or cookie for the log.
type Capture struct {
	Name string // header, in lower case; cookie: what its name begins with, the whole name with =
	Len  int    // bytes kept
}
