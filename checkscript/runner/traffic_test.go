package runner

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"baton/checkscript"
)

// answerWhen answers 200 when ready is closed.
func answerWhen(ready <-chan struct{}) func(context.Context, string) (net.Conn, error) {
	return func(context.Context, string) (net.Conn, error) {
		client, server := net.Pipe()
		go func() {
			defer server.Close()
			if _, err := bufio.NewReader(server).ReadString('\n'); err != nil {
				return
			}
			go func() { _, _ = io.Copy(io.Discard, server) }()
			<-ready
			_, _ = io.WriteString(server, "HTTP/1.1 200 OK\r\n\r\n")
		}()
		return client, nil
	}
}

// A request that is not answered in time is a failure, unless this process had no
// processor meanwhile; and that is waited out for so long only.
func TestTrafficOnABusyHost(t *testing.T) {
	p := checkscript.Probe{Frontend: "web", Timeout: 4 * time.Millisecond}
	never, now := make(chan struct{}), make(chan struct{})
	defer close(never)
	close(now)

	idle := func() (time.Duration, bool) { return time.Hour, true }
	if _, err := (traffic{Probe: p, dial: answerWhen(never), wait: idle}).try(t.Context()); !errors.Is(err, errSilent) {
		t.Errorf("silence: %v", err)
	}
	unknown := func() (time.Duration, bool) { return 0, false }
	if _, err := (traffic{Probe: p, dial: answerWhen(never), wait: unknown}).try(t.Context()); !errors.Is(err, errSilent) {
		t.Errorf("silence, and nothing is known of the host: %v", err)
	}

	late := make(chan struct{})
	busy := func(tell chan struct{}) func() (time.Duration, bool) {
		looks, waited := 0, time.Duration(0)
		return func() (time.Duration, bool) {
			if looks++; looks == 6 { // in the third timeout
				close(tell)
			}
			waited += p.Timeout
			return waited, true
		}
	}
	if status, err := (traffic{Probe: p, dial: answerWhen(late), wait: busy(late)}).try(t.Context()); status != 200 {
		t.Errorf("a late answer on a busy host: %d, %v", status, err)
	}
	if _, err := (traffic{Probe: p, dial: answerWhen(never), wait: busy(make(chan struct{}))}).try(t.Context()); !errors.Is(err, errStarved) {
		t.Errorf("silence on a busy host: %v", err)
	}
}

// A frontend that fills up before the request is accepted is asked once more.
func TestTrafficThroughAFullFrontend(t *testing.T) {
	never, now := make(chan struct{}), make(chan struct{})
	defer close(never)
	close(now)
	for _, c := range []struct {
		name          string
		first, second <-chan struct{}
		want          bool
	}{
		{"it was full only", never, now, true},
		{"it is wedged as well", never, never, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			var dials atomic.Int32
			tr := traffic{
				Probe: checkscript.Probe{Frontend: "web", Timeout: 4 * time.Millisecond},
				full:  func(string) bool { return dials.Load() > 0 },
				wait:  func() (time.Duration, bool) { return 0, true },
				dial: func(ctx context.Context, fe string) (net.Conn, error) {
					if dials.Add(1) == 1 {
						return answerWhen(c.first)(ctx, fe)
					}
					return answerWhen(c.second)(ctx, fe)
				},
			}
			done := make(chan result, 1)
			tr.start(t.Context(), done)
			if res := <-done; res.ok != c.want || dials.Load() != 2 {
				t.Errorf("%+v after %d requests", res, dials.Load())
			}
		})
	}
}

func TestParseSchedstat(t *testing.T) {
	for text, want := range map[string]time.Duration{"51028 2000 17\n": 2000, "": -1, "1 2": -1, "1 x 3": -1} {
		if got, ok := parseSchedstat(text); ok != (want >= 0) || ok && got != want {
			t.Errorf("%q: %v, %v", text, got, ok)
		}
	}
	if _, ok := processWait(); !ok {
		t.Log("this kernel does not say how long threads wait")
	}
}

func FuzzParseSchedstat(f *testing.F) {
	f.Add("51028 2000 17\n")
	f.Add("1 -2 3")
	f.Fuzz(func(t *testing.T, text string) {
		if wait, ok := parseSchedstat(text); ok && wait < 0 {
			t.Errorf("%q: %v", text, wait)
		}
	})
}
