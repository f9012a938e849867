package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"baton/conf/haproxy"
	"baton/conf/keepalived"
	"baton/internal/daemon"
	"baton/internal/diag"
)

// defaultFile is read when no -f is given.
const defaultFile = "/etc/baton/baton.cfg"

// loadFlags adds the flags that choose a configuration.
func loadFlags(c *cobra.Command) *daemon.LoadOptions {
	var o daemon.LoadOptions
	c.Flags().StringArrayVarP(&o.Files, "file", "f", []string{defaultFile}, "configuration `FILE` or folder (its *.cfg and *.conf); may be repeated")
	c.Flags().StringVar(&o.Node, "node", "", "this node's `ID`, for the lines that begin with @ID (default: the host name)")
	return &o
}

func checkCommand() *cobra.Command {
	var support bool
	var peer daemon.LoadOptions
	c := &cobra.Command{
		Use:   "check [-f FILE]... [--peer FILE]...",
		Short: "Check the configuration and print every finding",
		Long: "check reads the files as `baton run` would, up to the point where it would open sockets: it also\n" +
			"proves that scripts can be run and host names resolve. It prints every error and warning of all\n" +
			"files. The exit status is 0 when the configuration can be run (warnings do not matter), else 1.\n\n" +
			"With --peer it also reads the files of the other node and compares the two: what keeps them from\n" +
			"hearing each other, which check can never move an address, what leaves nobody or two as master.",
		Example: "  baton check -f haproxy.cfg -f keepalived.conf\n" +
			"  baton check -f node-a.cfg --peer node-b.cfg\n" +
			"  baton check -f both.cfg --node lb1 --peer both.cfg --peer-node lb2",
		Args: noArgs,
	}
	o := loadFlags(c)
	c.Flags().BoolVar(&support, "support", false, "print which keywords of both languages baton knows, and what it does with them")
	c.Flags().StringArrayVar(&peer.Files, "peer", nil, "configuration `FILE` or folder of the other node, to compare with; may be repeated")
	c.Flags().StringVar(&peer.Node, "peer-node", "", "the other node's `ID`, for the lines that begin with @ID")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if support {
			return printSupport(c.OutOrStdout())
		}
		if peer.Node != "" && len(peer.Files) == 0 {
			return usage(c, errors.New("--peer-node needs --peer, the files of that node"))
		}
		cfg, found := daemon.Load(c.Context(), *o)
		if len(peer.Files) > 0 {
			found = append(found, daemon.ComparePeer(c.Context(), cfg, *o, found, peer)...)
		}
		if err := found.Write(c.ErrOrStderr()); err != nil {
			return failure(err)
		}
		if found.Errors() > 0 {
			fmt.Fprintf(c.ErrOrStderr(), "configuration is not valid: %s\n", tally(found))
			return told()
		}
		line := "configuration is valid: " + cfg.Summary()
		if found.Warnings() > 0 {
			line += " (" + tally(found) + ")"
		}
		fmt.Fprintln(c.OutOrStdout(), line)
		return nil
	}
	return c
}

// tally counts findings in words.
func tally(l diag.List) string {
	var parts []string
	if n := l.Errors(); n > 0 {
		parts = append(parts, daemon.Count(n, "error"))
	}
	if n := l.Warnings(); n > 0 {
		parts = append(parts, daemon.Count(n, "warning"))
	}
	return strings.Join(parts, ", ")
}

// printSupport prints the support matrix. It is made of the tables that lower
// the configuration, so it cannot promise what they do not do.
func printSupport(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "HAPROXY\tKEYWORD\tSUPPORT\tWHERE\tREMARK")
	for _, k := range haproxy.Keywords() {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", k.Table, k.Name, word(k.Status.String()), dash(k.In), k.Doc)
	}
	if err := w.Flush(); err != nil {
		return failure(err)
	}
	fmt.Fprintln(out)
	w = tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "KEEPALIVED\tKEYWORD\tSUPPORT\tREMARK")
	for _, k := range keepalived.Keywords() {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", dash(k.Block), k.Name, word(k.Status.String()), k.Doc)
	}
	if err := w.Flush(); err != nil {
		return failure(err)
	}
	return nil
}

// word is the status in the terms of the printed matrix, the same for both languages.
func word(status string) string {
	switch status {
	case "done":
		return "yes"
	case "warned":
		return "ignored"
	case "refused":
		return "no"
	}
	return status
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
