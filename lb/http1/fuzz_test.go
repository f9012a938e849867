package http1

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"
)

// seeds adds the inputs of a script file to a corpus.
func seeds(f *testing.F, add func(b []byte), files ...string) {
	for _, name := range files {
		text, err := os.ReadFile("testdata/scripts/" + name)
		if err != nil {
			f.Fatal(err)
		}
		for d := range strings.SplitSeq(string(text), "\n\n") {
			for strings.HasPrefix(d, "#") {
				_, d, _ = strings.Cut(d, "\n")
			}
			_, input, _ := strings.Cut(d, "\n")
			input, _, ok := strings.Cut(input, "\n----\n")
			s, err := strconv.Unquote(`"` + strings.NewReplacer("\n", "", `"`, `\"`).Replace(input) + `"`)
			if ok && err == nil {
				add([]byte(s))
			}
		}
	}
}

func FuzzRequest(f *testing.F) {
	seeds(f, func(b []byte) { f.Add(b) }, "request", "request-bad")
	f.Add([]byte(browserRequest))
	f.Fuzz(func(t *testing.T, b []byte) {
		m := parseSomeWays(t, b, false, MethodGet)
		if m.scan.phase != ended {
			return
		}
		out, again := checkRewrite(t, m, b, false, MethodGet)
		checkRequest(t, again, out, true)
		checkRequest(t, m, b, false)
	})
}

// FuzzLenient: who takes more reads the same in what everybody takes, and never more than
// one framing or host.
func FuzzLenient(f *testing.F) {
	seeds(f, func(b []byte) { f.Add(b) }, "lenient", "request", "request-bad")
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 300 {
			return
		}
		strict, m := new(Message), parseAllWays(t, b, false, MethodGet, true)
		if feed(strict, b, false, MethodGet, len(b)) == Done {
			strict.Lenient = true
			sameMessage(t, strict, m)
		}
		if m.scan.phase != ended {
			return
		}
		if head := b[:m.HeadLen]; bytes.IndexByte(head, 0) >= 0 || bytes.Count(head, []byte("\r")) != bytes.Count(head, []byte("\r\n")) || bytes.Count(head, []byte("\n")) != bytes.Count(head, []byte("\r\n")) {
			t.Fatalf("accepted %q", head)
		}
		for i := range m.Fields[:m.N] {
			name := m.Fields[i].Name.Of(b)
			if bytes.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
				t.Fatalf("accepted the name %q", name)
			}
		}
	})
}

func FuzzResponse(f *testing.F) {
	seeds(f, func(b []byte) { f.Add(b, byte(MethodGet)) }, "response", "response-bad")
	f.Add([]byte(smallResponse), byte(MethodHead))
	f.Add([]byte(smallResponse), byte(MethodConnect))
	f.Fuzz(func(t *testing.T, b []byte, method byte) {
		req := Method(method % byte(MethodPatch+1))
		m := parseSomeWays(t, b, true, req)
		if m.scan.phase != ended {
			return
		}
		out, again := checkRewrite(t, m, b, true, req)
		checkResponse(t, again, out, req, true)
		checkResponse(t, m, b, req, false)
	})
}

// parseSomeWays is parseAllWays, bounded for long input.
func parseSomeWays(t *testing.T, b []byte, response bool, req Method) *Message {
	if len(b) <= 300 {
		return parseAllWays(t, b, response, req, false)
	}
	m := new(Message)
	feed(m, b, response, req, len(b))
	for cut := 1; cut < len(b); cut += 1 + len(b)/50 {
		p := new(Message)
		feed(p, b, response, req, cut, len(b))
		sameMessage(t, m, p)
	}
	return m
}

// checkRewrite: a head depends on its own bytes alone, and what AppendHead makes of it
// is understood in the same way, and is left as it is the next time.
func checkRewrite(t *testing.T, m *Message, b []byte, response bool, req Method) ([]byte, *Message) {
	t.Helper()
	var alone Message
	if st := feed(&alone, b[:m.HeadLen], response, req, m.HeadLen); st != Done {
		t.Fatalf("the head alone: %v (%v)", st, alone.Reason)
	}
	sameMessage(t, m, &alone)

	rewrite := func(m *Message, b []byte) []byte {
		out := m.AppendHead(nil, b, HopByHop)
		if m.Status == 101 {
			out = append(out, "connection: upgrade\r\n"...) // as who passes an upgrade on
		}
		return append(out, "\r\n"...)
	}
	out := rewrite(m, b)
	again := new(Message)
	if st := feed(again, out, response, req, len(out)); st != Done {
		t.Fatalf("rewritten to %q: %v (%v)", out, st, again.Reason)
	}
	if again.HeadLen != len(out) || again.Framing != m.Framing || again.Method != m.Method || again.Status != m.Status ||
		again.Minor != m.Minor || m.Framing == Length && again.ContentLength != m.ContentLength ||
		!bytes.Equal(again.Target.Of(out), m.Target.Of(b)) || !bytes.Equal(again.Path.Of(out), m.Path.Of(b)) ||
		!bytes.Equal(again.HostValue(out), m.HostValue(b)) {
		t.Fatalf("rewritten to %q:\n%s\nbefore:\n%s", out, show(again, out), show(m, b))
	}
	if twice := rewrite(again, out); !bytes.Equal(out, twice) {
		t.Fatalf("rewritten to %q, then to %q", out, twice)
	}
	return out, again
}

// checkRequest: what is accepted, net/http frames alike. It must accept what is passed
// on; of what came in it refuses repeated lengths, which are passed on as one.
func checkRequest(t *testing.T, m *Message, b []byte, must bool) {
	t.Helper()
	r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(b[m.MethodSpan.Off:])))
	if err != nil {
		if must && !goIsPickier(err) {
			t.Fatalf("net/http refuses %q: %v", b, err)
		}
		return
	}
	if r.Method != string(m.MethodSpan.Of(b)) || r.RequestURI != string(m.Target.Of(b)) || r.ProtoMinor != int(m.Minor) {
		t.Fatalf("net/http reads %s %s %s, we %s", r.Method, r.RequestURI, r.Proto, show(m, b))
	}
	if (m.Framing == Chunked) != (r.ContentLength == -1) || m.Framing != Chunked && r.ContentLength != max(m.ContentLength, 0) {
		t.Fatalf("net/http finds length %d, we %s", r.ContentLength, show(m, b))
	}
	if m.Authority.Len == 0 && r.Host != string(m.HostValue(b)) {
		t.Fatalf("net/http finds host %q, we %q", r.Host, m.HostValue(b))
	}
}

func checkResponse(t *testing.T, m *Message, b []byte, req Method, must bool) {
	t.Helper()
	name := map[Method]string{MethodHead: "HEAD", MethodConnect: "CONNECT"}[req]
	r, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(b)), &http.Request{Method: name})
	if err != nil {
		if must && !goIsPickier(err) {
			t.Fatalf("net/http refuses %q: %v", b, err)
		}
		return
	}
	if r.StatusCode != m.Status {
		t.Fatalf("net/http reads status %d, we %d", r.StatusCode, m.Status)
	}
	switch m.Framing {
	case Chunked:
		if len(r.TransferEncoding) != 1 {
			t.Fatalf("net/http finds no chunks in %q", b)
		}
	case Length:
		if r.ContentLength != m.ContentLength {
			t.Fatalf("net/http finds length %d, we %d", r.ContentLength, m.ContentLength)
		}
	case UntilClose:
		if r.ContentLength != -1 || len(r.TransferEncoding) != 0 {
			t.Fatalf("net/http finds length %d in %q", r.ContentLength, b)
		}
	case NoBody:
		if body, err := io.ReadAll(r.Body); len(body) != 0 || err != nil {
			t.Fatalf("net/http finds a body in %q: %q, %v", b, body, err)
		}
	}
}

// goIsPickier tells net/http's refusals that concern neither framing nor lines: it
// parses the target as a URL, and cuts off at limits of its own.
func goIsPickier(err error) bool {
	var u *url.Error
	return errors.As(err, &u)
}

func FuzzChunks(f *testing.F) {
	seeds(f, func(b []byte) { f.Add(b) }, "chunks")
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 2000 {
			return
		}
		c, _ := scanAllWays(t, b)
		var again Chunks
		n, st := again.Scan(b)
		if n > len(b) || st == NeedMore && n != len(b) || st == Bad && c.Reason == NoReason {
			t.Fatalf("%v after %d of %d bytes, %v", st, n, len(b), c.Reason)
		}
		if st != Done {
			return
		}
		var alone Chunks
		if k, st := alone.Scan(b[:n]); k != n || st != Done {
			t.Fatalf("the body alone: %v after %d of %d bytes", st, k, n)
		}
		// net/http reads the same data. It wants no CRLF behind the last chunk.
		data, err := io.ReadAll(httputil.NewChunkedReader(bytes.NewReader(b[:n])))
		if int64(len(data)) != c.Payload || err != nil {
			t.Fatalf("net/http finds %d bytes in %q, we %d: %v", len(data), b[:n], c.Payload, err)
		}
		var cut []byte
		for rest, more := b[:n], true; more; {
			var one []byte
			one, rest, more = CutChunk(rest)
			cut = append(cut, one...)
		}
		if !bytes.Equal(cut, data) {
			t.Fatalf("net/http reads %q in %q, CutChunk %q", data, b[:n], cut)
		}
	})
}
