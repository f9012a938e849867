package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"baton/internal/admin"
)

func statusCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "status",
		Short: "Show who holds the addresses, and why, and every server",
		Args:  noArgs,
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print the daemon's answer as JSON")
	socket := socketFlag(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		ctx, cancel := context.WithTimeout(c.Context(), 5*time.Second)
		defer cancel()
		raw, st, err := admin.Fetch(ctx, *socket)
		if err != nil {
			return failure(err)
		}
		if asJSON {
			_, err = c.OutOrStdout().Write(raw)
		} else {
			err = st.WriteText(c.OutOrStdout(), time.Now())
		}
		if err != nil {
			return failure(err)
		}
		return nil
	}
	return c
}
