package daemon

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	sd "github.com/coreos/go-systemd/v22/daemon"

	"baton/checkscript"
	"baton/conf/keepalived"
	"baton/internal/diag"
	"baton/internal/mono"
	"baton/internal/sys"
	"baton/lb/spec"
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

// reload reads the configuration again and goes on with it, or says why not and goes
// on as before. It runs beside everything that serves; only signals wait for it.
func (d *process) reload() {
	notify(d.Log, fmt.Sprintf("%s\nMONOTONIC_USEC=%d", sd.SdNotifyReloading, sys.MonotonicTime().Microseconds()))
	defer func() {
		notify(d.Log, sd.SdNotifyReady)
		d.tellStatus()
	}()
	d.Log.Info("reloading the configuration")
	ctx, cancel := context.WithTimeout(context.Background(), reloadTime)
	defer cancel()
	cfg, found := Load(ctx, d.Files)
	if found.Errors() == 0 && cfg.VRRP != nil && d.half.Load() != nil {
		// It works with the balancer that runs, whatever the files say about another.
		found = append(found, link(cfg.VRRP, d.runningBalancer())...)
	}
	LogFindings(d.Log, found)
	if n := found.Errors(); n > 0 {
		d.Log.Error(Count(n, "error") + " in the configuration: the old one stays in force")
		return
	}
	if err := d.change(ctx, cfg); err != nil {
		d.Log.Error(fmt.Sprintf("reload: %v; the old configuration stays in force", err))
		return
	}
	if !sameSections(cfg, d.cfg) {
		d.Log.Warn("HAProxy's sections have changed: they are not reloaded yet, restart baton to use them")
	}
}

func (d *process) runningBalancer() *spec.Config {
	if d.cfg.Balancer == nil {
		return &spec.Config{}
	}
	return d.cfg.Balancer
}

// sameSections compares HAProxy's part of two configurations, word by word.
func sameSections(a, b *Config) bool {
	var words [2][]string
	for i, c := range []*Config{a, b} {
		for _, s := range c.tree.Sections {
			words[i] = append(words[i], "section", s.Keyword.Text)
			for _, w := range s.Args {
				words[i] = append(words[i], w.Text)
			}
			for _, l := range s.Lines {
				words[i] = append(words[i], fmt.Sprint("line ", l.No, l.Default))
				for _, w := range l.Words {
					words[i] = append(words[i], w.Text)
				}
			}
		}
	}
	return slices.Equal(words[0], words[1])
}

// change puts the VRRP half of a configuration in the place of the present one.
// Everything that can fail comes before anything is different; on an error nothing is.
func (d *process) change(ctx context.Context, cfg *Config) (err error) {
	old := d.half.Load()
	switch {
	case old == nil && cfg.VRRP == nil:
		return nil // which the caller tells
	case old == nil:
		return errors.New("a vrrp_instance cannot be added to a baton that runs without one: restart it")
	case cfg.VRRP == nil:
		return errors.New("the last vrrp_instance cannot be taken from a baton that runs: restart it")
	}
	d.warnFixed(old.cfg, cfg.VRRP)

	next := &half{cfg: cfg.VRRP, mailer: old.mailer}
	if next.addresses, err = d.newAddresses(next.cfg); err != nil {
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
	if err := d.probes.Reload(next.cfg.Probes); err != nil {
		return err
	}
	if err := next.addresses.Reguard(old.addresses); err != nil {
		return errors.Join(err, d.probes.Reload(old.cfg.Probes))
	}
	// Those that go are told so by their own scripts.
	if err := d.notifier.Reload(withGone(next.cfg, old.cfg)); err != nil {
		return errors.Join(err, d.probes.Reload(old.cfg.Probes), old.addresses.Reguard(next.addresses))
	}
	select {
	case <-d.reloaded: // of an earlier one that took too long to tell
	default:
	}
	c := d.vrrpChange(old, next)
	if err := d.speaker.Reload(ctx, c); err != nil {
		return errors.Join(err, d.probes.Reload(old.cfg.Probes), d.notifier.Reload(old.cfg.Notify.Targets), old.addresses.Reguard(next.addresses))
	}
	d.settle(old, next)
	d.Log.Info("reloaded: " + (&Config{Balancer: d.cfg.Balancer, VRRP: next.cfg}).Summary())
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
	if err := d.notifier.Reload(next.cfg.Notify.Targets); err != nil {
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

// withGone returns the targets of a configuration and those of an older one that it
// does not have.
func withGone(next, old *keepalived.Config) []checkscript.Target {
	out := slices.Clone(next.Notify.Targets)
	for _, t := range old.Notify.Targets {
		if !slices.ContainsFunc(out, func(u checkscript.Target) bool { return u.Group == t.Group && u.Name == t.Name }) {
			out = append(out, t)
		}
	}
	return out
}

// warnFixed tells of what a reload does not change.
func (d *process) warnFixed(old, next *keepalived.Config) {
	if !reflect.DeepEqual(withoutPos(old.Pair), withoutPos(next.Pair)) {
		d.Log.Warn("`pair` has changed: it is not reloaded, restart baton to use it")
	}
	same := func(a, b checkscript.FIFO) bool {
		return a.Keyword == b.Keyword && a.Path == b.Path && a.User == b.User && a.Group == b.Group && sameCommand(a.Script, b.Script)
	}
	if !slices.EqualFunc(old.Notify.FIFOs, next.Notify.FIFOs, same) {
		d.Log.Warn("notify FIFOs have changed: they are not reloaded, restart baton to use them")
	}
	if old.ScriptSecurity != next.ScriptSecurity {
		d.Log.Warn("enable_script_security has changed: it is not reloaded, restart baton to use it")
	}
}

func sameCommand(a, b *checkscript.Command) bool {
	if a == nil || b == nil {
		return a == b
	}
	return slices.Equal(a.Argv, b.Argv) && a.User == b.User && a.Group == b.Group
}

func withoutPos(p *keepalived.Pair) *keepalived.Pair {
	if p == nil {
		return nil
	}
	q := *p
	q.Pos = diag.Pos{}
	return &q
}
