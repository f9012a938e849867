package spec

// LogTarget is one `log` line.
type LogTarget struct {
	Kind     LogKind
	Address  string // LogUDP: host:port; LogUnix: path
	FD       int    // LogFD: 1 for stdout, 2 for stderr, or fd@N
	Format   string // local (""), rfc3164, rfc5424, priority, short, timed, iso, raw
	Len      int    // longest line, default 1024
	Facility int    // 0..23
	Level    int    // most verbose level that is sent: 0 emerg .. 7 debug (default)
	MinLevel int    // levels more severe are lowered to this one
}

// LogKind is the transport of a log target.
type LogKind uint8

// The transports.
const (
	LogUDP LogKind = iota
	LogUnix
	LogFD
)

// LogFormat is the line a proxy writes per connection or request.
type LogFormat uint8

// The formats.
const (
	LogDefault LogFormat = iota // "Connect from ..."
	LogTCP                      // option tcplog
	LogHTTP                     // option httplog
)
