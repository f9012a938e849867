package daemon

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"runtime/debug"
	"time"

	sd "github.com/coreos/go-systemd/v22/daemon"

	"baton/internal/admin"
	"baton/internal/sys"
)

// drainTime bounds how long open connections may go on after a stop was asked for,
// where hard-stop-after does not.
const drainTime = 30 * time.Second

// statusEvery is how often systemd is told a new status line at most.
const statusEvery = 200 * time.Millisecond

// RunOptions says how to run.
type RunOptions struct {
	Version string
	Socket  string           // path of the status socket
	Signals <-chan os.Signal // each asks to stop; the second cuts the draining short
	Log     *slog.Logger

	Commands <-chan Command // what else signals ask for; may be nil
	Files    LoadOptions    // Reload: what to read
	OnReady  func()         // called once when everything works; may be nil
}

// Run runs a configuration that Load found good, until a signal asks to stop: it
// returns nil then. A failure to start leaves nothing behind; a part that fails
// later stops the others in order first.
func Run(cfg *Config, o RunOptions) error {
	if cfg.VRRP != nil { // two that only balance do not disturb each other
		lock, err := Acquire()
		if err != nil {
			return err
		}
		defer lock.Release()
	}
	if err := preflight(cfg); err != nil {
		return err
	}
	warnForeignBinds(cfg, o.Log)
	// Scripts must not inherit what the unit gave to baton.
	if err := sys.ClearAmbient(); err != nil {
		o.Log.Warn("check scripts will inherit baton's capabilities", "err", err)
	}

	cfg.tree = nil // messages about the files were its use
	d := &process{cfg: cfg, RunOptions: o, started: time.Now(), orders: make(chan order)}
	d.phase.Store("starting")
	if err := d.build(); err != nil {
		d.endAddresses() // some things stand from the start
		return err
	}
	if b := cfg.Balancer; b != nil {
		WritePIDFile(b.Global.PIDFile, o.Log)
		defer RemovePIDFile(b.Global.PIDFile, o.Log)
	}
	return d.serve()
}

// build makes all parts. What it opened is closed again when it fails.
func (d *process) build() error {
	if err := d.buildBalancer(); err != nil {
		return err
	}
	if err := d.buildVRRP(); err != nil {
		return err
	}
	socket, err := admin.Listen(d.Socket, d.status, d.Log)
	if err != nil {
		return err
	}
	socket.Command(admin.Verbs{Handover: d.handover, Maintenance: d.maintenance, Reload: d.askReload})
	d.socket = socket
	// The listeners come last: a client must not reach a daemon that then fails.
	if err := d.listen(); err != nil {
		socket.Close()
		return err
	}
	return nil
}

// serve starts the parts, waits for a reason to stop, and stops them.
func (d *process) serve() error {
	d.failed = make(chan error, 16) // room for each task below
	d.tasks.admin = start(&task{name: "status socket", run: d.socket.Run}, d.failed)
	d.startBalancer()
	err := d.awaitReady(d.tasks.balancer)
	if err == nil {
		// Only now: a probe must not find the balancer down because it is young, and
		// no address may come to a node that does not serve yet.
		slim()
		d.startVRRP()
		d.tasks.watchdog = start(&task{name: "watchdog", run: d.watchdog().run}, d.failed)
		err = d.awaitReady(d.tasks.speaker)
	}
	if err == nil {
		d.announce()
		err = d.awaitEnd()
	}
	d.phase.Store("stopping")
	if errors.Is(err, errStopped) {
		err = nil
	}
	d.shutdown(err)
	return err
}

// slim gives back what reading large files took, before the VRRP thread locks what there
// is: locked memory stays for good. A heap that is large by then grows by half and not to
// the double between two collections. A small one keeps its distance: a collection stops
// the VRRP thread too, until an ordinary one has had a processor.
func slim() {
	const large = 8 << 20
	var m runtime.MemStats
	if runtime.ReadMemStats(&m); m.HeapSys-m.HeapReleased > large {
		debug.SetGCPercent(50)
		debug.FreeOSMemory()
	}
}

// errStopped ends a wait: a signal asked to stop.
var errStopped = errors.New("stopped by a signal")

// awaitReady waits until a part does its work. One that was not asked for is
// ready.
func (d *process) awaitReady(r *running) error {
	if r == nil {
		return nil
	}
	select {
	case <-r.task.Ready():
		return nil
	case err := <-d.failed:
		return err
	case sig := <-d.Signals:
		return d.stopRequested(sig)
	}
}

// announce tells systemd and the log that everything works.
func (d *process) announce() {
	d.phase.Store("running")
	d.Log.Info(fmt.Sprintf("baton %s is running: %s", d.Version, d.cfg.Summary()))
	notify(d.Log, sd.SdNotifyReady)
	d.tellStatus()
	if d.OnReady != nil {
		d.OnReady()
	}
}

// awaitEnd waits for a signal or the failure of a part.
func (d *process) awaitEnd() error {
	changes, calm := d.changes, (<-chan time.Time)(nil)
	for {
		select {
		case sig := <-d.Signals:
			return d.stopRequested(sig)
		case err := <-d.failed:
			return err
		case <-changes:
			d.tellStatus()
			changes, calm = nil, time.After(statusEvery) // hundreds of instances may change at once
		case <-calm:
			changes = d.changes
		case c := <-d.Commands:
			d.obey(c)
		case o := <-d.orders:
			o.done <- d.reload()
		}
	}
}

func (d *process) stopRequested(sig os.Signal) error {
	d.Log.Info("stopping", "signal", sig)
	return errStopped
}

// shutdown ends the parts in the order that hurts clients least: the other baton
// takes over while this one still serves, no new connections, addresses that are
// still here go to the other node (priority 0), the open connections come to their
// end. After a failure there is nothing to wait for:
// the restart is what helps.
func (d *process) shutdown(failure error) {
	notify(d.Log, sd.SdNotifyStopping)
	// The probes would only report what is being taken down. A script that is slow to
	// end must not keep the addresses here, though.
	probes := d.tasks.probes.cancelled()
	if failure == nil {
		d.leave()
	}
	if d.balancer != nil {
		d.balancer.StopListening()
	}
	d.end(d.tasks.speaker, failure)
	d.endAddresses()
	d.end(d.tasks.partner, failure) // with the last state: whatever was left here is free
	d.end(d.tasks.links, failure)
	d.end(probes, failure)
	if d.balancer != nil {
		if failure == nil {
			d.drain()
		}
		d.end(d.tasks.balancer, failure)
	}
	// The speaker has told that it stopped; its scripts had the time of the draining.
	d.end(d.tasks.notifier, failure)
	d.end(d.tasks.mailer, failure)
	d.end(d.tasks.watchdog, failure)
	d.end(d.tasks.admin, failure)
	if failure == nil {
		d.Log.Info("stopped")
	}
}

// end stops a task and logs what went wrong with its end. The failure that
// stops everything is the caller's to tell.
func (d *process) end(r *running, failure error) {
	if err := r.stop(); err != nil && !errors.Is(failure, err) {
		d.Log.Error(fmt.Sprintf("%s: %v", r.task, err))
	}
}

// drain waits for the open connections, until the time is over or a second
// signal comes.
func (d *process) drain() {
	ctx, cancel := context.WithTimeout(context.Background(), cmp.Or(d.balances.Global.HardStopAfter, drainTime))
	defer cancel()
	stop := make(chan struct{})
	defer close(stop)
	go func() {
		select {
		case sig := <-d.Signals:
			d.Log.Info("not waiting for open connections any longer", "signal", sig)
			cancel()
		case <-stop:
		}
	}()
	if err := d.balancer.Drain(ctx); err != nil {
		d.Log.Warn(fmt.Sprintf("connections were cut at the end: %v", err))
	}
}
