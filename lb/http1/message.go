package http1

// State is the outcome of a parse.
type State uint8

// The outcomes.
const (
	NeedMore State = iota // the head is not complete yet
	Done
	Bad // see Message.Reason; the connection must be closed
)

// Span is a piece of the parsed buffer: b[Off:Off+Len].
type Span struct{ Off, Len uint32 }

// Of returns the bytes of the span in b.
func (s Span) Of(b []byte) []byte { return b[s.Off : s.Off+s.Len : s.Off+s.Len] }

// MaxHeaders is the most header lines of a message (HAProxy's tune.http.maxhdr).
const MaxHeaders = 101

// Known names the headers that a proxy acts upon, so that nobody compares names twice.
type Known uint8

// The headers that matter to framing, connection handling and forwarding.
const (
	Other Known = iota
	Connection
	ContentLength
	TransferEncoding
	Host
	Expect
	Upgrade
	KeepAlive
	TE
	Trailer
	ProxyConnection
	XForwardedFor
	Cookie
	SetCookie
	Date
)

// Field is one header line. Value is trimmed of optional white space.
type Field struct {
	Name, Value Span
	Known       Known
}

// Framing says how a body is delimited (RFC 9112 section 6.3).
type Framing uint8

// The framings.
const (
	NoBody Framing = iota
	Length         // Message.ContentLength bytes
	Chunked
	UntilClose // responses only
	Tunnel     // after 101, or 2xx to CONNECT: no longer HTTP
)

// Method is the request method where it changes how a message is handled.
type Method uint8

// The methods.
const (
	MethodOther Method = iota
	MethodGet
	MethodHead
	MethodPost
	MethodPut
	MethodDelete
	MethodOptions
	MethodTrace
	MethodConnect
	MethodPatch
)

// Message is one request or response head. The zero value is ready to parse;
// Reset makes it so again. It holds no pointers: it can be kept by value and reused.
type Message struct {
	// Request line.
	MethodSpan Span
	Method     Method
	Target     Span // as sent
	Path       Span // origin form path without the query; of absolute form the path in it ("/" when empty: Len 0)
	Authority  Span // of absolute and authority form, else empty

	// Status line.
	Status int
	ReasonPhrase Span

	Minor  uint8 // HTTP/1.Minor: 0 or 1
	Fields [MaxHeaders]Field
	N      int // fields in use

	HeadLen       int // bytes of the head, the empty line included
	Framing       Framing
	ContentLength int64
	KeepAlive     bool // the peer keeps the connection after this message (version and Connection)
	ConnUpgrade   bool // Connection: upgrade together with an Upgrade header
	Expect100     bool

	Reason Reason // why State was Bad

	scan parser
}
