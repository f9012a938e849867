package daemon

import (
	"context"
	"log/slog"
	"testing"
)

// A check script that takes its time to end must not keep the addresses here.
func TestShutdownDoesNotWaitForScripts(t *testing.T) {
	d := &process{RunOptions: RunOptions{Log: slog.New(slog.DiscardHandler)}}
	resigned := make(chan struct{})
	failed := make(chan error, 2)
	d.tasks.speaker = start(&task{name: "VRRP speaker", run: func(ctx context.Context) error {
		<-ctx.Done()
		close(resigned)
		return nil
	}}, failed)
	d.tasks.probes = start(&task{name: "probes", run: func(ctx context.Context) error {
		<-ctx.Done()
		<-resigned
		return nil
	}}, failed)
	d.shutdown(nil)
	select {
	case <-d.tasks.probes.done:
	default:
		t.Error("scripts are left running")
	}
}
