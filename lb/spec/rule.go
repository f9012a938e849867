package spec

import (
	"net/netip"
	"regexp"
	"time"

	"baton/internal/diag"
	"baton/lb/logfmt"
	"baton/lb/pattern"
	"baton/lb/sample"
	"baton/lb/uri"
)

// ACL is a named test. Several ACLs of one name are alternatives.
type ACL struct {
	Name string
	Test Test
	Pos  diag.Pos
}

// Test compares the samples of an expression with patterns:
// `hdr(host) -i www.example.com`. It holds when one of them matches.
type Test struct {
	Expr     *sample.Expr
	Match    pattern.Method
	Patterns []Patterns // searched in order; none for pattern.Found and pattern.Bool
}

// Patterns are patterns of one kind: those on the line, or those of a file.
type Patterns struct {
	File     string // "": Words
	Words    []string
	FoldCase bool
	Set      Matcher
}

// Matcher finds a pattern, nil if none matches. A set never changes, the view of a
// list does.
type Matcher interface {
	Bytes(b []byte) *pattern.Entry
	Int(n int64) *pattern.Entry
	Addr(a netip.Addr) *pattern.Entry
}

// Cond is a condition in disjunctive form: any And whose terms all hold.
// Unless turns the whole result round (`unless` instead of `if`).
type Cond struct {
	Or     [][]Term
	Unless bool
	Pos    diag.Pos
}

// Term is one test of a condition. Any lists the alternatives (a named ACL may
// have several lines); the term holds when one of them does, or none with Not.
type Term struct {
	Not bool
	Any []Test
}

// HTTPRule is one http-request or http-response line.
type HTTPRule struct {
	Action Action
	Name   string // header name
	Value  string // literal header value
	Status int    // ActionDeny: default 403
	Code   int    // ActionRedirect: 301, 302, 303, 307, 308
	Target string // ActionRedirect: location, prefix or scheme
	Kind   RedirectKind
	Cond   *Cond
	Pos    diag.Pos

	Var      sample.VarName // ActionSetVar, ActionUnsetVar
	VarConds []string       // ActionSetVar: ifset, ifgt, ...
	Expr     *sample.Expr   // ActionSetVar, ActionCapture, ActionSetSrc and so on

	Format *logfmt.Format // the value that the action makes anew each time; nil: Value or Target is it
	Regexp *regexp.Regexp // ActionReplace...: what is replaced by Format
	Names  pattern.Method // ActionDelHeader: how Name is compared with names; 0: it is the name
	Reply  *Reply         // ActionReturn, ActionDeny, ActionTarpit: the answer; nil: the status's page
	Slot   int            // ActionCapture
	Len    int            // ActionCapture: bytes kept; ActionWaitForBody: bytes enough, 0: all
	Time   time.Duration  // ActionWaitForBody, ActionPause, ActionSetTimeout
	Level  LogLevel       // ActionSetLogLevel

	Origin     logfmt.Origin  // ActionDoLog: where the rule stands
	Profile    *LogProfile    // ActionDoLog: instead of the targets' own; nil: none
	List       *pattern.List  // what ActionSetMap and its kin change; their value is Format or Value
	Key        *logfmt.Format // the pattern of List that they mean
	Limit      Limit          // ActionSetTimeout: to Time, or what Expr gives in milliseconds
	Number     int            // of the mark, type of service or retries, where there is no Expr; ActionSilentDrop: the TTL of rst-ttl, 0: no reset
	Normalizer uri.Normalizer // ActionNormalizeURI
	Resolvers  *Resolvers     // ActionDoResolve: who is asked for the name that Expr gives
	PreferIPv4 bool           // ActionDoResolve

	DropQuery, AppendSlash, IgnoreEmpty bool   // ActionRedirect
	Cookie                              string // ActionRedirect: a Set-Cookie line's value; "": none
}

// LogLevel is what set-log-level makes of a line's level.
type LogLevel uint8

// The levels; those of syslog are LogLevelBase plus their number.
const (
	LogLevelAsIs LogLevel = iota
	LogLevelNone          // silent: no line
	LogLevelBase          // emerg
)

// Reply is an answer from the configuration: the page of its status, or what its parts make.
type Reply struct {
	Status  int
	Page    *ErrorPage    // a whole response
	Parts   bool          // made of what follows; otherwise, without Page, the proxy's page for Status
	Headers []ReplyHeader // in lower case
	Type    string        // Content-Type; "": no body
	Text    string        // the body, where Format is nil
	Format  *logfmt.Format
}

// ReplyHeader is a `hdr` of a reply.
type ReplyHeader struct {
	Name   string
	Format *logfmt.Format
}

// Action is what an HTTP rule does.
type Action uint8

// The actions built so far.
const (
	ActionAddHeader Action = iota
	ActionSetHeader
	ActionDelHeader
	ActionDeny
	ActionAllow
	ActionRedirect
	ActionSetVar
	ActionUnsetVar

	ActionReplaceHeader // whole values
	ActionReplaceValue  // each comma-separated value
	ActionSetMethod
	ActionSetPath
	ActionSetPathQ
	ActionSetQuery
	ActionSetURI
	ActionReplacePath
	ActionReplacePathQ
	ActionReplaceURI
	ActionSetStatus
	ActionReturn
	ActionTarpit
	ActionReject
	ActionSilentDrop
	ActionAuth
	ActionCapture
	ActionSetSrc
	ActionSetSrcPort
	ActionSetDst
	ActionSetDstPort
	ActionSetLogLevel
	ActionWaitForBody
	ActionDisableRetry
	ActionClose       // tcp-response content: the server's connection ends
	ActionExpectProxy // tcp-request connection: it has to begin with a PROXY header
	ActionDoLog

	ActionSetMap
	ActionDelMap // del-acl too
	ActionAddACL
	ActionSetTimeout
	ActionSetMark // of packets to the client
	ActionSetTOS
	ActionSetServerMark // of packets to the server
	ActionSetServerTOS
	ActionSetPriorityClass
	ActionSetPriorityOffset
	ActionSetRetries
	ActionPause
	ActionNormalizeURI
	ActionEarlyHint
	ActionDoResolve
	ActionStrict  // a rewrite that fails ends the exchange: the default
	ActionLenient // it changes nothing

	ActionSwitchMode // tcp-request content: the connection goes on in HTTP
)

// Limit is a timeout that a rule can change for the present exchange.
type Limit uint8

// The limits.
const (
	LimitClient Limit = iota
	LimitConnect
	LimitQueue
	LimitServer
	LimitTarpit
	LimitTunnel
)

// RedirectKind is the form of a redirect.
type RedirectKind uint8

// The redirect forms.
const (
	RedirectLocation RedirectKind = iota
	RedirectPrefix
	RedirectScheme
)
