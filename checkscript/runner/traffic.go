package runner

import (
	"bufio"
	"cmp"
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
	"baton/internal/mono"
)

// traffic sends requests through an own listener.
type traffic struct {
	checkscript.Probe
	dial func(context.Context, string) (net.Conn, error)
	full func(string) bool                       // nil: no frontend ever is
	wait func() (starved time.Duration, ok bool) // see processWait
}

func newTraffic(p checkscript.Probe, o Options) traffic {
	p.Timeout = cmp.Or(p.Timeout, p.Interval)
	return traffic{p, o.Dial, o.Full, processWait}
}

// trafficPatience is how many times its timeout a request may take on a host that has
// no processor left for this process.
const trafficPatience = 8

var (
	errSilent  = errors.New("no answer in time")
	errStarved = errors.New("no answer, and no processor for this process, in many times the timeout")
	errFull    = errors.New("the frontend is full")
)

// canceled is a run that ends with its context.
type canceled context.CancelFunc

func (c canceled) terminate() { c() }
func (c canceled) kill()      { c() }

// start begins a run.
func (t traffic) start(ctx context.Context, done chan<- result) run {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		defer cancel()
		status, err := t.try(ctx)
		if errors.Is(err, errFull) {
			// It filled up before this request was accepted. The next one goes inside.
			status, err = t.try(ctx)
		}
		if err != nil {
			done <- result{false, fmt.Sprintf("frontend %s: %v", t.Frontend, err)}
			return
		}
		done <- result{status < 500, fmt.Sprintf("frontend %s answers %d", t.Frontend, status)}
	}()
	return canceled(cancel)
}

// try sends one request and returns the status.
func (t traffic) try(ctx context.Context) (status int, err error) {
	asked := t.full != nil && t.full(t.Frontend)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() { cancel(t.overdue(ctx, asked)) }()
	status, err = ask(ctx, t.Probe, t.dial)
	if cause := context.Cause(ctx); err != nil && cause != nil {
		err = cause
	}
	return status, err
}

// overdue returns when an answer has taken too long, and why that counts; asked says
// that the frontend was full already. Time in which the host let this process wait for a
// processor says nothing about the balancer: a short timeout can be as long as a busy
// scheduler's turn. Only the second half is looked at, so that a request that is
// answered costs nothing.
func (t traffic) overdue(ctx context.Context, asked bool) error {
	half := t.Timeout / 2
	for range trafficPatience {
		if !pause(ctx, half) {
			return ctx.Err()
		}
		before, known := t.wait()
		began := mono.Now()
		if !pause(ctx, half) {
			return ctx.Err()
		}
		late := mono.Now().Sub(began) - half
		after, _ := t.wait()
		if late < half/2 && (!known || after-before < half/2) {
			if !asked && t.full != nil && t.full(t.Frontend) {
				return errFull
			}
			return errSilent
		}
	}
	return errStarved
}

// pause is false when ctx ends before.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
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
		return 0, errSilent
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
