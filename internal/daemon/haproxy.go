package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"syscall"
	"time"

	"baton/internal/diag"
	"baton/internal/sys"
	"baton/lb"
	"baton/lb/spec"
)

// HAProxyOptions are what haproxy's command line says about its files.
type HAProxyOptions struct {
	LocalPeer    string // -L; "": the node's name
	MasterWorker bool   // -W
	Diagnostic   bool   // -dD
	ZeroWarning  bool   // -dW
	AnyAddress   bool   // -dr
	Maxconn      int    // -n; 0: as the files say
	ProxyMaxconn int    // -N
}

// predefined are the variables of HAProxy's that baton knows the values of.
func (o *HAProxyOptions) predefined(node string) map[string]string {
	vars := map[string]string{"HAPROXY_LOCALPEER": node}
	if o == nil {
		return vars
	}
	if o.LocalPeer != "" {
		vars["HAPROXY_LOCALPEER"] = o.LocalPeer
	}
	if o.MasterWorker {
		vars["HAPROXY_MWORKER"] = "1"
	}
	return vars
}

// apply puts the limits of the command line in force.
func (o *HAProxyOptions) apply(cfg *Config) {
	b := cfg.Balancer
	if o == nil || b == nil {
		return
	}
	if o.Maxconn > 0 {
		b.Global.Maxconn = o.Maxconn
	}
	for _, f := range b.Frontends {
		if f.Maxconn == 0 {
			f.Maxconn = o.ProxyMaxconn
		}
	}
	if !o.AnyAddress {
		return
	}
	for _, be := range b.Backends {
		for _, s := range be.Servers {
			if len(s.InitAddr) == 0 {
				s.InitAddr = []spec.InitAddr{{Kind: spec.InitLast}, {Kind: spec.InitLibc}}
			}
			s.InitAddr = append(s.InitAddr, spec.InitAddr{Kind: spec.InitNone})
		}
	}
}

// foreignLines complains about what haproxy would not read, and baton does not run
// in haproxy's place.
func (o *HAProxyOptions) foreignLines(cfg *Config, files []string) diag.List {
	var found diag.List
	if o != nil && cfg.Balancer != nil {
		g := &cfg.Balancer.Global
		if _, _, err := lb.Owner(g); err != nil {
			pos := g.User.Pos
			if pos.Line == 0 {
				pos = g.Group.Pos
			}
			found.Errorf(pos, "", "%v", err)
		}
	}
	if o != nil && cfg.VRRP != nil {
		found.Errorf(diag.Pos{File: first(files)}, "use `baton run` for both", "the configuration has a vrrp_instance, which does not run under haproxy's name")
	}
	return found
}

// Listens reports whether the balancer would open any listener.
func (c *Config) Listens() bool {
	if c.Balancer == nil {
		return false
	}
	for _, f := range c.Balancer.Frontends {
		if !f.Disabled && len(f.Binds) > 0 {
			return true
		}
	}
	return false
}

// HAProxyRun says how to run in haproxy's place.
type HAProxyRun struct {
	Log     *slog.Logger
	Sockets map[string][]sys.FD // of an earlier process
	// Signals: SIGTERM and SIGINT end it at once, SIGUSR1 when its connections have
	// ended, SIGTTOU lets go of the addresses, SIGHUP logs the servers' states.
	Signals <-chan os.Signal
	// InUse is called once when an address is taken: it may ask old processes for it.
	InUse func() bool
	// OnListen is called when the listeners are open and nobody is served yet. Its error
	// ends the process.
	OnListen func() error
	// OnReady is called when clients are served. Its error ends the process.
	OnReady func(Walk) error
}

// Walk calls send for every listening socket of a balancer that has not stopped
// listening, until it fails. key is what the socket is bound to, for HAProxyRun.Sockets
// of a later process.
type Walk func(send func(key string, fd sys.FD) error) error

// BindError is a listener that could not be opened.
type BindError = lb.BindError

// RunHAProxy runs a configuration's balancer alone, as the program haproxy would.
// It returns when a signal ended it (nil) or it failed.
func RunHAProxy(cfg *Config, o HAProxyRun) error {
	b, err := lb.NewService(cfg.Balancer, lb.Options{Log: o.Log, Tag: "haproxy", Sockets: o.Sockets})
	if err != nil {
		return err
	}
	if err := listenPatiently(b, o); err != nil {
		return err
	}
	if err := o.OnListen(); err != nil {
		return err
	}
	if err := become(&cfg.Balancer.Global); err != nil {
		return err
	}
	failed := make(chan error, 1)
	run := start(&task{name: "balancer", run: b.Run, ready: b.Ready()}, failed)
	select {
	case <-b.Ready():
	case err := <-failed:
		return err
	}
	walk := func(send func(string, sys.FD) error) error {
		return b.HandOver(func(s lb.Socket) error { return send(s.Key, s.FD) })
	}
	if err := o.OnReady(walk); err != nil {
		return errors.Join(err, run.stop())
	}
	return haproxyLife(cfg, b, o, run, failed)
}

// become gives the privileges of root up, on every thread.
func become(g *spec.Global) error {
	uid, gid, err := lb.Owner(g)
	if err != nil {
		return err
	}
	if gid != -1 && gid != os.Getegid() {
		if err := syscall.Setgroups(nil); err != nil {
			return fmt.Errorf("cannot leave the groups of this process: %w", err)
		}
		if err := syscall.Setgid(gid); err != nil {
			return fmt.Errorf("cannot set gid %d: %w", gid, err)
		}
	}
	if uid != -1 && uid != os.Geteuid() {
		if err := syscall.Setuid(uid); err != nil {
			return fmt.Errorf("cannot set uid %d: %w", uid, err)
		}
	}
	return nil
}

// pause is how often an address that an old process still has is tried again, and
// pauses how many times.
const (
	pause  = 20 * time.Millisecond
	pauses = 50
)

// listenPatiently opens the listeners, for a moment also on addresses that an old
// process was told to let go.
func listenPatiently(b *lb.Service, o HAProxyRun) error {
	err := b.Listen()
	if !errors.Is(err, sys.EADDRINUSE) || !o.InUse() {
		return err
	}
	for n := 0; n < pauses && errors.Is(err, sys.EADDRINUSE); n++ {
		time.Sleep(pause)
		err = b.Listen()
	}
	return err
}

// haproxyLife waits for the signals that end the process, and ends it.
func haproxyLife(cfg *Config, b *lb.Service, o HAProxyRun, run *running, failed <-chan error) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var drained chan error // nil until connections come to their end
	for {
		select {
		case err := <-failed:
			return err
		case err := <-drained:
			if err != nil {
				o.Log.Warn(fmt.Sprintf("soft-stop ran out of time: %v", err))
			}
			return run.stop()
		case sig := <-o.Signals:
			switch sig {
			case syscall.SIGUSR1:
				if drained == nil {
					drained = make(chan error, 1)
					b.Succeed()
					go func() { drained <- drainFor(ctx, b, cfg.Balancer.Global.HardStopAfter) }()
				}
			case syscall.SIGTTOU:
				b.Succeed()
			case syscall.SIGHUP:
				logStates(b, o.Log)
			case syscall.SIGTERM, syscall.SIGINT:
				return run.stop()
			}
		}
	}
}

// drainFor waits for the last connection, no longer than limit unless that is 0.
func drainFor(ctx context.Context, b *lb.Service, limit time.Duration) error {
	if limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
	}
	return b.Drain(ctx)
}

// logStates is what SIGHUP asks for.
func logStates(b *lb.Service, log *slog.Logger) {
	st := b.Status()
	for _, be := range st.Backends {
		for _, s := range be.Servers {
			log.Info(fmt.Sprintf("SIGHUP: Server %s/%s is %s. Conn: %d act, %d tot.", be.Name, s.Name, s.State, s.Current, s.Sessions))
		}
	}
	for _, f := range st.Frontends {
		log.Info(fmt.Sprintf("SIGHUP: Proxy %s: %d act, %d tot.", f.Name, f.Connections, f.Sessions))
	}
}

// commandLineOnly tells of keywords that ask for a form of process which `baton
// run` does not take.
func commandLineOnly(g *spec.Global) diag.List {
	var found diag.List
	if g.Daemon.Line > 0 {
		found.Unusedf(g.Daemon, "`baton run` stays in the foreground, as systemd wants it", "'daemon' has no effect")
	}
	for _, a := range []struct {
		word string
		spec.Account
	}{{"user", g.User}, {"group", g.Group}} {
		if a.Name != "" {
			found.Unusedf(a.Pos, "systemd starts baton and holds its user, files and limits", "'%s' has no effect", a.word)
		}
	}
	if g.MasterWorker.Line > 0 {
		found.Unusedf(g.MasterWorker, "baton is one process and needs no master", "'master-worker' has no effect")
	}
	return found
}
