// Command baton is a load balancer and a VRRP speaker in one process.
package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"
)

// version is set by the linker: -ldflags "-X main.version=1.2.3".
var version string

func main() {
	root := &cobra.Command{
		Use:           "baton",
		Short:         "A load balancer and a floating virtual IP in one process",
		Long:          "baton reads HAProxy's and keepalived's configuration languages and does both daemons' job in one process.",
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error { return usage(c, err) })
	root.AddCommand(runCommand(), checkCommand(), statusCommand(), reloadCommand(), handoverCommand(), maintenanceCommand(), pairCommand(), releaseCommand(), labCommand(), versionCommand(), gendocsCommand(), haproxyCommand(), keepalivedCommand())
	root.SetArgs(commandLine(os.Args))
	c, err := root.ExecuteC()
	if err == nil {
		return
	}
	var known *exitError
	if !errors.As(err, &known) { // cobra's own: an unknown command
		known = usage(c, err)
	}
	if known.text != "" {
		fmt.Fprintln(os.Stderr, "baton: "+known.text)
	}
	os.Exit(known.code)
}
