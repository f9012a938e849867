package main

import (
	"context"

	"github.com/spf13/cobra"

	"baton/internal/admin"
)

func reloadCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "reload",
		Short: "Have the running baton read its configuration again, and tell how that went",
		Long: "reload does what SIGHUP and `systemctl reload baton` do, and waits for the outcome: the files that baton\n" +
			"was started with are read and checked, listeners are opened, and only then does anything change. With an\n" +
			"error everything stays as it was: the errors are printed and the exit status is 1.\n" +
			"Listeners that stay take connections all the time; requests under way are finished by the old\n" +
			"configuration, and connections end with the response that says so. Virtual addresses stay where they are.",
		Args: noArgs,
	}
	socket := socketFlag(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		ctx, cancel := context.WithTimeout(c.Context(), reloadVerbTime)
		defer cancel()
		a, err := admin.Reload(ctx, *socket)
		return printAnswer(c.OutOrStdout(), c.ErrOrStderr(), a, err)
	}
	return c
}
