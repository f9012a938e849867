package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	sd "github.com/coreos/go-systemd/v22/daemon"

	"baton/internal/daemon"
	"baton/internal/haproxycli"
)

// main is haproxy's way from its files to a process: this one, one in the
// background, or a master's worker.
func (h *standIn) main(ctx context.Context) int {
	control, err := haproxycli.Worker()
	if err != nil {
		h.report.Sayf(haproxycli.Alert, "%v", err)
		return 1
	}
	parent := detached()
	var said strings.Builder
	if parent != nil {
		h.report = haproxycli.NewReporter(&said, identity(), h.Quiet)
	}
	cfg, found := h.load(ctx, control != nil)
	if h.Check {
		return h.check(cfg, found)
	}
	// What is no error was told by the process that started this one.
	if !h.usable(found, parent != nil || control != nil && control.First) {
		parent.say(said.String())
		return 1
	}
	if !cfg.Listens() {
		h.report.Sayf(haproxycli.Alert, "[haproxy.main()] No enabled listener found (check for 'bind' directives) ! Exiting.")
		parent.say(said.String())
		return 1
	}
	global := &cfg.Balancer.Global
	background := (h.Daemon || global.Daemon.Line > 0 && !h.Notify) && !h.Foreground
	switch {
	case control != nil:
		return h.worker(cfg, control)
	case background && parent == nil:
		return detach()
	}
	if h.PIDFile == "" {
		h.PIDFile = global.PIDFile
	}
	run := h.single
	if h.MasterWorker || global.MasterWorker.Line > 0 && !h.Foreground {
		run = h.master
	}
	code := run(cfg, func() {
		haproxycli.EndProcesses(h.Finish, syscall.SIGUSR1)
		haproxycli.EndProcesses(h.Terminate, syscall.SIGTERM)
		if parent != nil {
			h.report.Mute() // whoever could read it is about to leave
			parent.say(said.String())
			parent.ready()
		}
	})
	h.removePID()
	parent.say(said.String()) // to a parent that still waits
	return code
}

// writePID writes the pid file; one that was asked for must be there.
func (h *standIn) writePID() error {
	if h.PIDFile == "" {
		return nil
	}
	if err := os.WriteFile(h.PIDFile, fmt.Appendf(nil, "%d\n", os.Getpid()), 0o644); err != nil {
		return fmt.Errorf("cannot create pidfile %s: %w", h.PIDFile, err)
	}
	return nil
}

// removePID takes the file away unless another process has written it since.
func (h *standIn) removePID() {
	if h.PIDFile != "" {
		daemon.RemovePIDFile(h.PIDFile, h.report.Logger())
	}
}

// caught are the signals that mean something here. SIGINT is taken even where it was
// ignored, as shells start what runs in their background.
func caught(list ...os.Signal) chan os.Signal {
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE, syscall.SIGQUIT, syscall.SIGUSR2, syscall.SIGTTIN)
	ch := make(chan os.Signal, 16)
	signal.Notify(ch, list...)
	return ch
}

// inherit takes over the listening sockets that old processes have to give, and tells of
// what does not work. Without those that -x asks for haproxy does not start.
func (h *standIn) inherit() (haproxycli.Sockets, error) {
	sockets, err := h.Inherit()
	switch {
	case err == nil:
		return sockets, nil
	case h.OldSocket == "":
		h.report.Sayf(haproxycli.Warning, "%v", err)
		return nil, nil
	}
	h.report.Sayf(haproxycli.Alert, "Failed to get the sockets from the old process: %v", err)
	return nil, err
}

// single runs the balancer in this process.
func (h *standIn) single(cfg *daemon.Config, started func()) int {
	sigs := caught(syscall.SIGTERM, syscall.SIGINT, syscall.SIGUSR1, syscall.SIGHUP, syscall.SIGTTOU)
	old := slices.Concat(h.Finish, h.Terminate)
	sockets, err := h.inherit()
	if err != nil {
		return 1
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	return h.outcome(daemon.RunHAProxy(cfg, daemon.HAProxyRun{
		Log: h.report.Logger(), Sockets: sockets, Signals: sigs,
		InUse: func() bool {
			haproxycli.EndProcesses(old, syscall.SIGTTOU)
			return len(old) > 0
		},
		OnListen: h.writePID,
		OnReady: func(walk daemon.Walk) error {
			if err := haproxycli.Offer(ctx, walk); err != nil {
				return err
			}
			_, _ = sd.SdNotify(false, sd.SdNotifyReady) // nobody listens, or a master's unit: -Ws says more
			started()
			return nil
		},
	}))
}

// worker runs the balancer for a master.
func (h *standIn) worker(cfg *daemon.Config, control *haproxycli.Control) int {
	// A terminal's SIGINT goes to the master too, which passes it on in its order.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGINT)
	sigs := caught(syscall.SIGTERM, syscall.SIGUSR1, syscall.SIGHUP, syscall.SIGTTOU)
	sockets, err := control.Sockets()
	if err != nil {
		h.report.Sayf(haproxycli.Alert, "%v", err)
		return 1
	}
	return h.outcome(daemon.RunHAProxy(cfg, daemon.HAProxyRun{
		Log: h.report.Logger(), Sockets: sockets, Signals: sigs,
		InUse:    func() bool { return len(h.Finish)+len(h.Terminate) > 0 }, // the master has told them
		OnListen: func() error { return nil },
		OnReady: func(walk daemon.Walk) error {
			if err := control.Ready(walk); err != nil {
				return err
			}
			go func() {
				<-control.Lost()
				sigs <- syscall.SIGUSR1
			}()
			return nil
		},
	}))
}

// outcome is the status of a process that served.
func (h *standIn) outcome(err error) int {
	var bind *daemon.BindError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &bind):
		h.report.Sayf(haproxycli.Alert, "Starting frontend %s: cannot bind socket (%v) [%s]\n%s", bind.Frontend, bind.Err, bind.Bind.Text, bind.Bind.Pos)
		h.report.Sayf(haproxycli.Alert, "[haproxy.main()] Some protocols failed to start their listeners! Exiting.")
	default:
		h.report.Sayf(haproxycli.Alert, "[haproxy.main()] %v", err)
	}
	return 1
}

// master runs workers.
func (h *standIn) master(_ *daemon.Config, started func()) int {
	sigs := caught(syscall.SIGTERM, syscall.SIGINT, syscall.SIGUSR1, syscall.SIGHUP, syscall.SIGUSR2)
	old := slices.Concat(h.Finish, h.Terminate)
	sockets, err := h.inherit()
	if err != nil {
		return 1
	}
	if len(sockets) == 0 {
		haproxycli.EndProcesses(old, syscall.SIGTTOU)
	}
	m := &haproxycli.Master{
		Path: ownPath(), Args: os.Args, Sockets: sockets, Report: h.report, Signals: sigs,
		Notify: func(state string) { _, _ = sd.SdNotify(false, state) }, // to a systemd that has gone there is nothing to say
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	m.OnReady = func() error {
		if err := haproxycli.Offer(ctx, m.Each); err != nil {
			return err
		}
		started()
		return nil
	}
	if err := h.writePID(); err != nil {
		h.report.Sayf(haproxycli.Alert, "[haproxy.main()] %v", err)
		return 1
	}
	return m.Run()
}
