package http1

// State is the outcome of a parse.
type State uint8

// The outcomes.
const (
	NeedMore State = iota // the head is not complete yet
	Done
	Bad // see Message.Reason; the connection must be closed
)

// String gives the state's name, for tests and traces.
func (s State) String() string {
	switch s {
	case NeedMore:
		return "need-more"
	case Done:
		return "done"
	default:
		return "bad"
	}
}

// Span is a piece of the parsed buffer: b[Off:Off+Len].
type Span struct{ Off, Len uint32 }

// Of returns the bytes of the span in b.
func (s Span) Of(b []byte) []byte { return b[s.Off : s.Off+s.Len : s.Off+s.Len] }

// MaxHeaders is the most header lines of a message. HAProxy's tune.http.maxhdr is 101,
// the first line included.
const MaxHeaders = 100

// maxName is the longest field name; HAProxy has no room for longer ones either.
const maxName = 255

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

	// Removed marks a field that the caller struck out after the parse: Find passes
	// over it and AppendHead leaves it away. The parser never sets it.
	Removed
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
	NoBody     Framing = iota // nothing follows the head; also when the length is 0
	Length                    // Message.ContentLength bytes, at least one
	Chunked                   // see Chunks
	UntilClose                // responses only
	Tunnel                    // after 101, or 2xx to CONNECT: no longer HTTP
)

// Method is the request method where it changes how a message is handled.
type Method uint8

// The methods. They are case-sensitive (RFC 9110 section 9.1): "get" is MethodOther.
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
//
// All but Reason and BadAt is meaningful only once a parse has returned Done.
type Message struct {
	// Request line.
	MethodSpan Span
	Method     Method
	Target     Span // as sent
	Path       Span // without the query; Len 0 for "*", for authority form, and for an absolute form that has none
	Authority  Span // of absolute and authority form, else empty

	// Status line.
	Status       int // 100 to 999; 0 says that the message is a request
	ReasonPhrase Span

	Minor uint8 // HTTP/1.Minor: 0 or 1
	N     int   // Fields in use

	HeadLen       int // bytes of the head, from b[0] to the end of the empty line
	Framing       Framing
	ContentLength int64 // as declared, also where there is no body (HEAD, 304); -1 when not declared
	OldBodies     bool  // let bodies pass that old servers never look for; Reset keeps it
	Lenient       bool  // let bytes pass in targets, names and values that are not allowed but frame nothing; Reset keeps it
	KeepAlive     bool  // the peer keeps the connection after this message (version, Connection and framing)
	ConnUpgrade   bool  // Connection: upgrade together with an Upgrade header, in HTTP/1.1
	Expect100     bool  // Expect: 100-continue, in HTTP/1.1

	Reason Reason // why State was Bad
	BadAt  int    // and the offset of the byte, or of the value, that was refused

	scan parser

	Fields [MaxHeaders]Field // last: it is large, and what stands before it shares cache lines
}

// parser is what the parse remembers between calls, so that a head that comes in
// pieces is scanned once.
type parser struct {
	phase phase
	mark  uint32 // where the element in work starts
	pos   uint32 // the next byte to look at; b[mark:pos] is found valid
	line  uint32 // end of the start line, its CRLF included

	close, keepAlive, upgrade bool // tokens of Connection
	named                     bool // Connection names other fields
	upgradeField              bool
	hasLength, hasCoding      bool
	hasHost                   bool
	host                      Span
}

type phase uint8

const (
	inStart phase = iota // before the start line
	inMethod
	inTarget
	inVersion
	inReasonPhrase
	inName // at a field line's start, or in the name
	inValue
	ended
	failed
)

// Reset prepares m for another head. It leaves the field table as it is: N rules it.
func (m *Message) Reset() {
	m.MethodSpan, m.Method = Span{}, MethodOther
	m.Target, m.Path, m.Authority = Span{}, Span{}, Span{}
	m.Status, m.ReasonPhrase = 0, Span{}
	m.Minor, m.N, m.HeadLen = 0, 0, 0
	m.Framing, m.ContentLength = NoBody, 0
	m.KeepAlive, m.ConnUpgrade, m.Expect100 = false, false, false
	m.Reason, m.BadAt = NoReason, 0
	m.scan = parser{}
}

// fail ends the parse for good: later calls return Bad too.
func (m *Message) fail(r Reason, at int) State {
	m.Reason, m.BadAt = r, at
	m.scan.phase = failed
	return Bad
}

// wait saves where the parse stands until more bytes have come.
func (m *Message) wait(p phase, mark, pos int) State {
	m.scan.phase, m.scan.mark, m.scan.pos = p, uint32(mark), uint32(pos)
	return NeedMore
}

// Find returns the index of the first field from Fields[from] on that is called
// name, which must be in lower case, or -1. b is the buffer that was parsed.
func (m *Message) Find(b []byte, name string, from int) int {
	for i := from; i < m.N; i++ {
		f := &m.Fields[i]
		if f.Known != Removed && int(f.Name.Len) == len(name) && equalLower(f.Name.Of(b), name) {
			return i
		}
	}
	return -1
}

// FindKnown returns the index of the first field from Fields[from] on that is k, or -1.
func (m *Message) FindKnown(k Known, from int) int {
	for i := from; i < m.N; i++ {
		if m.Fields[i].Known == k {
			return i
		}
	}
	return -1
}

// PathAndQuery returns the request target from its path on, without scheme and
// authority. It is empty for "*", for authority form, and for an absolute form that
// ends with its authority.
func (m *Message) PathAndQuery(b []byte) []byte {
	if m.Path.Len == 0 {
		return nil
	}
	return b[m.Path.Off : m.Target.Off+m.Target.Len : m.Target.Off+m.Target.Len]
}

// HostValue returns the value of a request's Host, or nil when it has none.
func (m *Message) HostValue(b []byte) []byte {
	if !m.scan.hasHost {
		return nil
	}
	return m.scan.host.Of(b)
}
