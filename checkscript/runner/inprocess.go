package runner

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"baton/checkscript"
)

// finished is a run that is over already.
type finished struct{}

func (finished) terminate() {}
func (finished) kill()      {}

// startSelf answers for the balancer in this process.
func startSelf(serving func() bool) func(context.Context, chan<- result) run {
	return func(_ context.Context, done chan<- result) run {
		if serving != nil && serving() {
			done <- result{true, "the balancer is serving"}
		} else {
			done <- result{false, "the balancer is not serving"}
		}
		return finished{}
	}
}

// canceled is a run that ends with its context.
type canceled context.CancelFunc

func (c canceled) terminate() { c() }
func (c canceled) kill()      { c() }

// startTraffic sends a request through an own listener.
func startTraffic(p checkscript.Probe, dial func(context.Context, string) (net.Conn, error)) func(context.Context, chan<- result) run {
	return func(ctx context.Context, done chan<- result) run {
		ctx, cancel := context.WithCancel(ctx)
		go func() {
			defer cancel()
			status, err := ask(ctx, p, dial)
			switch {
			case err != nil:
				done <- result{false, fmt.Sprintf("frontend %s: %v", p.Frontend, err)}
			default:
				done <- result{status < 500, fmt.Sprintf("frontend %s answers %d", p.Frontend, status)}
			}
		}()
		return canceled(cancel)
	}
}

// What is read of an answer at the most: its status line is all we want.
const (
	maxHead = 4096
	maxRest = 64 << 10
	hearOut = 100 * time.Millisecond
)

// ask sends one GET and returns the status. Any answer proves that listener,
// event loop and session work; what it says is judged by the caller.
func ask(ctx context.Context, p checkscript.Probe, dial func(context.Context, string) (net.Conn, error)) (status int, err error) {
	conn, err := dial(ctx, p.Frontend)
	if err != nil {
		return 0, bare(err)
	}
	// A deadline in the past wakes a blocked Read or Write: the context rules both.
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer func() {
		stop()
		_ = conn.Close() // nothing was promised about the rest of the answer
	}()
	uri := p.URI
	if uri == "" {
		uri = "/"
	}
	if _, err := fmt.Fprintf(conn, "GET %s HTTP/1.0\r\nHost: localhost\r\nUser-Agent: baton-track-traffic\r\nConnection: close\r\n\r\n", uri); err != nil {
		return 0, fmt.Errorf("send request: %w", bare(err))
	}
	limit := &io.LimitedReader{R: conn, N: maxHead}
	answer := bufio.NewReader(limit)
	line, err := answer.ReadString('\n')
	switch {
	case errors.Is(err, io.EOF) && line == "":
		return 0, errors.New("connection closed without an answer")
	case errors.Is(err, io.EOF):
		return 0, fmt.Errorf("incomplete status line %q", line)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return 0, errors.New("no answer in time")
	case err != nil:
		return 0, fmt.Errorf("read answer: %w", bare(err))
	}
	proto, rest, _ := strings.Cut(strings.TrimRight(line, "\r\n"), " ")
	code, _, _ := strings.Cut(rest, " ")
	status, err = strconv.Atoi(code)
	if err != nil || !strings.HasPrefix(proto, "HTTP/1.") || len(code) != 3 {
		return 0, fmt.Errorf("not an HTTP answer: %q", line)
	}
	// The verdict stands. Hearing the rest out, if it is short, keeps a balancer from
	// logging an aborted request each time.
	limit.N = maxRest
	_ = conn.SetReadDeadline(time.Now().Add(min(hearOut, p.Timeout/4)))
	_, _ = io.Copy(io.Discard, answer)
	return status, nil
}

// bare takes operation and addresses out of a net error: both ends are ours.
func bare(err error) error {
	if op := (*net.OpError)(nil); errors.As(err, &op) {
		return op.Err
	}
	return err
}
