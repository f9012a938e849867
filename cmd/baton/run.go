package main

import (
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"baton/internal/admin"
	"baton/internal/daemon"
)

// socketFlag adds --socket.
func socketFlag(c *cobra.Command) *string {
	return c.Flags().String("socket", admin.DefaultSocket, "unix socket `PATH` where the daemon answers")
}

func runCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "run [-f FILE]...",
		Short: "Run in the foreground until SIGTERM or SIGINT",
		Long: "run reads the configuration, opens the listeners, joins the VRRP elections and serves.\n" +
			"On SIGTERM or SIGINT it stops listening, gives its virtual addresses up, lets the connections that\n" +
			"are open come to their end (30 s at the most; a second signal cuts them) and exits with status 0.\n" +
			"On SIGHUP or SIGUSR2 it reads the configuration again (see `baton reload`). One with errors changes nothing.\n" +
			"SIGUSR1 changes nothing (`baton status` shows the state).",
		Example: "  baton run -f haproxy.cfg -f keepalived.conf",
		Args:    noArgs,
	}
	o := loadFlags(c)
	socket := socketFlag(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		cfg, found := daemon.Load(c.Context(), *o)
		if err := found.Write(c.ErrOrStderr()); err != nil {
			return failure(err)
		}
		if n := found.Errors(); n > 0 {
			return &exitError{text: daemon.Count(n, "error") + " in the configuration; not started", code: 1}
		}
		// Not earlier: whoever loses patience with a name server may end it at once.
		signals := make(chan os.Signal, 2)
		signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
		log := daemon.NewLogger(os.Stderr)
		commands := withstand(log)
		err := daemon.Run(cfg, daemon.RunOptions{
			Version:  buildVersion(),
			Socket:   *socket,
			Signals:  signals,
			Log:      log,
			Commands: commands,
			Files:    *o,
		})
		if err != nil {
			return failure(err)
		}
		return nil
	}
	return c
}

// withstand keeps signals that mean something to HAProxy or keepalived from doing
// harm or nothing at all in silence. They are caught and not ignored, because
// check scripts would inherit that. SIGHUP and SIGUSR2, by which a haproxy in
// master-worker mode reloads, become a command.
func withstand(log *slog.Logger) <-chan daemon.Command {
	// A reader of our output that goes away is no reason to stop serving.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)

	commands := make(chan daemon.Command, 1)
	others := make(chan os.Signal, 1)
	signal.Notify(others, syscall.SIGHUP, syscall.SIGUSR1, syscall.SIGUSR2)
	go func() {
		for sig := range others {
			switch sig {
			case syscall.SIGUSR2, syscall.SIGHUP: // the latter is also what a terminal that closes sends
				select {
				case commands <- daemon.Reload:
				default: // one that has not begun yet will read the newest files
				}
			case syscall.SIGUSR1:
				log.Warn("SIGUSR1 does nothing here; SIGTERM stops after the open connections, `baton status` shows the state")
			}
		}
	}()
	return commands
}
