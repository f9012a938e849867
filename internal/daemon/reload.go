package daemon

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	sd "github.com/coreos/go-systemd/v22/daemon"

	"baton/checkscript"
	"baton/conf/keepalived"
	"baton/internal/admin"
	"baton/internal/diag"
	"baton/internal/mono"
	"baton/internal/sys"
	"baton/vip"
	"baton/vrrp"
	"baton/vrrp/vrrpnet"
)

const (
	// reloadTime bounds the reading of the configuration, in which host names are
	// resolved.
	reloadTime = 10 * time.Second

	// tellTime bounds the wait until everybody has been told what a reload removed.
	tellTime = 2 * time.Second
)

// order is a reload that somebody waits for.
type order struct{ done chan<- admin.Answer }

// askReload is the verb: it has the main goroutine reload, and waits.
func (d *process) askReload(ctx context.Context) admin.Answer {
	done := make(chan admin.Answer, 1) // has room for the answer, if nobody waits any more
	select {
	case d.orders <- order{done}:
	case <-ctx.Done():
		return admin.Answer{Error: "baton is busy starting or stopping"}
	}
	select {
	case a := <-done:
		return a
	case <-ctx.Done():
		return admin.Answer{Error: "it takes long; the log will tell how the reload went"}
	}
}

// reload reads the configuration again and goes on with it, or says why not and goes
// on as before. It runs beside everything that serves; only signals wait for it.
func (d *process) reload() admin.Answer {
	notify(d.Log, fmt.Sprintf("%s\nMONOTONIC_USEC=%d", sd.SdNotifyReloading, sys.MonotonicTime().Microseconds()))
	defer func() {
		notify(d.Log, sd.SdNotifyReady)
		d.tellStatus()
	}()
	d.Log.Info("reloading the configuration")
	ctx, cancel := context.WithTimeout(context.Background(), reloadTime)
	defer cancel()
	cfg, found := Load(ctx, d.Files)
	LogFindings(d.Log, found)
	var text strings.Builder
	_ = found.Write(&text) // a Builder takes everything
	if n := found.Errors(); n > 0 {
		say := Count(n, "error") + " in the configuration: the old one stays in force"
		d.Log.Error(say)
		return admin.Answer{Error: text.String() + say}
	}
	if err := d.change(cfg); err != nil {
		say := fmt.Sprintf("reload: %v; the old configuration stays in force", err)
		d.Log.Error(say)
		return admin.Answer{Error: text.String() + say}
	}
	say := "reloaded: " + cfg.Summary()
	d.Log.Info(say)
	return admin.Answer{Text: text.String() + say}
}

// change puts a configuration in the place of the present one. Everything that can fail
// comes before anything is different; on an error nothing is. The VRRP thread is last:
// what its probes see is the new balancer by then.
func (d *process) change(cfg *Config) error {
	for _, part := range []struct {
		what     string
		was, has bool
	}{
		{"frontend or backend", d.balances != nil, cfg.Balancer != nil},
		{"vrrp_instance", d.half.Load() != nil, cfg.VRRP != nil},
	} {
		switch {
		case part.has && !part.was:
			return fmt.Errorf("a %s cannot be added to a baton that runs without one: restart it", part.what)
		case part.was && !part.has:
			return fmt.Errorf("the last %s cannot be taken from a baton that runs: restart it", part.what)
		}
	}
	serve := func() {}
	if cfg.Balancer != nil {
		next, err := d.balancer.Prepare(cfg.Balancer)
		if err != nil {
			return err
		}
		warnForeignBinds(cfg, d.Log)
		serve = func() {
			next.Serve()
			next = nil
			d.balances = cfg.Balancer
		}
		defer func() {
			if next != nil {
				next.Close()
			}
		}()
	}
	if cfg.VRRP != nil {
		return d.changeVRRP(cfg.VRRP, serve)
	}
	serve()
	return nil
}

// changeVRRP is the part of change that VRRP has. serve puts the new balancer in its
// place.
func (d *process) changeVRRP(cfg *keepalived.Config, serve func()) (err error) {
	old := d.half.Load()
	d.warnFixed(old.cfg, cfg)
	next := &half{cfg: cfg, mailer: old.mailer}
	if err := (&vrrpnet.Change{Instances: protocols(cfg), Groups: groupsOf(cfg)}).Verify(); err != nil {
		return err
	}
	if next.addresses, err = d.newAddresses(cfg); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = next.addresses.Close()
		}
	}()
	next.addresses.Succeed(old.addresses)
	if err := next.addresses.MakeVMACs(); err != nil {
		return err
	}
	beginProbes, err := d.probes.Prepare(cfg.Probes, cfg.ScriptSecurity)
	if err != nil {
		return err
	}
	if err := next.addresses.Reguard(old.addresses); err != nil {
		return err
	}
	// Those that go are told so by their own scripts.
	if err := d.notifier.Reload(withGone(cfg, old.cfg), cfg.ScriptSecurity); err != nil {
		return errors.Join(err, old.addresses.Reguard(next.addresses))
	}
	serve()
	beginProbes()
	select {
	case <-d.reloaded: // of an earlier one that took too long to tell
	default:
	}
	ctx, cancel := context.WithTimeout(context.Background(), reloadTime)
	defer cancel()
	if err := d.speaker.Reload(ctx, d.vrrpChange(old, next)); err != nil { // it has ended
		return errors.Join(err, d.probes.Reload(old.cfg.Probes, old.cfg.ScriptSecurity), d.notifier.Reload(old.cfg.Notify, old.cfg.ScriptSecurity), old.addresses.Reguard(next.addresses))
	}
	d.settle(old, next)
	return nil
}

// vrrpChange is what the VRRP thread has to know.
func (d *process) vrrpChange(old, next *half) vrrpnet.Change {
	c := vrrpnet.Change{
		Instances: protocols(next.cfg), Groups: groupsOf(next.cfg),
		Moved: make(map[string]bool), Health: make(map[string]vrrp.Event),
		Owner: func(now mono.Time, was map[string]string) vrrpnet.Owner {
			next.addresses.Inherit(now, old.addresses, was)
			return next.addresses
		},
	}
	for _, in := range next.cfg.Instances {
		c.Health[in.VRRP.Name] = d.health.of(in)
		c.Moved[in.VRRP.Name] = !slices.ContainsFunc(old.cfg.Instances, func(o keepalived.Instance) bool { return sameHolding(o.VIP, in.VIP) })
	}
	return c
}

// sameHolding reports whether two instances hold the same, whatever their names and
// however they announce it.
func sameHolding(a, b vip.Config) bool {
	a.Instance, b.Instance, a.Announce, b.Announce = "", "", vip.Schedule{}, vip.Schedule{}
	return reflect.DeepEqual(a, b)
}

// settle has everything else follow when the VRRP thread works by the new half.
func (d *process) settle(old, next *half) {
	mailer := d.tasks.mailer
	if !reflect.DeepEqual(old.cfg.Notify.Mail, next.cfg.Notify.Mail) || !slices.EqualFunc(old.cfg.Notify.Targets, next.cfg.Notify.Targets, sameMail) {
		next.mailer = d.newMailer(next.cfg)
	}
	d.half.Store(next)
	if next.mailer != old.mailer {
		d.startMailer()
	}
	d.health.replace(next.cfg.Instances)
	d.partner.reload(d)
	if err := d.tasks.links.stop(); err != nil {
		d.Log.Error(fmt.Sprintf("link watcher: %v", err))
	}
	d.startLinks()
	if err := old.addresses.Close(); err != nil {
		d.Log.Warn(fmt.Sprintf("reload: %v", err))
	}
	select {
	case <-d.reloaded:
	case <-time.After(tellTime):
		d.Log.Warn("reload: scripts of removed instances may not have been told")
	}
	if err := d.notifier.Reload(next.cfg.Notify, next.cfg.ScriptSecurity); err != nil {
		d.Log.Error(err.Error())
	}
	if next.mailer != old.mailer {
		d.end(mailer, nil)
	}
	d.changed()
}

func sameMail(a, b checkscript.Target) bool {
	return a.Group == b.Group && a.Name == b.Name && a.Mail == b.Mail
}

// withGone is what a configuration tells, and what an older one tells beside it, to
// which the end of its instances is told yet.
func withGone(next, old *keepalived.Config) checkscript.Notify {
	out := next.Notify
	out.Targets, out.FIFOs = slices.Clone(out.Targets), slices.Clone(out.FIFOs)
	for _, t := range old.Notify.Targets {
		if !slices.ContainsFunc(out.Targets, func(u checkscript.Target) bool { return u.Group == t.Group && u.Name == t.Name }) {
			out.Targets = append(out.Targets, t)
		}
	}
	for _, f := range old.Notify.FIFOs {
		if !slices.ContainsFunc(out.FIFOs, func(g checkscript.FIFO) bool { return g.Path == f.Path }) {
			out.FIFOs = append(out.FIFOs, f)
		}
	}
	return out
}

// warnFixed tells of what a reload does not change.
func (d *process) warnFixed(old, next *keepalived.Config) {
	if !reflect.DeepEqual(withoutPos(old.Pair), withoutPos(next.Pair)) {
		d.Log.Warn("`pair` has changed: it is not reloaded, restart baton to use it")
	}
}

func withoutPos(p *keepalived.Pair) *keepalived.Pair {
	if p == nil {
		return nil
	}
	q := *p
	q.Pos = diag.Pos{}
	return &q
}
