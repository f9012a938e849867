package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"baton/internal/daemon"
)

func releaseCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "release",
		Short: "Take the virtual addresses and routes that a dead baton left off this host",
		Long: "release removes every address, route, rule and interface that carries baton's mark, in this network namespace. It is for\n" +
			"ExecStopPost= of the systemd unit: after a crash the addresses are gone at once, and not only when\n" +
			"their lease ends. It refuses while a baton runs, and says nothing when there is nothing to do.",
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			removed, err := daemon.Release()
			for _, p := range removed {
				fmt.Fprintf(c.OutOrStdout(), "removed %v\n", p)
			}
			if err != nil {
				return failure(err)
			}
			return nil
		},
	}
}
