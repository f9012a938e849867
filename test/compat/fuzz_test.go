package compat

import (
	"bufio"
	"cmp"
	"io"
	"net/netip"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"baton/lb/http1"
	"baton/lb/proxyproto"
)

// The differential fuzzers send the streams of grammar through haproxy and baton and
// compare what comes out at the other end. baton may refuse what haproxy lets pass,
// for a reason that stands below; what it lets pass is what haproxy lets pass.
//
//	COMPAT_FUZZ=100000   cases per test instead of a few hundred
//	COMPAT_SEED=7        of the generator
//	COMPAT_CASE=4711     this case alone, shown whole

// campaign returns the generator's seed, the first case and how many there are.
func campaign(t *testing.T) (seed, first, n uint64) {
	t.Helper()
	number := func(name string, otherwise uint64) uint64 {
		v, err := strconv.ParseUint(cmp.Or(os.Getenv(name), strconv.FormatUint(otherwise, 10)), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	seed = number("COMPAT_SEED", 1)
	if os.Getenv("COMPAT_CASE") != "" {
		return seed, number("COMPAT_CASE", 0), 1
	}
	return seed, 0, number("COMPAT_FUZZ", 500)
}

// tally counts outcomes and keeps the first streams of what needs a look.
type tally struct {
	mu     sync.Mutex
	counts map[string]int
	alone  bool
}

func newTally() *tally {
	return &tally{counts: make(map[string]int), alone: os.Getenv("COMPAT_CASE") != ""}
}

// add counts and reports whether it is one of the first five.
func (c *tally) add(what string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts[what]++
	return c.counts[what] <= 5
}

// whole returns those messages that came to their end: with a message that did not
// it is a matter of timing whether a proxy had begun to pass it on.
func whole(all []message) []message {
	return slices.DeleteFunc(slices.Clone(all), func(m message) bool { return !m.Whole })
}

// strict are the reasons of package http1 for which baton refuses what haproxy 2.6
// passes on, or changes and passes on.
var strict = map[http1.Reason]string{
	http1.BareLF:          "haproxy takes a lone LF for a line's end; a peer that does not sees other lines (RFC 9112 section 2.2 allows both)",
	http1.BareCR:          "haproxy writes some of them as spaces",
	http1.ControlByte:     "haproxy passes all but NUL, CR and LF on, in places NUL too (RFC 9110 section 5.5)",
	http1.BadMethod:       "haproxy passes bytes on that are no token",
	http1.BadTarget:       "haproxy passes over more white space than one space",
	http1.Fragment:        "haproxy passes it on in absolute targets",
	http1.TargetForm:      "haproxy takes targets of no form, and CONNECT to no authority, and * with every method (RFC 9112 section 3.2)",
	http1.BadVersion:      "haproxy takes every HTTP/x.y and white space around it",
	http1.HTTP2Preface:    "PRI is no method of HTTP/1",
	http1.BadStatus:       "haproxy passes over white space, and codes below 100 on",
	http1.ObsFold:         "haproxy joins folded lines; RFC 9112 section 5.2 allows to refuse them",
	http1.BadName:         "haproxy passes bytes on that are no token in responses",
	http1.SpaceInName:     "haproxy passes it on, trimmed, in responses (RFC 9112 section 5.1)",
	http1.EmptyName:       "haproxy passes over a line without a name",
	http1.TooManyFields:   "haproxy does not count the Connection lines",
	http1.NoHost:          "RFC 9112 section 3.2: 400 for HTTP/1.1 without Host",
	http1.TwoHosts:        "haproxy makes one of equal Host lines; RFC 9112 section 3.2 asks for 400",
	http1.BadHost:         "haproxy does not look at the bytes of Host (RFC 9112 section 3.2 asks for 400)",
	http1.HostMismatch:    "haproxy does not compare schemes that it does not know",
	http1.BadLength:       "haproxy passes over empty elements of a list",
	http1.LengthAndCoding: "haproxy takes Content-Length away; it is how requests are smuggled (RFC 9112 section 6.1 allows to refuse)",
	http1.BadCoding:       "haproxy passes over empty elements of a list",
	http1.OldCoding:       "haproxy takes chunked bodies from HTTP/1.0 (RFC 9112 section 6.1 calls their framing faulty)",
	http1.ConnectBody:     "haproxy sends such bytes down the tunnel",
	http1.WebSocketKey:    "haproxy looks at the last Upgrade line alone",
	http1.ChunkSize:       "haproxy takes any number of leading zeros, baton sixteen digits",
	http1.ChunkExtension:  "haproxy takes extensions of any length and with control bytes, and drops them",
	http1.TrailerField:    "haproxy passes trailers on that frame or route a message (RFC 9110 section 6.5.1)",
}

// refusal is the reason for which baton's parser refuses something in a stream of
// requests.
func refusal(stream string) http1.Reason {
	b := []byte(stream)
	for len(b) > 0 {
		var m http1.Message
		if m.ParseRequest(b) != http1.Done {
			return m.Reason
		}
		b = b[m.HeadLen:]
		switch m.Framing {
		case http1.Length:
			b = b[min(int64(len(b)), m.ContentLength):]
		case http1.Chunked:
			var c http1.Chunks
			n, st := c.Scan(b)
			if st != http1.Done {
				return c.Reason
			}
			b = b[n:]
		case http1.Tunnel:
			return http1.NoReason
		}
	}
	return http1.NoReason
}

// sameAnswers compares statuses. One of the two may have closed where the other has
// said why; and where haproxy says
// 422 of transfer codings before chunked, or 413 of what has another fault too, baton says 400.
func sameAnswers(theirs, ours []string) bool {
	for i, s := range theirs {
		theirs[i] = strings.NewReplacer(" 422", " 400", " 413", " 400").Replace(s)
	}
	for i, s := range ours {
		ours[i] = strings.Replace(s, " 413", " 400", 1)
	}
	n := min(len(theirs), len(ours))
	if !slices.Equal(theirs[:n], ours[:n]) {
		return false
	}
	rest := append(theirs[n:], ours[n:]...)
	return len(rest) == 0 || len(rest) == 1 && rest[0][len("HTTP/1.1 ")] == '4'
}

var statuses = regexp.MustCompile(`HTTP/1\.[01] \d\d\d`)

// lastRequest ends a stream: after it, a proxy that has understood all of it closes.
const lastRequest = "GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"

func TestFuzzRequests(t *testing.T) {
	c := newCourse(t, "", "")
	count := newTally()
	c.run(t, func(g grammar) (string, string) { return g.requests() + lastRequest, "" }, func(number uint64, stream, _ string, theirs, ours outcome, lastTry bool) bool {
		why := refusal(stream)
		for i := range ours.Requests {
			dropUsualPort(&ours.Requests[i])
		}
		verdict := compareRequests(theirs, ours)
		if verdict == "stricter" {
			verdict += ": " + why.String()
			if strict[why] == "" {
				verdict += " FAIL"
			}
		}
		if strings.Contains(verdict, "FAIL") && !lastTry {
			return false
		}
		if first := count.add(verdict); count.alone || first && strings.Contains(verdict, "FAIL") {
			t.Errorf("case %d: %s\n%q\nhaproxy: %v %q\n baton:  %v %q %v", number, verdict, stream, theirs.Requests, statuses.FindAllString(theirs.Said, -1), ours.Requests, statuses.FindAllString(ours.Said, -1), ours.Errs)
		}
		return true
	})
	t.Log(count.counts)
}

// dropUsualPort takes ports 80 and 443 out of the Host of a CONNECT, and a scheme's port
// out of an absolute target, as haproxy does; baton leaves both as they came.
func dropUsualPort(m *message) {
	m.Start = usualPort.ReplaceAllString(m.Start, "$1/")
	if !m.Tunnel {
		return
	}
	for i, f := range m.Fields {
		if strings.HasPrefix(f, "host: ") {
			m.Fields[i] = strings.TrimSuffix(strings.TrimSuffix(f, ":80"), ":443")
		}
	}
}

var usualPort = regexp.MustCompile(`(?i)^([^ ]+ (?:http://[^/:]*|https://[^/:]*)):(80|443)?/`)

// compareRequests judges what the origins got.
func compareRequests(theirs, ours outcome) string {
	h, b := whole(theirs.Requests), whole(ours.Requests)
	for i := range b {
		if i == len(h) {
			return "laxer FAIL"
		}
		if b[i].String() != h[i].String() {
			return "another request FAIL"
		}
	}
	switch {
	case len(ours.Errs) > 0:
		return "the origin got garbage FAIL"
	case len(b) < len(h):
		return "stricter"
	case len(h) < len(theirs.Requests): // haproxy had begun to pass on what it then found bad
	case !sameAnswers(statuses.FindAllString(theirs.Said, -1), statuses.FindAllString(ours.Said, -1)):
		return "another answer FAIL"
	}
	return "same"
}

// Requests whose answers differ in how they end.
var plainRequests = []string{
	"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.0\r\n\r\n", "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi", "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
}

func TestFuzzResponses(t *testing.T) {
	c := newCourse(t, "", "")
	count := newTally()
	c.run(t, func(g grammar) (string, string) { return g.one(plainRequests...), g.responses() }, func(number uint64, stream, answer string, theirs, ours outcome, lastTry bool) bool {
		method, _, _ := strings.Cut(stream, " ")
		h, b := told(theirs.Said, method), told(ours.Said, method)
		if strings.Contains(stream, "HTTP/1.0") || last(h).Start == badGateway || last(b).Start == badGateway {
			// RFC 9110 section 15.2: baton tells old clients nothing but the last response.
			// haproxy tells of none when it has seen that something bad stands behind it.
			h, b = final(h), final(b)
		}
		verdict := compareResponses(h, b)
		if verdict == "stricter" {
			why, cut := badResponse(answer, method)
			switch {
			case cut && !last(b).Whole:
				verdict += ": haproxy ends a body that its server has cut"
			case strict[why] == "":
				verdict += " FAIL"
			}
			verdict += ": " + why.String()
		}
		if strings.Contains(verdict, "FAIL") && !lastTry {
			return false
		}
		if first := count.add(verdict); count.alone || first && strings.Contains(verdict, "FAIL") {
			t.Errorf("case %d: %s\n%q\n%q\nhaproxy: %v\n baton:  %v %v", number, verdict, stream, answer, h, b, ours.Errs)
		}
		return true
	})
	t.Log(count.counts)
}

// told reads what a client was told by way of one request.
func told(said, method string) []message {
	var all []message
	r := bufio.NewReader(strings.NewReader(said))
	for {
		m, err := readMessage(r, true, method)
		if m.Start == "" && err != nil {
			return all
		}
		// haproxy cuts white space before a reason phrase, baton leaves it.
		if m.Start = leadingSpace.ReplaceAllString(m.Start, "$1 "); m.Tunnel {
			rest, _ := io.ReadAll(r)
			m.Body, m.Whole = string(rest), true
		}
		all = append(all, m)
		if err != nil {
			return append(all, message{Start: err.Error()})
		}
	}
}

var leadingSpace = regexp.MustCompile(`^(HTTP/1\.[01] [0-9]{3})[ \t]+`)

func last(all []message) message {
	if len(all) == 0 {
		return message{}
	}
	return all[len(all)-1]
}

// final leaves interim responses out.
func final(all []message) []message {
	return slices.DeleteFunc(all, func(m message) bool { return interim.MatchString(m.Start) })
}

var interim = regexp.MustCompile(`^HTTP/1\.[01] 1(0[^1]|[^0])`)

const badGateway = "HTTP/1.1 502 Bad Gateway"

// compareResponses judges what the clients were told.
func compareResponses(h, b []message) string {
	for i := range b {
		switch {
		case i < len(h) && h[i].String() == b[i].String():
		case b[i].Start == badGateway && i == len(b)-1:
			return "stricter"
		case i == len(h):
			return "laxer FAIL"
		case b[i].Whole && !h[i].Whole:
			return "laxer FAIL"
		case !b[i].Whole && slices.Equal(b[i].Fields, h[i].Fields) && strings.HasPrefix(h[i].Body, b[i].Body):
			return "stricter"
		case h[i].Start == badGateway:
			return "laxer FAIL"
		default:
			return "another response FAIL"
		}
	}
	if len(b) < len(h) {
		return "stricter"
	}
	return "same"
}

// badResponse is the reason for which baton's parser refuses a server's answer, or
// whether the answer ends too early.
func badResponse(answer, method string) (why http1.Reason, cut bool) {
	methods := map[string]http1.Method{"GET": http1.MethodGet, "HEAD": http1.MethodHead, "POST": http1.MethodPost}
	b := []byte(answer)
	for {
		var m http1.Message
		if m.ParseResponse(b, methods[method]) != http1.Done {
			return m.Reason, false
		}
		b = b[m.HeadLen:]
		if m.Status/100 == 1 && m.Status != 101 {
			continue
		}
		if m.Framing == http1.Chunked {
			var c http1.Chunks
			_, st := c.Scan(b)
			return c.Reason, st == http1.NeedMore
		}
		return http1.NoReason, m.Framing == http1.Length && m.ContentLength > int64(len(b))
	}
}

func TestFuzzProxyHeaders(t *testing.T) {
	c := newCourse(t, "accept-proxy", ` http-request set-header x-from "%[src]:%[src_port] %[dst]:%[dst_port]"
 http-request set-header x-names "%[fc_pp_authority] %[fc_pp_unique_id]"
`)
	count := newTally()
	c.run(t, func(g grammar) (string, string) { return g.proxyHeader() + lastRequest, "" }, func(number uint64, stream, _ string, theirs, ours outcome, lastTry bool) bool {
		// What the header does not tell stays that of the connection.
		for _, m := range append(theirs.Requests, ours.Requests...) {
			for i, f := range m.Fields {
				f = localPort.ReplaceAllString(f, "127.0.0.1:0")
				f = strings.ReplaceAll(f, "::ffff:", "") // such a client is an IPv4 one for baton
				f = strings.ReplaceAll(f, "\t", "%09")
				m.Fields[i] = controlByte.ReplaceAllString(f, "%$1") // baton writes them as in log lines
			}
		}
		verdict := compareRequests(theirs, ours)
		if verdict == "stricter" {
			verdict += ": " + proxyRefusal(strings.TrimSuffix(stream, lastRequest))
		}
		if strings.Contains(verdict, "FAIL") && !lastTry {
			return false
		}
		if first := count.add(verdict); count.alone || first && strings.Contains(verdict, "FAIL") {
			t.Errorf("case %d: %s\n%q\nhaproxy: %v %q\n baton:  %v %q %v", number, verdict, stream, theirs.Requests, statuses.FindAllString(theirs.Said, -1), ours.Requests, statuses.FindAllString(ours.Said, -1), ours.Errs)
		}
		return true
	})
	t.Log(count.counts)
}

var localPort = regexp.MustCompile(`127\.0\.0\.1:\d+`)

var controlByte = regexp.MustCompile(`#([01][0-9A-F]|7F)`)

// proxyRefusal says why baton refuses a PROXY header that haproxy takes; it ends in FAIL
// where that has no reason.
func proxyRefusal(header string) string {
	_, n, v := proxyproto.Parse([]byte(header))
	if why := refusal(header[n:] + lastRequest); v == proxyproto.Valid && strict[why] != "" {
		return why.String()
	}
	line, _, ok := strings.Cut(header, "\n")
	words := strings.Split(strings.TrimSuffix(line, "\r"), " ")
	if !strings.HasPrefix(header, "PROXY ") || !ok || len(words) < 6 {
		return v.String() + " FAIL"
	}
	switch {
	case len(line) > 106:
		return "a line has 107 bytes at most"
	case !strings.HasSuffix(line, "\r"):
		return "haproxy takes lines that end in LF alone"
	}
	for _, port := range words[4:6] {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || strconv.FormatUint(n, 10) != port {
			return "haproxy takes ports with signs, leading zeros or more than 16 bits"
		}
	}
	for _, addr := range words[2:4] {
		if _, err := netip.ParseAddr(addr); err != nil {
			return "haproxy takes short and octal forms of addresses"
		}
	}
	if len(words) > 6 {
		return "haproxy takes words behind the ports"
	}
	return "FAIL"
}
