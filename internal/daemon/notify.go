package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

// notify tells systemd something, where systemd listens (NOTIFY_SOCKET).
func notify(log *slog.Logger, state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		log.Warn("cannot notify systemd", "err", err)
	}
}

// pulse proves that one part of the process is alive: it did a full turn of its
// work within the given time.
type pulse struct {
	name  string
	alive func(within time.Duration) bool
}

// watchdog pings systemd's watchdog as long as every part is alive. A part that
// hangs stops the pings, and systemd restarts the daemon; the addresses are gone
// by then, because a hanging VRRP thread renews no lease.
type watchdog struct {
	log    *slog.Logger
	pulses []pulse
}

func (w *watchdog) run(ctx context.Context) error {
	limit, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		return fmt.Errorf("WATCHDOG_USEC: %w", err)
	}
	if limit <= 0 { // nobody wants pings
		<-ctx.Done()
		return nil
	}
	tick := time.NewTicker(limit / 3)
	defer tick.Stop()
	quiet := false
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		err := w.check(limit / 2)
		if err == nil {
			notify(w.log, daemon.SdNotifyWatchdog)
		} else if !quiet {
			w.log.Error("no watchdog ping", "err", err)
		}
		quiet = err != nil
	}
}

// check names the parts that did not turn within the time.
func (w *watchdog) check(within time.Duration) error {
	var errs []error
	for _, p := range w.pulses {
		if !p.alive(within) {
			errs = append(errs, fmt.Errorf("%s has not turned for %v", p.name, within))
		}
	}
	return errors.Join(errs...)
}
