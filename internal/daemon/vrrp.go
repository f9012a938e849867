package daemon

import (
	"context"
	"fmt"

	"baton/checkscript"
	"baton/vip"
	"baton/vip/kernel"
	"baton/vrrp"
	"baton/vrrp/vrrpnet"
)

// buildSpeaker makes the owner of the addresses and the speaker that drives it.
func (d *process) buildSpeaker() error {
	var protocols []vrrp.Config
	var owned []vip.Config
	for _, in := range d.cfg.VRRP.Instances {
		protocols = append(protocols, in.VRRP)
		owned = append(owned, in.VIP)
	}
	if s := d.cfg.VRRP.Static; s.Static {
		owned = append(owned, s) // the last: others count on the order of the instances
	}
	var err error
	if d.addresses, err = kernel.New(owned, d.Log); err != nil {
		return err
	}
	for _, v := range protocols {
		for _, p := range v.Paths {
			d.addresses.AlsoWatch(p.Interface)
		}
	}
	for _, p := range d.cfg.VRRP.Probes {
		if p.Kind == checkscript.Interface {
			d.addresses.AlsoWatch(p.Interface)
		}
	}
	// We hold the lock, so whoever put them there is dead.
	orphans, err := d.addresses.RemoveOrphans()
	for _, a := range orphans {
		d.Log.Info("removed what a dead baton left", "what", a)
	}
	if err != nil {
		return fmt.Errorf("remove what a dead baton left: %w", err)
	}
	if err := d.addresses.MakeVMACs(); err != nil {
		return err
	}
	if err := d.addresses.Guard(); err != nil {
		return err
	}
	tell := newTeller(func(n checkscript.News) {
		d.notifier.Tell(n)
		d.mailer.Tell(n)
	})
	d.speaker, err = vrrpnet.New(vrrpnet.Options{
		Instances: protocols,
		Groups:    groupsOf(d.cfg.VRRP),
		Owner:     d.addresses,
		OnEvent: func(e vrrpnet.Event) {
			d.refusals.note(e)
			d.partner.onVRRP(e)
			tell.event(e)
			d.changed()
		},
		Log: d.Log,
	})
	return err
}

// watchLinks tells the speaker what happens to the interfaces.
func (d *process) watchLinks(ctx context.Context) error {
	delays := newLinkDelays(d.cfg.VRRP.LinkDelays, func(l kernel.Link) {
		d.speaker.Link(l.Name, l.Index, l.Up, l.Primary, l.Local)
		d.probes.SetInterface(l.Name, l.Up)
	})
	defer delays.end()
	return d.addresses.Watch(ctx, delays.link)
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
