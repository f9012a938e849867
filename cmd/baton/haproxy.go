package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"baton/conf"
	"baton/internal/daemon"
	"baton/internal/diag"
	"baton/internal/haproxycli"
)

func haproxyCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "haproxy [OPTION...]",
		Short: "Stand in for haproxy: its flags, messages, signals and exit statuses",
		Long: "haproxy takes the command line of haproxy (without any, it is listed) and runs what the files say,\n" +
			"in the foreground, in the background (-D) or as a master with workers (-W, -Ws). SIGUSR2 and SIGHUP\n" +
			"make a master read the files anew; the listening sockets go from one worker to the next, and no\n" +
			"connection is lost. A baton that is started under the name haproxy does the same: /usr/lib/baton\n" +
			"holds such a link, for the front of a PATH. Files with a vrrp_instance are for `baton run`.",
		DisableFlagParsing: true,
		RunE: func(c *cobra.Command, args []string) error {
			if code := haproxyMain(c.Context(), args); code != 0 {
				return &exitError{code: code}
			}
			return nil
		},
	}
}

// identity is what this program says about itself in haproxy's place.
func identity() haproxycli.Identity {
	id := haproxycli.Identity{Baton: buildVersion(), CPUs: runtime.NumCPU(), Host: runtime.GOOS + " " + runtime.GOARCH}
	if b, err := os.ReadFile("/proc/version"); err == nil {
		words := strings.Fields(string(b))
		if len(words) > 2 {
			id.Host = words[0] + " " + words[2] + " " + runtime.GOARCH
		}
	}
	if exe, err := os.Executable(); err == nil {
		if info, err := os.Stat(exe); err == nil {
			id.Built = info.ModTime()
		}
	}
	return id
}

// haproxyMain is the front end; it returns the exit status.
func haproxyMain(ctx context.Context, args []string) int {
	h := standIn{}
	o, err := haproxycli.Parse(args)
	if err != nil {
		usage := errors.Is(err, haproxycli.ErrUsage)
		if !usage || errors.Unwrap(err) != nil {
			haproxycli.NewReporter(os.Stderr, identity(), false).Sayf(haproxycli.Alert, "%v", err)
		}
		if usage {
			fmt.Print(identity().Version(false))
			fmt.Fprint(os.Stderr, haproxycli.Usage())
		}
		return 1
	}
	h.Options = o
	h.report = haproxycli.NewReporter(os.Stderr, identity(), o.Quiet)
	switch {
	case o.Version > 0:
		fmt.Print(identity().Version(o.Version > 1))
		return 0
	case o.Condition != nil:
		return h.condition(*o.Condition)
	}
	if o.Dir != "" {
		if err := os.Chdir(o.Dir); err != nil {
			h.report.Sayf(haproxycli.Alert, "Could not change to directory %s: %v", o.Dir, err)
			return 1
		}
	}
	if o.Megabytes > 0 {
		debug.SetMemoryLimit(int64(o.Megabytes) << 20)
	}
	return h.main(ctx)
}

// standIn is this program in haproxy's place.
type standIn struct {
	*haproxycli.Options
	report *haproxycli.Reporter
}

// condition is -cc: the status is 0 for true, 1 for false and 2 for a mistake.
func (h *standIn) condition(text string) int {
	holds, err := conf.EvalCondition(text, os.LookupEnv)
	switch {
	case err != nil:
		h.report.Sayf(haproxycli.Alert, "config : Failed to evaluate condition: %v", err)
		return 2
	case !holds:
		return 1
	}
	return 0
}

// load reads the files.
func (h *standIn) load(ctx context.Context, worker bool) (*daemon.Config, diag.List) {
	return daemon.Load(ctx, daemon.LoadOptions{Files: h.Files, HAProxy: &daemon.HAProxyOptions{
		LocalPeer: h.LocalPeer, MasterWorker: h.MasterWorker || worker, Diagnostic: h.Diagnostic, ZeroWarning: h.ZeroWarning,
		AnyAddress: h.AnyAddress, Maxconn: h.Maxconn, ProxyMaxconn: h.ProxyMaxconn,
	}})
}

// usable prints the findings and reports whether the configuration may be used.
// quiet leaves out what is no error.
func (h *standIn) usable(found diag.List, quiet bool) bool {
	if found.Errors() > 0 {
		h.report.Findings(found)
		h.report.Sayf(haproxycli.Alert, "config : Error(s) found in configuration file : %s", strings.Join(h.Files, " "))
		h.report.Sayf(haproxycli.Alert, "config : Fatal errors found in configuration.")
		return false
	}
	if !quiet {
		h.report.Findings(found)
		for _, note := range h.Notes {
			h.report.Sayf(haproxycli.Notice, "%s", note)
		}
	}
	return true
}

// check is -c: the status is 0, 1, or 2 for files that are right and open no listener.
func (h *standIn) check(cfg *daemon.Config, found diag.List) int {
	if !h.usable(found, false) {
		return 1
	}
	if h.Libraries {
		if exe, err := os.Executable(); err == nil {
			fmt.Println(exe)
		}
	}
	if found.Warnings()-found.Unused() > 0 && !h.Quiet {
		fmt.Println("Warnings were found.")
	}
	if !cfg.Listens() {
		if !h.Quiet {
			fmt.Println("Configuration file has no error but will not start (no listener) => exit(2).")
		}
		return 2
	}
	if h.Verbose {
		fmt.Println("Configuration file is valid")
	}
	return 0
}
