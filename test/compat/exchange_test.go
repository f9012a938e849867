package compat

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// message is a message as the far end of a proxy reads it: names in lower case, field
// lines in order of their names, the chunks of a body put together.
type message struct {
	Start    string
	Fields   []string
	Body     string
	Trailers []string
	Whole    bool // it ended as its head tells
	Tunnel   bool // Body is what a tunnel carried
}

// String shows a message in a failure.
func (m message) String() string {
	s := fmt.Sprintf("%q %q body %.100q", m.Start, m.Fields, m.Body)
	if len(m.Trailers) > 0 {
		s += fmt.Sprintf(" trailers %q", m.Trailers)
	}
	if !m.Whole {
		s += " CUT"
	}
	return s
}

// errMalformed says that a proxy has sent what is no message at all.
var errMalformed = errors.New("malformed")

// hopByHop are fields of a connection. baton takes them all away (RFC 9110 section
// 7.6.1); haproxy leaves some, and words others differently.
var hopByHop = []string{"connection", "keep-alive", "proxy-connection", "te", "upgrade", "http2-settings", "sec-websocket-accept"}

// readMessage reads a request, or the response to a request with the given method. It
// is as strict as what comes out of a proxy has to be.
func readMessage(r *bufio.Reader, response bool, method string) (m message, err error) {
	if m.Start, err = readLine(r); err != nil {
		return m, err
	}
	fields, err := readFields(r)
	if err != nil {
		return m, err
	}
	length, chunked := -1, false
	for _, f := range fields {
		name, value, _ := strings.Cut(f, ": ")
		switch {
		case name == "content-length":
			if length, err = strconv.Atoi(value); err != nil {
				return m, errMalformed
			}
			f = fmt.Sprint(name, ": ", length) // haproxy leaves leading zeros
		case name == "transfer-encoding":
			chunked = true
		}
		if !slices.Contains(hopByHop, name) {
			m.Fields = append(m.Fields, f)
		}
	}
	status := ""
	if response {
		status = strings.SplitN(m.Start+"   ", " ", 3)[1]
	} else {
		method, _, _ = strings.Cut(m.Start, " ")
	}
	var body []byte
	switch {
	case !response && method == "CONNECT", status == "101", response && method == "CONNECT" && strings.HasPrefix(status, "2"):
		m.Tunnel = true
	case response && (method == "HEAD" || strings.HasPrefix(status, "1") || status == "204" || status == "304"):
	case chunked:
		body, m.Trailers, err = readChunks(r)
	case length >= 0:
		body = make([]byte, min(length, 1<<20))
		var n int
		n, err = io.ReadFull(r, body)
		body = body[:n]
	case response:
		body, err = io.ReadAll(r)
	}
	m.Body, m.Whole = string(body), err == nil
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil
	}
	return m, err
}

func readLine(r *bufio.Reader) (string, error) {
	s, err := r.ReadString('\n')
	if err != nil {
		return "", io.EOF
	}
	s, ok := strings.CutSuffix(s, "\r\n")
	if !ok || strings.Contains(s, "\r") {
		return "", fmt.Errorf("%w line %q", errMalformed, s)
	}
	return s, nil
}

func readFields(r *bufio.Reader) ([]string, error) {
	var fields []string
	for {
		s, err := readLine(r)
		if err != nil || s == "" {
			slices.SortStableFunc(fields, func(a, b string) int {
				a, _, _ = strings.Cut(a, ":")
				b, _, _ = strings.Cut(b, ":")
				return strings.Compare(a, b)
			})
			return fields, err
		}
		name, value, ok := strings.Cut(s, ":")
		if !ok || name == "" || strings.TrimSpace(name) != name {
			return nil, fmt.Errorf("%w field %q", errMalformed, s)
		}
		fields = append(fields, strings.ToLower(name)+": "+strings.TrimSpace(value))
	}
}

func readChunks(r *bufio.Reader) (body []byte, trailers []string, err error) {
	for {
		s, err := readLine(r)
		if err != nil {
			return body, nil, err
		}
		size, _, _ := strings.Cut(s, ";")
		size = strings.TrimRight(size, " \t") // baton relays a server's padding as it came
		n, err := strconv.ParseUint(size, 16, 63)
		if err != nil {
			return body, nil, fmt.Errorf("%w chunk size %q", errMalformed, s)
		}
		if n == 0 {
			if trailers, err = readFields(r); err != nil {
				trailers = nil
			}
			return body, trailers, err
		}
		data := make([]byte, min(n, 1<<20))
		k, err := io.ReadFull(r, data)
		body = append(body, data[:k]...)
		if err != nil {
			return body, nil, err
		}
		if s, err := readLine(r); err != nil || s != "" {
			return body, nil, fmt.Errorf("%w chunk end %q, %w", errMalformed, s, err)
		}
	}
}

// lane is one way through a proxy: a frontend, and the origin behind it that nobody
// else uses. It plays one case at a time.
type lane struct {
	t             testing.TB
	front, origin string
	mark          string // an address of the same proxy whose only use is a log line
	logs          logSocket
	conns         chan *net.TCPConn

	mu     sync.Mutex
	answer string // what the origin says to a request; empty: it is happy with all
	asked  []message
	errs   []error
}

// outcome is what became of a case.
type outcome struct {
	Said     string    // to the client
	Logged   []string  // see masked
	Requests []message // that reached the origin
	Errs     []error   // of the origin: what it got was no HTTP
}

// play sends a client's stream, and its end, and waits until all connections are closed.
func (l *lane) play(stream, answer string) outcome {
	l.asked, l.errs, l.answer = nil, nil, answer
	c, err := net.Dial("tcp", l.front)
	if err != nil {
		l.t.Error(err)
		return outcome{}
	}
	_ = c.SetWriteDeadline(time.Now().Add(patience))
	_, _ = io.WriteString(c, stream) // the proxy may close before all has gone
	said := make(chan string)
	go func() {
		text := l.listen(c.(*net.TCPConn))
		c.Close() // what lingers for a client's sake ends now
		said <- text
	}()
	o := outcome{Said: l.serve(said)}
	o.Requests, o.Errs = l.asked, l.errs
	o.Logged = l.logged()
	return o
}

func (l *lane) fail(err error) {
	l.mu.Lock()
	l.errs = append(l.errs, err)
	l.mu.Unlock()
}

// quiet is how long a proxy that says nothing is taken to wait for more. Too soon an end
// of the stream makes haproxy leave requests behind it; a case that differs is played again.
const quiet = 60 * time.Millisecond

// listen reads all that the client is told, and ends the client's stream when the proxy
// waits for more.
func (l *lane) listen(c *net.TCPConn) string {
	var got []byte
	buf := make([]byte, 16<<10)
	_ = c.SetReadDeadline(time.Now().Add(quiet))
	for ended := false; ; {
		n, err := c.Read(buf)
		got = append(got, buf[:n]...)
		switch {
		case err == nil && !ended:
			_ = c.SetReadDeadline(time.Now().Add(quiet))
		case errors.Is(err, os.ErrDeadlineExceeded) && !ended:
			ended = true
			_ = c.CloseWrite()
			_ = c.SetReadDeadline(time.Now().Add(patience))
		case errors.Is(err, os.ErrDeadlineExceeded):
			l.fail(fmt.Errorf("the client's connection was left open after %q", got))
			return string(got)
		case err != nil:
			return string(got)
		}
	}
}

// serve serves the origin's connections until the client has its answer and every
// connection made before that was served. The queue's end is a connection of our own.
func (l *lane) serve(said <-chan string) string {
	var served sync.WaitGroup
	defer served.Wait()
	for {
		select {
		case c := <-l.conns:
			served.Go(func() { l.connection(c) })
		case text := <-said:
			mark, err := net.Dial("tcp", l.origin)
			if err != nil {
				l.t.Error(err)
				return text
			}
			defer mark.Close()
			for c := range l.conns {
				if c.RemoteAddr().String() == mark.LocalAddr().String() {
					c.Close()
					return text
				}
				served.Go(func() { l.connection(c) })
			}
		}
	}
}

// accept hands the origin's connections to play.
func (l *lane) accept(ln *net.TCPListener) {
	for {
		c, err := ln.AcceptTCP()
		if err != nil {
			return // the test has ended
		}
		l.conns <- c
	}
}

// connection serves one connection of the proxy until it ends.
func (l *lane) connection(c *net.TCPConn) {
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(patience))
	r := bufio.NewReader(c)
	for {
		m, err := readMessage(r, false, "")
		if m.Tunnel {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n")
			b, _ := io.ReadAll(r)
			m.Body = string(b)
		}
		if m.Start != "" || errors.Is(err, errMalformed) {
			l.mu.Lock()
			l.asked = append(l.asked, m)
			l.mu.Unlock()
		}
		switch {
		case errors.Is(err, errMalformed):
			l.fail(err)
			return
		case err != nil || m.Tunnel || !m.Whole:
			return
		case l.answer != "":
			_, _ = io.WriteString(c, l.answer)
			_ = c.CloseWrite()
			_, _ = io.Copy(io.Discard, r)
			return
		}
		reply := "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"
		if !strings.HasPrefix(m.Start, "HEAD ") {
			reply += "ok"
		}
		if _, err := io.WriteString(c, reply); err != nil {
			return
		}
	}
}

// course is haproxy and baton with the same file, and lanes through both.
type course struct{ theirs, ours []*lane }

const courseLanes = 10

// newCourse starts both. bind holds words after the address of every bind line, and
// frontend lines of every frontend.
func newCourse(t *testing.T, bind, frontend string) course {
	var c course
	config := func() (string, []*lane) {
		var b strings.Builder
		b.WriteString("global\n nbthread 1\ndefaults\n mode http\n retries 0\n http-reuse never\n timeout client 5s\n timeout server 5s\n timeout connect 5s\n")
		var lanes []*lane
		for i := range courseLanes {
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { ln.Close() })
			var held [2]net.Listener // until all have theirs: no address comes twice
			for n := range held {
				if held[n], err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
					t.Fatal(err)
				}
				defer held[n].Close()
			}
			l := &lane{t: t, front: held[0].Addr().String(), mark: held[1].Addr().String(), origin: ln.Addr().String(), logs: newLogSocket(t), conns: make(chan *net.TCPConn)}
			go l.accept(ln.(*net.TCPListener))
			lanes = append(lanes, l)
			log := fmt.Sprintf(" log %s format raw local0\n", l.logs.LocalAddr())
			fmt.Fprintf(&b, "frontend f%d\n%s bind %s %s\n option httplog\n%s default_backend b%d\nbackend b%d\n server s %s\n", i, log, l.front, bind, frontend, i, i, l.origin)
			fmt.Fprintf(&b, "frontend m%d\n%s bind %s\n log-format %s\n http-request return status 200\n", i, log, l.mark, markLine)
		}
		return b.String(), lanes
	}
	text, lanes := config()
	runHAProxy(t, text, lanes[len(lanes)-1].front)
	c.theirs = lanes
	text, lanes = config()
	runBaton(t, text)
	c.ours = lanes
	return c
}

// run plays the cases of a run and hands the two outcomes of each to judge.
func (c course) run(t *testing.T, make func(g grammar) (stream, answer string), judge func(number uint64, stream, answer string, theirs, ours outcome, last bool) bool) {
	seed, first, n := campaign(t)
	var all sync.WaitGroup
	for i := range courseLanes {
		all.Go(func() {
			for number := first + uint64(i); number < first+n; number += courseLanes {
				stream, answer := make(grammarOf(seed, number))
				for try := range 3 {
					var ours outcome
					var both sync.WaitGroup
					both.Go(func() { ours = c.ours[i].play(stream, answer) })
					theirs := c.theirs[i].play(stream, answer)
					both.Wait()
					if judge(number, stream, answer, theirs, ours, try == 2) {
						break
					}
				}
			}
		})
	}
	all.Wait()
}
