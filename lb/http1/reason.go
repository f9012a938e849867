package http1

// Reason is why a message is Bad.
type Reason uint8

// The reasons.
const (
	NoReason Reason = iota

	BareCR        // a CR that no LF follows (RFC 9112 section 2.2)
	BareLF        // a LF that no CR precedes: strict peers and lax ones would see different lines
	ControlByte   // a control byte, NUL or DEL in a value or a reason phrase
	BadMethod     // the method is empty or no token
	BadTarget     // a byte in the target that no URI has: a space, a control or non-ASCII byte
	Fragment      // # in the target
	TargetForm    // a target of none of the four forms, or of one that its method does not allow
	BadVersion    // not HTTP/1.0 or HTTP/1.1
	HTTP2Preface  // the client speaks HTTP/2 with prior knowledge
	BadStatus     // the status code is not three digits from 100 up
	ObsFold       // a line that starts with white space (RFC 9112 section 5.2)
	EmptyName     // a field line that starts with a colon
	SpaceInName   // white space before the colon (RFC 9112 section 5.1)
	BadName       // a byte in a field name that is no token, or a line without a colon
	LongName      // a field name of more than maxName bytes
	TooManyFields // more than MaxHeaders

	NoHost       // HTTP/1.1 without Host (RFC 9112 section 3.2)
	TwoHosts     // Host more than once
	BadHost      // a byte in Host that no authority has
	HostMismatch // Host and the target's authority name different servers

	BadLength       // Content-Length is no decimal number, or beyond 63 bits
	LengthMismatch  // Content-Length says two things
	LengthAndCoding // Content-Length with Transfer-Encoding
	BadCoding       // Transfer-Encoding is anything but one "chunked"
	OldCoding       // Transfer-Encoding in HTTP/1.0 (RFC 9112 section 6.1)
	ConnectBody     // CONNECT with a body: its bytes could pass for the tunnel's
	OldBody         // GET, HEAD or DELETE with a body in HTTP/1.0: old servers take it for the next request
	WebSocketKey    // an upgrade to websocket without a valid Sec-WebSocket-Key (RFC 6455 section 4.2.1)
	SwitchedAlone   // 101 without Connection: upgrade

	ChunkSize      // a chunk's size is no hexadecimal number, or beyond 52 bits
	ChunkExtension // a chunk extension that is malformed or too long
	ChunkEnd       // a chunk's data is not followed by CRLF
	TrailerSize    // the trailer section is too long
	TrailerField   // a trailer that would change the framing or the routing of the message
)

// Status is that of the answer to a request refused for this reason, as HAProxy's.
func (r Reason) Status() int {
	if r == OldBody {
		return 413
	}
	return 400
}

// String says what is wrong, in lower case, to stand in a log line.
func (r Reason) String() string {
	if int(r) < len(reasonTexts) {
		return reasonTexts[r]
	}
	return "unknown reason"
}

var reasonTexts = [...]string{
	NoReason:        "none",
	BareCR:          "carriage return without line feed",
	BareLF:          "line feed without carriage return",
	ControlByte:     "control byte in a value",
	BadMethod:       "malformed method",
	BadTarget:       "forbidden byte in the request target",
	Fragment:        "fragment in the request target",
	TargetForm:      "malformed request target",
	BadVersion:      "unsupported protocol version",
	HTTP2Preface:    "HTTP/2 preface",
	BadStatus:       "malformed status code",
	ObsFold:         "folded header line",
	EmptyName:       "empty header name",
	SpaceInName:     "white space in a header name",
	BadName:         "forbidden byte in a header name",
	LongName:        "header name too long",
	TooManyFields:   "too many header lines",
	NoHost:          "no host header",
	TwoHosts:        "more than one host header",
	BadHost:         "malformed host header",
	HostMismatch:    "host header and request target differ",
	BadLength:       "malformed content-length",
	LengthMismatch:  "content-length given twice with different values",
	LengthAndCoding: "content-length together with transfer-encoding",
	BadCoding:       "transfer-encoding other than chunked",
	OldCoding:       "transfer-encoding in HTTP/1.0",
	ConnectBody:     "CONNECT with a body",
	OldBody:         "body of GET, HEAD or DELETE in HTTP/1.0",
	WebSocketKey:    "websocket upgrade without a valid key",
	SwitchedAlone:   "101 without connection: upgrade",
	ChunkSize:       "malformed chunk size",
	ChunkExtension:  "malformed chunk extension",
	ChunkEnd:        "chunk longer than its size",
	TrailerSize:     "trailers too long",
	TrailerField:    "forbidden trailer",
}
