package lb_test

import (
	"strconv"
	"strings"
	"testing"
)

// What two parsers could read in two ways, and what is no request. Nothing of it may
// reach a server: neither at once nor byte by byte.
var smuggled = []string{
	// Two lengths, or two kinds of length (RFC 9112 section 6.3).
	"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcd",
	"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4, 5\r\n\r\nabcd",
	"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +4\r\n\r\nabcd",
	"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\nabcd",
	"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x4\r\n\r\nabcd",
	"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4 4\r\n\r\nabcd",
	"POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\nabcd",
	"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\nabcd",
	// Transfer codings other than chunked, once.
	"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
	"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
	// Lines that one parser ends, or joins, elsewhere.
	"GET / HTTP/1.1\nHost: a\n\n",
	"GET / HTTP/1.1\r\nHost: a\n\r\n",
	"GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n",
	"GET / HTTP/1.1\r\n Host: a\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: a\r\nX: a\x00b\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: a\r\nX y: z\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: a\r\n: z\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n",
	// Request lines.
	"GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
	"GET / HTTP/1.1 \r\nHost: a\r\n\r\n",
	"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n",
	"GET / HTTP/1.2\r\nHost: a\r\n\r\n",
	"GET / HTTP/2.0\r\n\r\n",
	"GET /\r\n\r\n",
	"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
	"G\x00T / HTTP/1.1\r\nHost: a\r\n\r\n",
	"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
	// Which host?
	"GET / HTTP/1.1\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
	"GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: a, b\r\n\r\n",
	// Chunks that are none.
	"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n+3\r\nabc\r\n0\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\nabc\r\n0\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nabc\r\n",
	"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 5\r\n\r\n",
	// More than a head may have.
	"GET / HTTP/1.1\r\nHost: a\r\n" + strings.Repeat("X: y\r\n", 101) + "\r\n",
	"GET / HTTP/1.1\r\nHost: a\r\nX: " + strings.Repeat("y", 20000) + "\r\n\r\n",
	"GET /" + strings.Repeat("y", 20000) + " HTTP/1.1\r\nHost: a\r\n\r\n",
}

func TestSmuggling(t *testing.T) {
	t.Parallel()
	r := start(t, `
defaults
 mode http
 timeout client 5s
 timeout server 5s
 timeout connect 5s
 option httplog
 log {log}
frontend fe
 bind {fe}
 default_backend be
backend be
 server s1 {s1}
`)
	for _, sample := range smuggled {
		c := r.client("fe")
		// The proxy may close before all has gone: no error that matters here.
		_, _ = c.Write([]byte(sample + "GET /evil HTTP/1.1\r\nHost: a\r\n\r\n"))
		name := strconv.Quote(sample[:min(len(sample), 200)])
		refused(t, name, c)
		if line := r.nextLog(); !strings.Contains(line, "/<NOSRV> ") || !strings.Contains(line, " 400 ") || !strings.Contains(line, " PR-- ") {
			t.Errorf("%s\nlog: %s", name, line)
		}
		if !r.untouched("s1") {
			t.Errorf("%s\nreached a server", name)
		}
	}
}

// The same in pieces: a server may have got the head of a body that turns out bad, but
// never a byte of what follows, and never an end of the body.
func TestSmugglingByteByByte(t *testing.T) {
	t.Parallel()
	r := start(t, `
defaults
 mode http
 timeout client 5s
 timeout server 5s
 timeout connect 5s
frontend fe
 bind {fe}
 default_backend be
backend be
 server s1 {s1}
`)
	for _, sample := range smuggled {
		if len(sample) > 1000 {
			continue
		}
		c := r.client("fe")
		for i := range len(sample) {
			if _, err := c.Write([]byte(sample[i : i+1])); err != nil {
				break
			}
		}
		name := strconv.Quote(sample)
		_, _ = c.Write([]byte("GET /evil HTTP/1.1\r\nHost: a\r\n\r\n"))
		refused(t, name, c)
	}
	// Those whose head was good.
	for o := r.tryAccept("s1"); o != nil; o = r.tryAccept("s1") {
		got, _ := o.rest()
		if strings.Contains(got, "evil") || strings.HasSuffix(got, "0\r\n\r\n") {
			t.Errorf("a server got %q", got)
		}
	}
}

// refused reads a 400 and the end of the connection.
func refused(t *testing.T, name string, c *wire) {
	t.Helper()
	got, err := c.rest()
	if !strings.HasPrefix(got, "HTTP/1.1 400 Bad request\r\n") || !strings.Contains(got, "connection: close\r\n") || strings.Count(got, "HTTP/1.1 ") != 1 || err != nil {
		t.Errorf("%s\ngot %q, %v", name, got, err)
	}
	c.Close()
}
