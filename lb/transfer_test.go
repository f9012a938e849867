package lb_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
)

const plainHTTP = `
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
`

// noise returns n bytes that differ from place to place.
func noise(n int) []byte {
	b := make([]byte, n)
	rng := rand.NewChaCha8([32]byte{7})
	_, _ = rng.Read(b)
	return b
}

// chunked frames a body in chunks of uneven size.
func chunked(body []byte) []byte {
	var b bytes.Buffer
	for size := 1; len(body) > 0; size = size*3%70001 + 1 {
		n := min(size, len(body))
		fmt.Fprintf(&b, "%x\r\n%s\r\n", n, body[:n])
		body = body[n:]
	}
	b.WriteString("0\r\n\r\n")
	return b.Bytes()
}

// Large bodies in both directions at once, far more than the sockets hold, with the
// same connections used again after.
func TestLargeBodies(t *testing.T) {
	t.Parallel()
	body := noise(5 << 20)
	framings := []struct {
		name, field string
		wire        []byte
	}{
		{"length", fmt.Sprintf("content-length: %d\r\n", len(body)), body},
		{"chunked", "transfer-encoding: chunked\r\n", chunked(body)},
	}
	for _, f := range framings {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			r := start(t, plainHTTP)
			c := r.client("fe")
			var o *wire
			for round := range 2 {
				go func() {
					_, _ = io.WriteString(c, "POST / HTTP/1.1\r\nhost: a\r\n"+f.field+"\r\n")
					_, _ = c.Write(f.wire)
				}()
				if o == nil {
					o = r.accept("s1")
				}
				o.head()
				go func() {
					_, _ = io.WriteString(o, "HTTP/1.1 200 OK\r\n"+f.field+"\r\n")
					_, _ = o.Write(f.wire)
				}()
				errs := make(chan error, 1)
				go func() { errs <- same(o.in, f.wire) }()
				c.head()
				if err := same(c.in, f.wire); err != nil {
					t.Fatalf("round %d: response: %v", round, err)
				}
				if err := <-errs; err != nil {
					t.Fatalf("round %d: request: %v", round, err)
				}
				if line := r.nextLog(); !strings.Contains(line, " 200 ") || !strings.Contains(line, " ---- ") {
					t.Errorf("log: %s", line)
				}
			}
		})
	}
}

// same reads as many bytes as want has and compares.
func same(in io.Reader, want []byte) error {
	got := make([]byte, len(want))
	if n, err := io.ReadFull(in, got); err != nil {
		return fmt.Errorf("%d of %d bytes: %w", n, len(want), err)
	}
	if sha256.Sum256(got) != sha256.Sum256(want) {
		return fmt.Errorf("the %d bytes are others", len(want))
	}
	return nil
}

// A large stream through mode tcp goes through the kernel's pipes; so does the large
// body of a response that ends with its connection.
func TestLargeStreams(t *testing.T) {
	t.Parallel()
	data := noise(16 << 20)
	tests := []struct{ name, mode, ask, answer string }{
		{"tcp", "tcp", "", ""},
		{"until close", "http", "GET / HTTP/1.1\r\nhost: a\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n"},
		{"upgrade", "http", "GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n", "HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := start(t, strings.Replace(plainHTTP, "mode http\n", "mode "+tt.mode+"\n", 1))
			c := r.client("fe")
			c.send(tt.ask)
			o := r.accept("s1")
			if tt.ask != "" {
				o.head()
			}
			o.send(tt.answer)
			if tt.answer != "" {
				c.head()
			}
			both := tt.name != "until close"
			errs := make(chan error, 1)
			go func() {
				_, _ = o.Write(data)
				_ = o.CloseWrite()
			}()
			if both {
				go func() {
					_, _ = c.Write(data)
					_ = c.CloseWrite()
				}()
				go func() { errs <- same(o.in, data) }()
			}
			if err := same(c.in, data); err != nil {
				t.Error(err)
			}
			c.ends()
			if both {
				if err := <-errs; err != nil {
					t.Error(err)
				}
				o.ends()
			}
			r.nextLog()
		})
	}
}

// A client that reads nothing stops the server by way of the sockets' buffers, not
// the proxy: that one holds a buffer or a pipe, and goes on when the client does.
func TestSlowReader(t *testing.T) {
	t.Parallel()
	r := start(t, plainHTTP)
	c := r.client("fe")
	c.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n")
	o := r.accept("s1")
	o.head()
	body := noise(16 << 20)
	o.send(fmt.Sprintf("HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n", len(body)))
	go func() { _, _ = o.Write(body) }()
	c.head()
	one := make([]byte, 1)
	for i := range 2000 { // byte by byte first
		if _, err := io.ReadFull(c.in, one); err != nil || one[0] != body[i] {
			t.Fatalf("byte %d: %v", i, err)
		}
	}
	if err := same(c.in, body[2000:]); err != nil {
		t.Fatal(err)
	}
}

// Heads and bodies that come byte by byte, on both sides.
func TestByteByByte(t *testing.T) {
	t.Parallel()
	r := start(t, plainHTTP)
	c := r.client("fe")
	var o *wire
	for range 2 {
		trickle(c, "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\nT: 1\r\n\r\n")
		if o == nil {
			o = r.accept("s1")
		}
		if got := o.message(); !strings.HasSuffix(got, "\r\n\r\n4\r\nabcd\r\n0\r\nT: 1\r\n\r\n") {
			t.Fatalf("the server got %q", got)
		}
		trickle(o, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nxyz")
		if got := c.head(); got != "HTTP/1.1 100 Continue\r\n\r\n" {
			t.Fatalf("got %q", got)
		}
		if got := c.message(); got != "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nxyz" {
			t.Fatalf("got %q", got)
		}
	}
}

// trickle writes single bytes; each write is a segment of its own (TCP_NODELAY).
func trickle(w *wire, s string) {
	for i := range len(s) {
		w.send(s[i : i+1])
	}
}

// A rule that adds a header and a condition after it, which looks at the result, must
// find room also when the client has sent as much as a buffer takes.
func TestRulesWithAFullBuffer(t *testing.T) {
	t.Parallel()
	r := start(t, strings.Replace(plainHTTP, " default_backend be\n", ` default_backend be
 http-request set-header X-One 1
 http-request set-header X-Two 2 if { hdr(x-one) 1 }
 http-request deny if !{ hdr(x-two) 2 }
`, 1))
	c := r.client("fe")
	body := noise(100_000)
	var o *wire
	for range 2 {
		c.send(fmt.Sprintf("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: %d\r\n\r\n%s", len(body), body))
		if o == nil {
			o = r.accept("s1")
		}
		if head := o.head(); !strings.Contains(head, "x-two: 2\r\n") {
			t.Errorf("the server got %q", head)
		}
		if err := same(o.in, body); err != nil {
			t.Fatal(err)
		}
		o.send("HTTP/1.1 204 No Content\r\n\r\n")
		c.head()
	}
}

// Bytes behind a response, exactly where the proxy's read ended, must not become the
// answer to the next request, of this client or another.
func TestBytesBehindAResponse(t *testing.T) {
	t.Parallel()
	r := start(t, plainHTTP)
	c := r.client("fe")
	c.send("GET /1 HTTP/1.1\r\nhost: a\r\n\r\n")
	o := r.accept("s1")
	o.head()
	body := noise(40_000)
	// One write: the evil bytes are there before the body has been read.
	o.send(fmt.Sprintf("HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%sHTTP/1.1 200 Evil\r\ncontent-length: 0\r\n\r\n", len(body), body))
	c.head()
	if err := same(c.in, body); err != nil {
		t.Fatal(err)
	}
	c.send("GET /2 HTTP/1.1\r\nhost: a\r\n\r\n")
	o = r.accept("s1")
	if got := o.head(); !strings.HasPrefix(got, "GET /2 ") {
		t.Errorf("the server got %q", got)
	}
	o.send("HTTP/1.1 200 Good\r\ncontent-length: 0\r\n\r\n")
	if got := c.head(); !strings.HasPrefix(got, "HTTP/1.1 200 Good\r\n") {
		t.Errorf("got %q", got)
	}
}

// A response head that is too large, in size or in lines, is refused.
func TestResponseHeadFlood(t *testing.T) {
	t.Parallel()
	r := start(t, plainHTTP)
	c := r.client("fe")
	for _, flood := range []string{strings.Repeat("x: y\r\n", 200), "x: " + strings.Repeat("y", 1<<20)} {
		c.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n")
		o := r.accept("s1")
		o.head()
		_, _ = io.WriteString(o, "HTTP/1.1 200 OK\r\n"+flood)
		if got := c.message(); !strings.HasPrefix(got, "HTTP/1.1 502 ") {
			t.Errorf("got %q", got)
		}
		if line := r.nextLog(); !strings.Contains(line, " 502 ") || !strings.Contains(line, " PH-- ") {
			t.Errorf("log: %s", line)
		}
	}
}

// A server that sends interim responses without end is relayed, and the loop serves
// others meanwhile: a client that reads them, one that does not, and one of HTTP/1.0,
// which gets none.
func TestInterimFlood(t *testing.T) {
	t.Parallel()
	r := start(t, "global\n nbthread 1\n"+plainHTTP)
	interims := strings.Repeat("HTTP/1.1 102 Processing\r\n\r\n", 1000)
	stop := make(chan struct{})
	var ended []chan struct{}
	for i, version := range []string{"1.1", "1.1", "1.0"} {
		c := r.client("fe")
		c.send("GET / HTTP/" + version + "\r\nhost: a\r\n\r\n")
		o := r.accept("s1")
		o.head()
		done := make(chan struct{})
		ended = append(ended, done)
		go func() {
			defer close(done)
			for {
				select {
				case <-stop:
					return
				default:
					if _, err := io.WriteString(o, interims); err != nil {
						return
					}
				}
			}
		}()
		if i == 0 {
			go func() { _, _ = io.Copy(io.Discard, c.in) }()
		}
	}
	other := r.client("fe")
	for range 20 {
		other.send("GET /other HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
		o := r.accept("s1")
		o.head()
		o.send("HTTP/1.1 204 No Content\r\n\r\n")
		other.head()
		other.ends()
		other = r.client("fe")
	}
	close(stop)
	for _, c := range r.conns {
		c.Close()
	}
	for _, done := range ended {
		<-done
	}
}

// A body that its server does not take must not be read as the client's next request,
// whatever the server answers.
func TestUnreadBodyIsNoRequest(t *testing.T) {
	t.Parallel()
	r := start(t, plainHTTP)
	evil := strings.Repeat("GET /evil HTTP/1.1\r\nHost: a\r\n\r\n", 200_000)
	for _, answer := range []string{
		"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
		"HTTP/1.1 413 No\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok",
	} {
		c := r.client("fe")
		sent := make(chan struct{})
		go func() {
			defer close(sent)
			_, _ = io.WriteString(c, fmt.Sprintf("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s", len(evil), evil))
		}()
		o := r.accept("s1")
		o.head()
		o.send(answer)
		o.Close() // with bytes unread: the proxy's next write fails
		got, _ := c.rest()
		c.Close()
		<-sent
		if strings.Count(got, "HTTP/1.1 ") > 1 {
			t.Errorf("more than one answer: %q", got)
		}
		if line := r.nextLog(); !strings.Contains(line, "POST / HTTP/1.1") {
			t.Errorf("log: %s", line)
		}
		if !r.untouched("s1") {
			t.Error("a part of a body reached a server as a request")
		}
	}
}
