package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"baton/internal/admin"
)

// verbTime bounds how long the daemon may take to do a verb.
const verbTime = 15 * time.Second

// reloadVerbTime is the same for a reload, in which names are resolved.
const reloadVerbTime = 30 * time.Second

func handoverCommand() *cobra.Command {
	var q admin.HandoverRequest
	c := &cobra.Command{
		Use:   "handover [INSTANCE]",
		Short: "Hand the virtual addresses to the other node, without a gap",
		Long: "handover asks the other baton, by the pair link, to take over the instances that this node is\n" +
			"MASTER of, or the named one. Before that, client connections are told to end (2 s at the most).\n" +
			"The other node takes over first, this one lets go when it hears it. It is refused, and nothing\n" +
			"changes, when the other node could not serve: the reason is printed and the exit status is 1.\n" +
			"Afterwards this node takes the addresses back only when the other one fails, hands them back by\n" +
			"its own `baton handover`, or when baton is started again here.",
		Example: "  baton handover\n  baton handover VI_1 --force",
		Args: func(c *cobra.Command, args []string) error {
			if err := cobra.MaximumNArgs(1)(c, args); err != nil {
				return usage(c, err)
			}
			return nil
		},
	}
	c.Flags().BoolVar(&q.Force, "force", false, "also to a node that is not ready, and by priority 0 where nobody can be asked")
	socket := socketFlag(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		if len(args) > 0 {
			q.Instance = args[0]
		}
		ctx, cancel := context.WithTimeout(c.Context(), verbTime)
		defer cancel()
		a, err := admin.Handover(ctx, *socket, q)
		return printAnswer(c.OutOrStdout(), c.ErrOrStderr(), a, err)
	}
	return c
}

func maintenanceCommand() *cobra.Command {
	var force bool
	c := &cobra.Command{
		Use:   "maintenance on|off",
		Short: "Keep this node out of elections, or let it in again",
		Long: "`maintenance on` hands over what this node is MASTER of, as `baton handover` does, and then keeps every\n" +
			"instance in FAULT: whatever happens to the other node, this one takes nothing. It stays so until\n" +
			"`maintenance off`, also when baton or the host is started again. `baton status` shows it on both nodes.",
		ValidArgs: []string{"on", "off"},
		Args: func(c *cobra.Command, args []string) error {
			if err := cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs)(c, args); err != nil {
				return usage(c, err)
			}
			return nil
		},
	}
	c.Flags().BoolVar(&force, "force", false, "let the addresses go although the other node is not ready or cannot be asked")
	socket := socketFlag(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		ctx, cancel := context.WithTimeout(c.Context(), verbTime)
		defer cancel()
		a, err := admin.Maintenance(ctx, *socket, admin.MaintenanceRequest{On: args[0] == "on", Force: force})
		return printAnswer(c.OutOrStdout(), c.ErrOrStderr(), a, err)
	}
	return c
}

func printAnswer(out, errs io.Writer, a admin.Answer, err error) error {
	if err != nil {
		return failure(err)
	}
	for _, o := range a.Outcomes {
		to := out
		if !o.Done {
			to = errs
		}
		fmt.Fprintf(to, "%s: %s\n", o.Instance, o.Text)
	}
	if a.Text != "" {
		fmt.Fprintln(out, a.Text)
	}
	switch {
	case a.Error != "":
		return &exitError{text: a.Error, code: 1}
	case a.Failed():
		return told()
	}
	return nil
}
