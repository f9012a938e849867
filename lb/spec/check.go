package spec

import (
	"net/netip"
	"regexp"
	"time"

	"baton/lb/logfmt"
	"baton/lb/sample"
)

// Check is `check` on a server line with inter, rise, fall and so on.
type Check struct {
	Inter, FastInter, DownInter time.Duration // FastInter, DownInter: Inter when not set
	Rise, Fall                  int
	Port                        uint16     // 0: the server's
	Addr                        netip.Addr // zero: the server's
	Init                        InitState
	Spread                      int // spread-checks: percent by which intervals vary

	Observe    Layer   // whose errors count; LayerNone: none do
	ErrorLimit int     // consecutive ones that lead to OnError
	OnError    OnError // what then happens
}

// Layer is what `observe` looks at.
type Layer uint8

// The layers.
const (
	LayerNone Layer = iota
	Layer4          // connections
	Layer7          // and responses
)

func (l Layer) String() string { return [...]string{"none", "layer4", "layer7"}[l] }

// OnError is what errors in traffic lead to (chapter 5.2, on-error).
type OnError uint8

// The consequences. All of them bring the next check nearer.
const (
	FailCheck   OnError = iota // as if a check had failed (default)
	FastInter                  // nothing else
	SuddenDeath                // as if all but the last had failed
	MarkDown                   // the server is down
)

func (o OnError) String() string {
	return [...]string{"fail-check", "fastinter", "sudden-death", "mark-down"}[o]
}

// InitState is `init-state`: what a server is before its first check.
type InitState uint8

// The states.
const (
	InitUp        InitState = iota // one failure takes it down (default)
	InitFullyUp                    // as after good checks
	InitDown                       // one success brings it up
	InitFullyDown                  // as after failed checks
)

func (i InitState) String() string { return [...]string{"up", "fully-up", "down", "fully-down"}[i] }

// Agent is `agent-check` on a server line.
type Agent struct {
	Inter time.Duration
	Port  uint16
	Addr  netip.Addr // zero: the server's
	Host  string     // agent-addr, where that is a name; lb.Resolve sets Addr
	Send  string
}

// CheckPlan is what the checks of a backend's servers do. The checks for a protocol
// (option redis-check and its kin) are sequences of steps like those of option
// tcp-check, and so is option httpchk.
type CheckPlan struct {
	Kind  CheckKind
	Steps []CheckStep // CheckTCP may have none: a connection is enough

	DisableOn404 bool // http-check disable-on-404
	SendState    bool // http-check send-state

	External *External // CheckExternal
}

// External is option external-check.
type External struct {
	Command string
	Path    string // the variable PATH; "": not set
}

// CheckKind says whose steps they are.
type CheckKind uint8

// The kinds of checks.
const (
	CheckTCP      CheckKind = iota // option tcp-check
	CheckHTTP                      // option httpchk
	CheckProtocol                  // option mysql-check and its kin: the steps are baton's own
	CheckExternal                  // option external-check: a command, no steps
)

func (k CheckKind) String() string {
	return [...]string{"tcp-check", "httpchk", "protocol", "external"}[k]
}

// CheckStep is one line of tcp-check or http-check; one of its pointers is set.
type CheckStep struct {
	Number  int    // among the lines, those with comments included; 0: it is implied
	Comment string // told where the step fails
	Connect *CheckConnect
	Send    *CheckText
	Request *CheckRequest
	Expect  *Expect
	SetVar  *CheckVar
}

// CheckConnect opens the connection of the steps that follow.
type CheckConnect struct {
	Default   bool         // the PROXY header as on the server line
	Port      uint16       // 0: PortExpr, or else that of the server's checks
	PortExpr  *sample.Expr // nil: none
	Addr      netip.Addr   // zero: that of the server's checks
	SendProxy bool
	Linger    bool // it is closed without a reset
}

// CheckText is bytes to send or to look for: literal ones, or those of a format.
type CheckText struct {
	Text   string
	Format *logfmt.Format // nil: Text
	Hex    bool           // Format makes hexadecimal digits
}

// CheckRequest is an HTTP request.
type CheckRequest struct {
	Method, Version string
	URI             CheckText
	Headers         []CheckHeader // from http-check send, or the old \r\n form of the version
	Body            CheckText
}

// CheckHeader is one header line of a CheckRequest.
type CheckHeader struct {
	Name  string
	Value CheckText
}

// CheckVar is set-var, set-var-fmt or unset-var; one of Expr and Format is set unless
// it is the last.
type CheckVar struct {
	Name   sample.VarName
	Conds  []string
	Expr   *sample.Expr
	Format *logfmt.Format
}

// ExpectKind is what an expectation looks at, and how.
type ExpectKind uint8

// The kinds of expectations.
const (
	ExpectStatus      ExpectKind = iota // Ranges hold the status
	ExpectStatusRegex                   // Regex matches the status
	ExpectHeader                        // a header of Name has a Value, comma by comma
	ExpectFullHeader                    // the same of whole values
	ExpectString                        // Text is contained
	ExpectRegex                         // Regex matches
	ExpectBinary                        // Text is contained
	ExpectBinaryRegex                   // Regex matches the bytes as hexadecimal digits, in upper case
	ExpectMySQL                         // the server's first packet
	ExpectMySQLAnswer                   // that, and the answer to a login
	ExpectLDAP                          // the answer to a bind
	ExpectAgent                         // the line of an agent
)

func (k ExpectKind) String() string {
	return [...]string{
		"status", "rstatus", "hdr", "fhdr", "string", "rstring", "binary", "rbinary", "mysql", "mysql-login", "ldap", "agent",
	}[k]
}

// Expect is one `expect` line. What it looks at is all that has come since the last
// send or connect: in HTTP the response.
type Expect struct {
	Kind   ExpectKind
	Not    bool
	Ranges []IntRange
	Text   CheckText
	Regex  *regexp.Regexp

	Name, Value *HeaderMatch // Value nil: any

	// MinRecv is the least number of bytes for a verdict, which is then final. AnyLength
	// waits for a match until the end.
	MinRecv int

	// The codes of the statuses for success, failure and timeout, as in statistics;
	// "": L7OK, L7RSP (of heads: L7STS) and L7TOUT.
	OKStatus, ErrorStatus, TimeoutStatus string
	OnSuccess, OnError                   *logfmt.Format // what the log tells; nil: what it always does
	StatusCode                           *sample.Expr   // nil: that of the response
}

// AnyLength is Expect.MinRecv where it is not given.
const AnyLength = -1

// HeaderMatch compares a header's name or value.
type HeaderMatch struct {
	How   HeaderHow
	Text  CheckText
	Regex *regexp.Regexp // HeaderRegex
}

// HeaderHow is the method of a HeaderMatch.
type HeaderHow uint8

// The methods.
const (
	HeaderEqual HeaderHow = iota
	HeaderBegin
	HeaderEnd
	HeaderContain
	HeaderRegex
)

func (h HeaderHow) String() string { return [...]string{"str", "beg", "end", "sub", "reg"}[h] }
