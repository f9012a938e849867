package lb_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// stream is a connection of TCP or of a unix socket.
type stream interface {
	net.Conn
	CloseWrite() error
}

// origin is where a server that a test plays listens.
type origin interface {
	net.Listener
	SetDeadline(time.Time) error
	SyscallConn() (syscall.RawConn, error)
}

// wire is one end of a connection that a test plays byte by byte.
type wire struct {
	stream
	t  testing.TB
	in *bufio.Reader
}

func newWire(t testing.TB, c stream) *wire {
	_ = c.SetDeadline(time.Now().Add(patience))
	return &wire{c, t, bufio.NewReaderSize(c, 64<<10)}
}

// client connects to a listener of the rig.
func (r *rig) client(fe string) *wire { return r.clientFrom(fe, "127.0.0.1") }

// clientFrom connects from one of the addresses of loopback.
func (r *rig) clientFrom(fe, ip string) *wire {
	r.t.Helper()
	c, err := r.dial(fe, ip)
	if err != nil {
		r.t.Fatal(err)
	}
	w := newWire(r.t, c)
	r.conns = append(r.conns, w)
	return w
}

func (r *rig) dial(fe, ip string) (*net.TCPConn, error) {
	r.t.Helper()
	to, err := net.ResolveTCPAddr("tcp", r.names[fe])
	if err != nil || r.names[fe] == "" {
		r.t.Fatalf("no listener %q: %v", fe, err)
	}
	return net.DialTCP("tcp", &net.TCPAddr{IP: net.ParseIP(ip)}, to)
}

// resetFrom connects a client that is reset at once, on a busy host before it knows that it is
// connected.
func (r *rig) resetFrom(fe, ip string) {
	r.t.Helper()
	c, err := r.dial(fe, ip)
	if err == nil {
		defer c.Close()
		_ = c.SetReadDeadline(time.Now().Add(patience))
		_, err = c.Read(make([]byte, 1))
	}
	if !errors.Is(err, syscall.ECONNRESET) {
		r.t.Fatalf("not reset but %v", err)
	}
}

// accept takes the next connection of an origin.
func (r *rig) accept(origin string) *wire {
	r.t.Helper()
	ln := r.origins[origin]
	_ = ln.SetDeadline(time.Now().Add(patience))
	c, err := ln.Accept()
	if err != nil {
		r.t.Fatalf("origin %s: %v", origin, err)
	}
	w := newWire(r.t, c.(stream))
	r.conns = append(r.conns, w)
	return w
}

// untouched checks that nobody has connected to an origin since its last accept.
// What the balancer has done before its log line came is seen: connections on
// loopback stand at once.
func (r *rig) untouched(origin string) bool {
	c := r.tryAccept(origin)
	if c != nil {
		c.Close()
	}
	return c == nil
}

// tryAccept takes a connection of an origin if one is there.
func (r *rig) tryAccept(origin string) *wire {
	r.t.Helper()
	raw, err := r.origins[origin].SyscallConn()
	if err != nil {
		r.t.Fatal(err)
	}
	var fd int
	_ = raw.Control(func(ln uintptr) { fd, _, err = syscall.Accept4(int(ln), syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC) })
	if errors.Is(err, syscall.EAGAIN) {
		return nil
	}
	if err != nil {
		r.t.Fatal(err)
	}
	f := os.NewFile(uintptr(fd), "socket")
	defer f.Close()
	c, err := net.FileConn(f)
	if err != nil {
		r.t.Fatal(err)
	}
	w := newWire(r.t, c.(stream))
	r.conns = append(r.conns, w)
	return w
}

func (w *wire) send(s string) {
	w.t.Helper()
	if _, err := io.WriteString(w, s); err != nil {
		w.t.Fatalf("send: %v", err)
	}
}

// head reads up to the end of a message head.
func (w *wire) head() string {
	w.t.Helper()
	var b strings.Builder
	for {
		line, err := w.in.ReadString('\n')
		b.WriteString(line)
		if err != nil {
			w.t.Fatalf("reading a head: %v after %q", err, b.String())
		}
		if line == "\r\n" {
			return b.String()
		}
	}
}

// message reads a head and the body that it announces.
func (w *wire) message() string {
	w.t.Helper()
	head := w.head()
	low := strings.ToLower(head)
	switch {
	case strings.Contains(low, "transfer-encoding: chunked"):
		return head + w.chunks()
	case strings.Contains(low, "content-length: "):
		_, rest, _ := strings.Cut(low, "content-length: ")
		value, _, _ := strings.Cut(rest, "\r\n")
		n, err := strconv.Atoi(value)
		if err != nil {
			w.t.Fatal(err)
		}
		return head + w.bytes(n)
	}
	return head
}

func (w *wire) chunks() string {
	w.t.Helper()
	var b strings.Builder
	for {
		line, err := w.in.ReadString('\n')
		b.WriteString(line)
		if err != nil {
			w.t.Fatalf("reading chunks: %v after %q", err, b.String())
		}
		n, err := strconv.ParseUint(strings.TrimSpace(line), 16, 31)
		if err != nil {
			w.t.Fatalf("bad chunk %q", line)
		}
		if n == 0 {
			break
		}
		b.WriteString(w.bytes(int(n) + 2))
	}
	for { // trailers
		line, err := w.in.ReadString('\n')
		b.WriteString(line)
		if err != nil || line == "\r\n" {
			return b.String()
		}
	}
}

func (w *wire) bytes(n int) string {
	w.t.Helper()
	b := make([]byte, n)
	if got, err := io.ReadFull(w.in, b); err != nil {
		w.t.Fatalf("reading %d bytes: %v after %q", n, err, b[:got])
	}
	return string(b)
}

// rest reads to the end of the stream.
func (w *wire) rest() (string, error) {
	var b bytes.Buffer
	_, err := io.Copy(&b, w.in)
	return b.String(), err
}

// ends checks that the peer closes without another byte.
func (w *wire) ends() {
	w.t.Helper()
	if got, err := w.rest(); got != "" || err != nil {
		w.t.Errorf("wanted the end of the stream, got %q, %v", got, err)
	}
}

// isReset checks that the peer sends RST and nothing before it: how a server connection ends that has no
// more to carry.
func (w *wire) isReset() {
	w.t.Helper()
	if got, err := w.rest(); got != "" || !errors.Is(err, syscall.ECONNRESET) {
		w.t.Errorf("wanted a reset, got %q, %v", got, err)
	}
}

// reset closes with RST, where there is such a thing.
func (w *wire) reset() {
	if c, ok := w.stream.(*net.TCPConn); ok {
		_ = c.SetLinger(0)
	}
	w.Close()
}
