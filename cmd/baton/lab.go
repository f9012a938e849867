package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"baton/internal/lab"
)

func labCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "lab",
		Short: "A pair to play with, in network namespaces of this host",
		Long: "lab makes two nodes (lb1, lb2), three web servers (web1 to web3), a name server (dns) and a client, each in a\n" +
			"network namespace of its own on one bridge: nothing of the host's own network is touched. The nodes are two\n" +
			"real baton processes with an ordinary haproxy.cfg and keepalived.conf; they share 192.0.2.100.\n" +
			"The nodes find the web servers by DNS: `baton lab dns web1.lab web3` moves a server while they run.\n" +
			"`demo` tells a story in half a minute and takes everything away; `up` leaves the pair running.\n" +
			"It needs root and the program ip (package iproute2).",
		Example: "  sudo baton lab demo\n  sudo baton lab up",
		Args:    labVerb,
		RunE:    func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.SuggestionsMinimumDistance = 2
	name := c.PersistentFlags().String("name", lab.DefaultName, "the lab's name: its namespaces are NAME-lb1 and so on, its files are in /run/NAME-lab")
	c.AddCommand(
		labDemo(name), labUp(name), labStatus(name), labExec(name), labKill(name), labStart(name), labDNS(name), labDown(name),
		labWeb(), labNameServer(), labClient(),
	)
	return c
}

// labVerb refuses a word that is none of lab's verbs, as cobra does at the root.
func labVerb(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	text := fmt.Sprintf("unknown command %q for %q", args[0], c.CommandPath())
	if near := c.SuggestionsFor(args[0]); len(near) > 0 {
		text += "\ndid you mean " + strings.Join(near, " or ") + "?"
	}
	return usage(c, errors.New(text))
}

// stopped carries the signal that ended a context.
type stopped struct{ sig syscall.Signal }

func (s *stopped) Error() string { return s.sig.String() }

// untilSignal returns a context that the user can end. SIGPIPE is among the
// signals: when nobody reads the output any more, there is a lab to take away.
func untilSignal(parent context.Context) context.Context {
	ctx, cancel := context.WithCancelCause(parent)
	ch := make(chan os.Signal, 1)
	signal.Notify(ch, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
	go func() {
		for sig := range ch { // all of them, for the first one is enough and the others must not kill
			if s, ok := sig.(syscall.Signal); ok {
				cancel(&stopped{s})
			}
		}
	}()
	return ctx
}

// ended is the exit status of a lab command: 128 and the number of the signal
// when one has ended it, as shells have it.
func ended(ctx context.Context, err error) error {
	var s *stopped
	switch {
	case err == nil:
		return nil
	case errors.As(context.Cause(ctx), &s):
		text := "interrupted; the lab is gone"
		if !lab.Interrupted(err) && s.sig != syscall.SIGPIPE {
			text = err.Error()
		}
		return &exitError{text: text, code: 128 + int(s.sig)}
	}
	return failure(err)
}

func labDemo(name *string) *cobra.Command {
	return &cobra.Command{
		Use:   "demo",
		Short: "Kill the active node and watch the address move, in half a minute",
		Long: "demo builds the lab, sends requests through the virtual IP all the time, kills the active node with\n" +
			"SIGKILL, brings it back, kills a web server and brings it back, and stops the active node in order.\n" +
			"It prints what happens as it happens, then who held the address when and what the client saw, and\n" +
			"takes everything away, also when it is interrupted. The exit status is not 0 when the address did\n" +
			"not move.",
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			ctx := untilSignal(c.Context())
			l, err := lab.Open(*name)
			if err == nil {
				err = l.Demo(ctx, os.Stdout)
			}
			return ended(ctx, err)
		},
	}
}

func labUp(name *string) *cobra.Command {
	return &cobra.Command{
		Use:   "up",
		Short: "Make the lab and leave it running",
		Args:  noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			ctx := untilSignal(c.Context())
			l, err := lab.Open(*name)
			if err == nil {
				err = l.Up(ctx, c.OutOrStdout())
			}
			return ended(ctx, err)
		},
	}
}

func labStatus(name *string) *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Show both nodes and the web servers",
		Args:  noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			l, err := lab.Open(*name)
			if err == nil {
				err = l.Status(c.Context(), c.OutOrStdout())
			}
			return ended(c.Context(), err)
		},
	}
}

func labExec(name *string) *cobra.Command {
	return &cobra.Command{
		Use:     "exec HOST -- COMMAND...",
		Short:   "Run a command on a host of the lab",
		Example: "  sudo baton lab exec client -- curl -s http://192.0.2.100/\n  sudo baton lab exec lb1 -- bash",
		Args:    atLeast(2, "a host and a command"),
		RunE: func(c *cobra.Command, args []string) error {
			l, err := lab.Open(*name)
			if err == nil {
				err = l.Exec(args[0], args[1:])
			}
			return ended(c.Context(), err)
		},
	}
}

func labKill(name *string) *cobra.Command {
	c := &cobra.Command{
		Use:     "kill HOST",
		Short:   "Send a signal to baton, or to the server, of a host",
		Example: "  sudo baton lab kill lb1\n  sudo baton lab kill lb1 --signal TERM",
		Args:    atLeast(1, "a host"),
	}
	sig := c.Flags().String("signal", "KILL", "signal, by name or number: KILL, TERM, STOP, CONT, ...")
	c.RunE = func(c *cobra.Command, args []string) error {
		number, err := parseSignal(*sig)
		if err != nil {
			return usage(c, err)
		}
		l, err := lab.Open(*name)
		if err != nil {
			return failure(err)
		}
		for _, h := range args {
			if err := l.Kill(h, number, c.OutOrStdout()); err != nil {
				return failure(err)
			}
		}
		return nil
	}
	return c
}

func labStart(name *string) *cobra.Command {
	return &cobra.Command{
		Use:   "start HOST",
		Short: "Start baton, or the server, of a host again",
		Args:  atLeast(1, "a host"),
		RunE: func(c *cobra.Command, args []string) error {
			l, err := lab.Open(*name)
			for _, h := range args {
				if err == nil {
					err = l.Start(c.Context(), h, c.OutOrStdout())
				}
			}
			return ended(c.Context(), err)
		},
	}
}

func labDNS(name *string) *cobra.Command {
	return &cobra.Command{
		Use:   "dns [NAME HOST|ADDRESS|none...]",
		Short: "Show what the lab's name server answers, or change it",
		Long: "dns prints the names that the lab's name server knows. With a name it gives that other addresses: hosts of the\n" +
			"lab, addresses, or none. The nodes ask once a second: `baton lab status` shows the server at its new address.",
		Example: "  sudo baton lab dns\n  sudo baton lab dns web1.lab web3\n  sudo baton lab dns web1.lab none",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 1 {
				return usage(c, errors.New("`"+c.CommandPath()+" "+args[0]+"` wants hosts, addresses or none"))
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			l, err := lab.Open(*name)
			switch {
			case err != nil:
			case len(args) == 0:
				err = l.Names(c.OutOrStdout())
			default:
				err = l.SetName(args[0], args[1:], c.OutOrStdout())
			}
			return ended(c.Context(), err)
		},
	}
}

func labDown(name *string) *cobra.Command {
	return &cobra.Command{
		Use:   "down",
		Short: "Take the lab away",
		Args:  noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			l, err := lab.Open(*name)
			if err == nil {
				err = l.Down(c.OutOrStdout())
			}
			return ended(c.Context(), err)
		},
	}
}

// labWeb, labNameServer and labClient are what runs on the hosts that have no baton.
func labWeb() *cobra.Command {
	return &cobra.Command{
		Use: "web NAME ADDRESS:PORT", Hidden: true, Args: cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			return ended(c.Context(), lab.Web(args[0], args[1], c.OutOrStdout()))
		},
	}
}

func labNameServer() *cobra.Command {
	return &cobra.Command{
		Use: "nameserver ADDRESS:PORT FILE", Hidden: true, Args: cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			again := make(chan os.Signal, 1)
			signal.Notify(again, syscall.SIGHUP)
			return ended(c.Context(), lab.NameServer(c.Context(), args[0], args[1], c.OutOrStdout(), again))
		},
	}
}

func labClient() *cobra.Command {
	return &cobra.Command{
		Use: "client ADDRESS:PORT", Hidden: true, Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return ended(c.Context(), lab.Client(args[0], c.OutOrStdout()))
		},
	}
}

// atLeast refuses a command line with too few words and says what is missing.
func atLeast(n int, what string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) < n {
			return usage(c, errors.New("`"+c.CommandPath()+"` wants "+what))
		}
		return nil
	}
}

// parseSignal reads TERM, SIGTERM or 15.
func parseSignal(s string) (syscall.Signal, error) {
	if n, err := strconv.Atoi(s); err == nil && n > 0 && n < 65 {
		return syscall.Signal(n), nil
	}
	if n, ok := signals()[strings.TrimPrefix(strings.ToUpper(s), "SIG")]; ok {
		return n, nil
	}
	return 0, errors.New("unknown signal " + s)
}

func signals() map[string]syscall.Signal {
	return map[string]syscall.Signal{
		"KILL": syscall.SIGKILL, "TERM": syscall.SIGTERM, "INT": syscall.SIGINT, "STOP": syscall.SIGSTOP, "CONT": syscall.SIGCONT,
		"HUP": syscall.SIGHUP, "QUIT": syscall.SIGQUIT, "ABRT": syscall.SIGABRT, "SEGV": syscall.SIGSEGV, "USR1": syscall.SIGUSR1, "USR2": syscall.SIGUSR2,
	}
}
