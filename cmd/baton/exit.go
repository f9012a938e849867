package main

import (
	"strings"

	"github.com/spf13/cobra"
)

// exitError ends the process with a message (if any) and a status.
type exitError struct {
	text string
	code int
}

func (e *exitError) Error() string { return e.text }

// failure is a refusal or a failure of what was asked: status 1.
func failure(err error) *exitError { return &exitError{text: err.Error(), code: 1} }

// told is a failure that has been explained on the screen already.
func told() *exitError { return &exitError{code: 1} }

// usage is a command line that cannot be understood: status 2, and where to read on.
func usage(c *cobra.Command, err error) *exitError {
	return &exitError{text: strings.TrimSpace(err.Error()) + "\nsee `" + c.CommandPath() + " --help`", code: 2}
}

// noArgs refuses words behind a command that takes none.
func noArgs(c *cobra.Command, args []string) error {
	if err := cobra.NoArgs(c, args); err != nil {
		hint := ""
		if c.Flags().Lookup("file") != nil {
			hint = " (a configuration file is named with -f)"
		}
		return &exitError{text: "`" + c.CommandPath() + "` takes no argument, got " + strings.Join(args, " ") + hint + "\nsee `" + c.CommandPath() + " --help`", code: 2}
	}
	return nil
}
