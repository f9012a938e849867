package lab

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"
)

// The client's two streams of requests.
const (
	streamNew  = "new"  // each request on a connection of its own
	streamKept = "kept" // all on one connection, as long as it lasts

	// clockLine marks a line that says only what time it is (Done): results that
	// do not come are news too.
	clockLine = "clock"
)

const (
	requestEvery   = 10 * time.Millisecond // each stream
	requestTimeout = 2 * time.Second       // more than a lost SYN costs, which the kernel sends again after 1 s
	clockEvery     = 50 * time.Millisecond
)

// Result is what became of one request: one line of JSON between the client's
// process and the demo's.
type Result struct {
	Stream string `json:"stream"`
	Sent   int64  `json:"sent,omitempty"` // Unix time in ns
	Done   int64  `json:"done"`           // answered or given up
	Web    string `json:"web,omitempty"`  // the web server that answered
	Err    string `json:"err,omitempty"`  // why there is no answer, in plain words
}

// Client sends requests to addr until the process is killed, and writes a line
// per request to out. New connections are opened at a steady pace whether or
// not the ones before were answered, as many independent users would.
func Client(addr string, out io.Writer) error {
	results := make(chan Result, 1000)
	tick := time.NewTicker(requestEvery)
	defer tick.Stop()
	clock := time.NewTicker(clockEvery)
	defer clock.Stop()
	go keep(addr, results)
	enc := json.NewEncoder(out)
	for {
		select {
		case <-tick.C:
			go func() {
				r := Result{Stream: streamNew, Sent: time.Now().UnixNano()}
				c, err := connect(addr, time.Now().Add(requestTimeout))
				if err == nil {
					r.Web, err = c.ask("close")
					_ = c.Close()
				}
				results <- r.end(err)
			}()
		case <-clock.C:
			if err := enc.Encode(Result{Stream: clockLine, Done: time.Now().UnixNano()}); err != nil {
				return fmt.Errorf("tell the time: %w", err)
			}
		case r := <-results:
			if err := enc.Encode(r); err != nil {
				return fmt.Errorf("tell results: %w", err)
			}
		}
	}
}

// keep sends one request after the other on one connection. When the server has
// closed it before the answer began, the request is sent once more on a new one:
// that is what HTTP clients do (RFC 9110, 9.2.2), so only what fails then has
// failed.
func keep(addr string, results chan<- Result) {
	var c *connection
	for range time.Tick(requestEvery) {
		r := Result{Stream: streamKept, Sent: time.Now().UnixNano()}
		deadline := time.Now().Add(requestTimeout)
		var err error
		reused := c != nil
		if reused {
			_ = c.SetDeadline(deadline)
			r.Web, err = c.ask("keep-alive")
		}
		if !reused || errors.Is(err, errClosed) {
			if reused {
				_ = c.Close()
			}
			if c, err = connect(addr, deadline); err == nil {
				r.Web, err = c.ask("keep-alive")
			}
		}
		if c != nil && (err != nil || c.last) {
			_ = c.Close()
			c = nil
		}
		results <- r.end(err)
	}
}

func (r Result) end(err error) Result {
	r.Done = time.Now().UnixNano()
	if err != nil {
		r.Err = plain(err)
	}
	return r
}

type connection struct {
	net.Conn
	r    *bufio.Reader
	last bool // the server will close it after the last answer
}

func connect(addr string, deadline time.Time) (*connection, error) {
	d := net.Dialer{Deadline: deadline}
	c, err := d.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	_ = c.SetDeadline(deadline)
	return &connection{Conn: c, r: bufio.NewReader(c)}, nil
}

// errClosed: the connection ended before the first byte of an answer.
var errClosed = errors.New("connection closed")

// ask sends a request and returns the name of the web server that answered.
func (c *connection) ask(connection string) (web string, err error) {
	if _, err := fmt.Fprintf(c, "GET / HTTP/1.1\r\nHost: www.example.com\r\nConnection: %s\r\n\r\n", connection); err != nil {
		return "", closedOr(err)
	}
	if _, err := c.r.Peek(1); err != nil {
		return "", closedOr(err)
	}
	resp, err := http.ReadResponse(c.r, nil)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1000))
	if err != nil {
		return "", err
	}
	if resp.StatusCode != http.StatusOK {
		return "", errors.New("answer " + resp.Status)
	}
	c.last = resp.Close
	return strings.TrimSpace(string(body)), nil
}

func closedOr(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) {
		return errClosed
	}
	return err
}

// plain says what happened without Go's and the socket's details.
func plain(err error) string {
	var timeout net.Error
	switch {
	case errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Sprintf("no answer within %v", requestTimeout)
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(err, syscall.EHOSTUNREACH):
		return "no host has the address"
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "the answer was cut"
	}
	return err.Error()
}
