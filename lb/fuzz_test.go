package lb_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// FuzzStreams sends any bytes, cut anywhere, from a client and from the servers that it
// reaches. Whatever they say, the balancer ends the sessions, counts them out, logs no
// bug, and what it sends to a server begins with a request that another parser reads.
func FuzzStreams(f *testing.F) {
	const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
	for _, s := range smuggled {
		if len(s) < 1000 {
			f.Add([]byte(s), []byte(ok), uint16(7))
		}
	}
	const get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
	for _, s := range []string{
		ok + ok, "HTTP/1.1 100 Continue\r\n\r\n" + ok, "HTTP/1.1 101 Up\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nx",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", "HTTP/1.0 200 OK\r\n\r\nrest", "HTTP/1.1 204 No\r\n\r\n", "junk",
	} {
		f.Add([]byte(get+get), []byte(s), uint16(40))
		f.Add([]byte("GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nabc"), []byte(s), uint16(3))
		f.Add([]byte("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"+get), []byte(s), uint16(60))
		f.Add([]byte("CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\nabc"), []byte(s), uint16(1000))
	}
	r := start(f, `
global
 nbthread 2
defaults
 mode http
 timeout client 20ms
 timeout server 20ms
 timeout connect 1s
frontend fe
 bind {fe}
 option forwardfor
 http-request set-header X-A 1
 http-request deny if { path_beg /deny }
 default_backend be
backend be
 http-response set-header X-B 1
 server s1 {s1}
`)
	var mu sync.Mutex
	var reply []byte
	piece := 1
	complain := make(chan string, 10)
	r.players.Go(func() {
		for {
			c, err := r.origins["s1"].Accept()
			if err != nil {
				return
			}
			mu.Lock()
			say, size := reply, piece
			mu.Unlock()
			r.players.Go(func() {
				defer c.Close()
				_ = c.SetDeadline(time.Now().Add(patience))
				r.players.Go(func() { pour(c, say, size) })
				got, err := io.ReadAll(c)
				if errors.Is(err, os.ErrDeadlineExceeded) {
					complain <- "a connection to a server was left open"
				}
				head, _, whole := bytes.Cut(got, []byte("\r\n\r\n"))
				if !whole {
					return
				}
				if _, err := http.ReadRequest(bufio.NewReader(strings.NewReader(string(head) + "\r\n\r\n"))); err != nil {
					complain <- "a server got " + string(head) + ": " + err.Error()
				}
			})
		}
	})
	f.Fuzz(func(t *testing.T, ask, answer []byte, size uint16) {
		r.t = t
		defer func() { r.t = f }()
		mu.Lock()
		reply, piece = answer, int(size)+1
		mu.Unlock()
		c, err := net.Dial("tcp", r.names["fe"])
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(patience))
		var wg sync.WaitGroup
		wg.Go(func() {
			pour(c.(*net.TCPConn), ask, int(size)+1)
			_ = c.(*net.TCPConn).CloseWrite()
		})
		if _, err := io.Copy(io.Discard, c); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error("the client's connection was left open")
		}
		wg.Wait()
		c.Close()
		r.await("the session's end", func() bool { return r.lb.Status().Connections == 0 })
		r.balanced()
		select {
		case s := <-complain:
			t.Error(s)
		default:
		}
	})
}

// pour writes b in pieces; a write that fails ends it.
func pour(w io.Writer, b []byte, size int) {
	for len(b) > 0 {
		n := min(size, len(b))
		if _, err := w.Write(b[:n]); err != nil {
			return
		}
		b = b[n:]
	}
}
