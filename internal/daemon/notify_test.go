package daemon

import (
	"context"
	"log/slog"
	"net"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"
)

// systemdEnd opens a notification socket as systemd's end and points the
// environment at it.
func systemdEnd(t *testing.T) *net.UnixConn {
	t.Helper()
	path := filepath.Join(t.TempDir(), "notify")
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	t.Setenv("NOTIFY_SOCKET", path)
	return c
}

func receive(t *testing.T, c *net.UnixConn) string {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
	b := make([]byte, 4096)
	n, err := c.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	return string(b[:n])
}

func TestWatchdogStopsPingingWhenAPartHangs(t *testing.T) {
	c := systemdEnd(t)
	t.Setenv("WATCHDOG_USEC", "30000")
	var hangs atomic.Bool
	asked := make(chan struct{}, 1000)
	w := &watchdog{log: slog.New(slog.DiscardHandler), pulses: []pulse{{"part", func(time.Duration) bool {
		if hangs.Load() {
			select {
			case asked <- struct{}{}:
			default:
			}
			return false
		}
		return true
	}}}}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.run(ctx) }()
	if got := receive(t, c); got != "WATCHDOG=1" {
		t.Errorf("received %q", got)
	}
	hangs.Store(true)
	<-asked
	<-asked // a ping that was on its way is sent by now
	for {   // drain it
		_ = c.SetReadDeadline(time.Now())
		if _, err := c.Read(make([]byte, 100)); err != nil {
			break
		}
	}
	for range 3 {
		<-asked
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	_ = c.SetReadDeadline(time.Now())
	if n, err := c.Read(make([]byte, 100)); err == nil {
		t.Errorf("%d bytes came while a part hung", n)
	}
}
