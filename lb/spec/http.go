package spec

// HTTPOptions are the `option` lines of mode http that change single things; those of
// one side alone stay zero on the other.
type HTTPOptions struct {
	OriginalTo       *ForwardFor // option originalto: the address that the client connected to
	HeaderNames      HeaderNames // option http-restrict-req-hdr-names
	BufferBody       bool        // option http-buffer-request: as much of the body as a buffer holds
	IgnoreProbes     bool        // frontend: a connection without a request ends without an answer
	AdjustToClient   bool        // frontend, option h1-case-adjust-bogus-client: Global.HeaderCase applies
	AdjustToServer   bool        // backend, option h1-case-adjust-bogus-server
	PretendKeepAlive bool        // backend: the server is not told that its connection closes
	PreferLast       bool        // backend: a client's next request goes where the last one went
	ProxyHeader      bool        // frontend, option http-use-proxy-header: requests to a proxy are asked for Proxy-Authorization
	IdleStays        bool        // frontend, option idle-close-on-response: a stop leaves idle connections a last request
	CheckCache       bool        // backend, option checkcache: no cookies in what caches may keep
	LenientRequests  bool        // frontend, option accept-invalid-http-request: see http1.Message.Lenient
	LenientResponses bool        // backend, option accept-invalid-http-response
	NameHeader       string      // backend, http-send-name-header: in lower case; "": none
}

// HeaderNames is what happens to request headers whose names hold more than letters,
// digits and hyphens.
type HeaderNames uint8

// The policies.
const (
	PreserveNames HeaderNames = iota
	DeleteNames
	RejectNames // 403
)
