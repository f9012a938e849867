package main

import (
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

// gendocsCommand writes what a package ships beside the binary. It is hidden:
// only the build calls it.
func gendocsCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "gendocs DIR",
		Short:  "Write the man pages of all commands",
		Hidden: true,
		Args: func(c *cobra.Command, args []string) error {
			if err := cobra.ExactArgs(1)(c, args); err != nil {
				return usage(c, err)
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			if err := gendocs(c.Root(), args[0]); err != nil {
				return failure(fmt.Errorf("gendocs: %w", err))
			}
			return nil
		},
	}
}

// gendocs writes a man page per command into dir.
func gendocs(root *cobra.Command, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	root.DisableAutoGenTag = true // it would name today
	header := &doc.GenManHeader{Section: "1", Source: "baton " + buildVersion(), Manual: "baton", Date: sourceDate()}
	return doc.GenManTree(root, header, dir)
}

// sourceDate is SOURCE_DATE_EPOCH where a reproducible build sets it.
func sourceDate() *time.Time {
	t := time.Now().UTC()
	if n, err := strconv.ParseInt(os.Getenv("SOURCE_DATE_EPOCH"), 10, 64); err == nil {
		t = time.Unix(n, 0).UTC()
	}
	return &t
}
