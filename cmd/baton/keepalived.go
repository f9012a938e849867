package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"baton/internal/admin"
	"baton/internal/daemon"
	"baton/internal/diag"
	"baton/internal/keepalivedcli"
)

func keepalivedCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "keepalived [OPTION...]",
		Short: "Stand in for keepalived: its flags, files, signals and exit statuses",
		Long: "keepalived takes the command line of keepalived 2.2 (`baton keepalived --help` lists it), reads\n" +
			"/etc/keepalived/keepalived.conf and runs its VRRP part. A baton that is started under the name\n" +
			"keepalived does the same: /usr/lib/baton holds such a link, for the front of a PATH.",
		DisableFlagParsing: true,
		RunE: func(c *cobra.Command, args []string) error {
			if code := keepalivedMain(c.Context(), args); code != keepalivedcli.ExitOK {
				return &exitError{code: code}
			}
			return nil
		},
	}
}

// keepalivedMain is the front end; it returns the exit status.
func keepalivedMain(ctx context.Context, args []string) int {
	o, err := keepalivedcli.Parse(args)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return keepalivedcli.ExitUsage
	}
	switch o.Action {
	case keepalivedcli.PrintHelp:
		fmt.Fprint(os.Stderr, keepalivedcli.Help())
		return keepalivedcli.ExitOK
	case keepalivedcli.PrintVersion:
		fmt.Fprint(os.Stderr, keepalivedcli.Version(buildVersion()))
		return keepalivedcli.ExitOK
	case keepalivedcli.PrintSignal:
		sig, known := keepalivedcli.Signum(o.SignalName)
		if !known {
			fmt.Fprintf(os.Stderr, "Unknown sigfunc %s\n", o.SignalName)
			return keepalivedcli.ExitUsage
		}
		fmt.Println(int(sig))
		return keepalivedcli.ExitOK
	case keepalivedcli.TestConfig:
		return testKeepalived(ctx, o)
	case keepalivedcli.Run:
	}
	if err := enterNamespace(o.Namespace); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return keepalivedcli.ExitUsage
	}
	if dir, err := os.Getwd(); err == nil {
		o.Absolute(dir)
	}
	return runKeepalived(ctx, o)
}

// loadKeepalived reads the one file that keepalived reads.
func loadKeepalived(ctx context.Context, o keepalivedcli.Options) (daemon.LoadOptions, *daemon.Config, diag.List) {
	files := daemon.LoadOptions{Files: []string{o.File}, Node: o.ConfigID}
	cfg, found := daemon.Load(ctx, files)
	return files, cfg, found
}

// insecure is what keepalived says about scripts without script security.
const insecure = "SECURITY VIOLATION - scripts are being executed but script_security not enabled."

// testKeepalived is `keepalived -t`.
func testKeepalived(ctx context.Context, o keepalivedcli.Options) int {
	out := os.Stderr
	if o.TestLog != "" {
		f, err := os.Create(o.TestLog)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return keepalivedcli.ExitUsage
		}
		defer f.Close()
		out = f
	}
	for _, n := range o.Notes {
		fmt.Fprintln(out, n)
	}
	_, cfg, found := loadKeepalived(ctx, o)
	if err := found.Write(out); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return keepalivedcli.ExitUsage
	}
	switch {
	case found.Errors() > 0:
		return keepalivedcli.ExitCannotRun
	case cfg.RunsScripts() && !cfg.VRRP.ScriptSecurity:
		fmt.Fprintln(out, insecure)
		return keepalivedcli.ExitScriptSecurity
	}
	if cfg.Doubtful { // advice, such as that a weight is too small, is none
		return keepalivedcli.ExitErrors
	}
	return keepalivedcli.ExitOK
}

// runKeepalived runs the daemon, in a process of its own unless -n is given.
func runKeepalived(ctx context.Context, o keepalivedcli.Options) int {
	parent := detached()
	if parent == nil {
		if pid, runs := alreadyRuns(o.PIDFile); runs {
			fmt.Fprintf(os.Stderr, "daemon is already running (pid %d, %s)\n", pid, o.PIDFile)
			return keepalivedcli.ExitOK
		}
		if !o.Foreground {
			return detach()
		}
	}
	if o.Umask >= 0 {
		syscall.Umask(o.Umask)
	}
	if o.CoreDump {
		dumpCore()
	}
	log, closeLog, err := keepalivedLog(o, parent == nil)
	if err != nil {
		return refuse(parent, err.Error(), keepalivedcli.ExitUsage)
	}
	defer closeLog()
	for _, n := range o.Notes {
		log.Warn(n)
	}
	if _, err := os.Stat(o.File); errors.Is(err, fs.ErrNotExist) {
		text := fmt.Sprintf("Config files missing '%s'.", o.File)
		log.Error(text)
		return refuse(parent, text, keepalivedcli.ExitNoConfig)
	}
	files, cfg, found := loadKeepalived(ctx, o)
	daemon.LogFindings(log, found)
	if n := found.Errors(); n > 0 {
		var text strings.Builder
		if err := found.Write(&text); err != nil {
			fmt.Fprintln(&text, err)
		}
		return refuse(parent, text.String()+daemon.Count(n, "error")+" in the configuration; not started", keepalivedcli.ExitCannotRun)
	}
	if cfg.RunsScripts() && !cfg.VRRP.ScriptSecurity {
		log.Warn(insecure)
	}
	if parent != nil {
		if err := os.Chdir("/"); err != nil {
			log.Warn(err.Error())
		}
	}
	for _, path := range []string{o.PIDFile, o.VRRPPIDFile} {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			log.Warn(fmt.Sprintf("pid file: %v", err))
		}
		daemon.WritePIDFile(path, log)
		defer daemon.RemovePIDFile(path, log)
	}
	stop, commands := keepalivedSignals(o.DumpConf)
	err = daemon.Run(cfg, daemon.RunOptions{
		Version: buildVersion(), Socket: admin.DefaultSocket, Signals: stop, Log: log,
		Commands: commands, Files: files, OnReady: parent.ready,
	})
	if err != nil {
		log.Error(err.Error())
		return refuse(parent, err.Error(), keepalivedcli.ExitCannotInit)
	}
	return keepalivedcli.ExitOK
}

// refuse tells the parent why there is no daemon.
func refuse(parent *waiting, text string, code int) int {
	parent.end(text + "\n")
	return code
}

// keepalivedLog opens what the log goes to: syslog unless -G, the console with -l,
// the file of -g. A daemon has no console.
func keepalivedLog(o keepalivedcli.Options, console bool) (log *slog.Logger, end func(), err error) {
	var to []slog.Handler
	end = func() {}
	if !o.NoSyslog {
		to = append(to, daemon.NewPrefixHandler(keepalivedcli.NewSyslog(o.Facility)))
	}
	if o.Console && console {
		to = append(to, daemon.NewLogger(os.Stderr).Handler())
	}
	if name := o.VRRPLogFile(); name != "" {
		f, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
		if err != nil {
			return nil, end, fmt.Errorf("log file: %w", err)
		}
		to = append(to, daemon.NewLogger(f).Handler())
		end = func() { _ = f.Close() }
	}
	if len(to) == 0 {
		to = append(to, slog.NewTextHandler(io.Discard, nil))
	}
	return slog.New(slog.NewMultiHandler(to...)), end, nil
}

// keepalivedSignals turns keepalived's signals into what they ask for.
func keepalivedSignals(logConfig bool) (<-chan os.Signal, <-chan daemon.Command) {
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) // a reader of the log that is gone is no reason to end
	stop := make(chan os.Signal, 2)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	commands := make(chan daemon.Command, 16)
	if logConfig {
		commands <- daemon.LogConfig
	}
	others := make(chan os.Signal, 16)
	signal.Notify(others, syscall.SIGHUP, syscall.SIGUSR1, syscall.SIGUSR2, keepalivedcli.SigJSON, keepalivedcli.SigStatsClear)
	meaning := map[os.Signal]daemon.Command{
		syscall.SIGHUP: daemon.Reload, syscall.SIGUSR1: daemon.DumpData, syscall.SIGUSR2: daemon.DumpStats,
		keepalivedcli.SigStatsClear: daemon.DumpStatsClear, keepalivedcli.SigJSON: daemon.DumpJSON,
	}
	go func() {
		for sig := range others {
			commands <- meaning[sig]
		}
	}()
	return stop, commands
}

// dumpCore has a crash leave a core file.
func dumpCore() {
	debug.SetTraceback("crash")
	most := syscall.Rlimit{Cur: ^uint64(0), Max: ^uint64(0)}
	if err := syscall.Setrlimit(syscall.RLIMIT_CORE, &most); err != nil {
		fmt.Fprintf(os.Stderr, "core dumps: %v\n", err)
	}
}
