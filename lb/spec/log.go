package spec

import "baton/lb/logfmt"

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
	LogAsap                                       bool // option logasap: log when the transfer begins
}

// Capture is one `capture` line: what is kept of a header or cookie for the log.
type Capture struct {
	Name string // header, in lower case; cookie: what its name begins with, the whole name with =
	Len  int    // bytes kept
}
