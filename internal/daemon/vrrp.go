package daemon

import (
	"context"
	"fmt"

	"baton/checkscript"
	"baton/checkscript/mailer"
	"baton/conf/keepalived"
	"baton/vip"
	"baton/vip/kernel"
	"baton/vrrp"
	"baton/vrrp/vrrpnet"
)

// newAddresses makes the owner of the addresses of a configuration.
func (d *process) newAddresses(c *keepalived.Config) (*kernel.Manager, error) {
	var owned []vip.Config
	for _, in := range c.Instances {
		owned = append(owned, in.VIP)
	}
	if c.Static.Static {
		owned = append(owned, c.Static)
	}
	m, err := kernel.New(owned, d.Log)
	if err != nil {
		return nil, err
	}
	for _, in := range c.Instances {
		for _, p := range in.VRRP.Paths {
			m.AlsoWatch(p.Interface)
		}
	}
	for _, p := range c.Probes {
		if p.Kind == checkscript.Interface {
			m.AlsoWatch(p.Interface)
		}
	}
	return m, nil
}

// protocols are the instances of a configuration as the speaker wants them.
func protocols(c *keepalived.Config) []vrrp.Config {
	var out []vrrp.Config
	for _, in := range c.Instances {
		out = append(out, in.VRRP)
	}
	return out
}

// buildSpeaker makes the owner of the addresses and the speaker that drives it.
func (d *process) buildSpeaker() error {
	h := d.half.Load()
	var err error
	if h.addresses, err = d.newAddresses(h.cfg); err != nil {
		return err
	}
	// We hold the lock, so whoever put them there is dead.
	orphans, err := h.addresses.RemoveOrphans()
	for _, a := range orphans {
		d.Log.Info("removed what a dead baton left", "what", a)
	}
	if err != nil {
		return fmt.Errorf("remove what a dead baton left: %w", err)
	}
	if err := h.addresses.MakeVMACs(); err != nil {
		return err
	}
	if err := h.addresses.Guard(); err != nil {
		return err
	}
	tell := newTeller(func(n checkscript.News) {
		d.notifier.Tell(n)
		d.half.Load().mailer.Tell(n)
	})
	d.reloaded = make(chan struct{}, 1)
	d.speaker, err = vrrpnet.New(vrrpnet.Options{
		Instances: protocols(h.cfg),
		Groups:    groupsOf(h.cfg),
		Owner:     h.addresses,
		OnEvent: func(e vrrpnet.Event) {
			d.refusals.note(e)
			d.partner.onVRRP(e)
			tell.event(e)
			d.changed()
			if e.Kind == vrrpnet.Reloaded {
				d.reloaded <- struct{}{} // has room: reloads come one after the other
			}
		},
		Log: d.Log,
	})
	return err
}

// newMailer makes what sends mail about a configuration's changes of state; nil if
// nobody wants any.
func (d *process) newMailer(c *keepalived.Config) *mailer.Mailer {
	return mailer.New(mailer.Options{Notify: c.Notify, Router: d.cfg.Name, Log: d.Log})
}

func (d *process) startMailer() {
	d.tasks.mailer = nil
	if m := d.half.Load().mailer; m != nil {
		d.tasks.mailer = start(&task{name: "mail", run: m.Run}, d.failed)
	}
}

// startLinks begins to watch the interfaces of the present configuration.
func (d *process) startLinks() {
	h := d.half.Load()
	d.tasks.links = start(&task{name: "link watcher", run: func(ctx context.Context) error { return d.watchLinks(ctx, h) }}, d.failed)
}

// watchLinks tells the speaker what happens to the interfaces.
func (d *process) watchLinks(ctx context.Context, h *half) error {
	delays := newLinkDelays(h.cfg.LinkDelays, func(l kernel.Link) {
		d.speaker.Link(l.Name, l.Index, l.Up, l.Primary, l.Local)
		d.probes.SetInterface(l.Name, l.Up)
	})
	defer delays.end()
	return h.addresses.Watch(ctx, delays.link)
}

// endAddresses takes off what stands whoever is master.
func (d *process) endAddresses() {
	h := d.half.Load()
	if h == nil || h.addresses == nil {
		return
	}
	if err := h.addresses.End(); err != nil {
		d.Log.Error(fmt.Sprintf("remove what stood from the start: %v", err))
	}
}

// Release takes the addresses, routes and rules off that a dead baton left in this
// network namespace. It refuses while a baton runs here: they are held, then.
func Release() ([]string, error) {
	lock, err := Acquire()
	if err != nil {
		return nil, err
	}
	defer lock.Release()
	removed, err := kernel.Release()
	if err != nil {
		return removed, fmt.Errorf("release: %w", err)
	}
	return removed, nil
}
