package main

import (
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
			"are open come to their end (30 s at the most; a second signal cuts them) and exits with status 0.",
		Example: "  baton run -f haproxy.cfg -f keepalived.conf",
		Args:    noArgs,
	}
	o := loadFlags(c)
	socket := socketFlag(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		signals := make(chan os.Signal, 2)
		signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
		// SIGHUP comes when a terminal closes. Reloading is not built yet: going on is the safe answer.
		signal.Ignore(syscall.SIGHUP)

		cfg, found := daemon.Load(c.Context(), *o)
		if err := found.Write(c.ErrOrStderr()); err != nil {
			return failure(err)
		}
		if n := found.Errors(); n > 0 {
			return &exitError{text: daemon.Count(n, "error") + " in the configuration; not started", code: 1}
		}
		err := daemon.Run(cfg, daemon.RunOptions{
			Version: buildVersion(),
			Socket:  *socket,
			Signals: signals,
			Log:     daemon.NewLogger(os.Stderr),
		})
		if err != nil {
			return failure(err)
		}
		return nil
	}
	return c
}
