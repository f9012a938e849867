package vrrpnet

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"

	"baton/internal/mono"
	"baton/internal/sys"
	"baton/vrrp"
	"baton/vrrp/packet"
)

// Owner holds the addresses. Its methods run on the VRRP thread only.
type Owner interface {
	// Set adds (up) or removes (down) all addresses of an instance and returns
	// when the kernel has confirmed. Both are idempotent. When adding fails, the
	// instance leaves MASTER with priority 0, goes to FAULT, and tries again after
	// 10 s, doubling up to 320 s: every attempt takes the addresses from a node
	// that may hold them well. Where there are many it calls pause now and then,
	// which sends what adverts have become due.
	Set(instance string, up bool, now mono.Time, pause func()) error
	// Announce starts the schedule of gratuitous ARP and neighbour advertisements,
	// in a conflict with a node that claims the addresses too, or else after a
	// takeover.
	Announce(instance string, conflict bool, now mono.Time)
	// Deadline is when the next renewal or announcement is due; mono.Never if none.
	Deadline() mono.Time
	// Tick does what is due, or nearly: it is called whenever the thread is awake.
	Tick(now mono.Time)
}

// Options make a Speaker.
type Options struct {
	Instances []vrrp.Config
	Groups    []Group // vrrp_sync_group; an instance is in one at most
	Owner     Owner
	OnEvent   func(Event)  // called in order, on a goroutine of its own; may be nil
	Log       *slog.Logger // written on that goroutine too; nil: no log
}

// Speaker drives VRRP instances.
type Speaker struct {
	opt     Options
	roster  atomic.Pointer[roster]
	mail    *mailbox
	queue   *queue
	ready   chan struct{}
	started atomic.Bool
	beat    atomic.Int64 // mono.Time of the last turn, or notRunning
}

// New checks the options. It opens no socket yet.
func New(opt Options) (*Speaker, error) {
	s := &Speaker{
		opt: opt, queue: newQueue(), ready: make(chan struct{}),
	}
	s.beat.Store(notRunning)
	if opt.Owner == nil {
		return nil, errors.New("vrrp: nobody to hold the addresses")
	}
	r, err := newRoster(opt.Instances, opt.Groups)
	if err != nil {
		return nil, err
	}
	s.roster.Store(r)
	if len(r.members) > 0 && !sys.HasCapability(sys.CapNetRaw) {
		return nil, errors.New("vrrp: no permission to open VRRP sockets: run as root or with the capability CAP_NET_RAW")
	}
	if s.mail, err = newMailbox(); err != nil {
		return nil, fmt.Errorf("vrrp: eventfd: %w", err)
	}
	return s, nil
}

// Run drives the instances until ctx ends, then stops them in order: priority 0
// sent, addresses off. It works in the network namespace of the calling goroutine's
// thread; a caller who has locked that thread to himself should have a reason (thread.go).
// It may be called once.
func (s *Speaker) Run(ctx context.Context) error {
	if s.started.Swap(true) {
		return errors.New("vrrp: the speaker has run already")
	}
	if ctx.Err() != nil {
		return nil
	}
	var consumer sync.WaitGroup
	consumer.Go(s.consume)
	defer consumer.Wait()
	defer close(s.queue.events)

	stop := context.AfterFunc(ctx, func() { s.mail.put(&order{kind: orderStop}) })
	defer stop()

	l := &loop{s: s, r: s.roster.Load(), owner: s.opt.Owner, naps: newNapClock(sys.BootTime, mono.Now)}
	if err := l.openTicker(); err != nil {
		return fmt.Errorf("vrrp: %w", err)
	}
	defer l.tick.Close()
	s.protect()
	defer l.thread.release()
	l.advert.Addresses = make([]netip.Addr, 0, packet.MaxAddresses)
	s.beat.Store(int64(mono.Now()))
	defer s.beat.Store(notRunning)
	l.start()
	close(s.ready)
	l.run()
	return nil
}

// Ready is closed when every instance has started.
func (s *Speaker) Ready() <-chan struct{} { return s.ready }

// Link tells what the link watcher sees: index 0 means that there is no such
// interface, up that it can carry traffic, primary its addresses to send from, one
// of each family (none or zero: there is none). Interfaces without instances are
// ignored. An instance whose interface nobody has spoken about one second after
// Run reports it as missing.
func (s *Speaker) Link(name string, index int, up bool, primary ...netip.Addr) {
	for _, six := range []bool{false, true} {
		o := &order{kind: orderLink, link: linkKey{name, six}, index: index, up: up}
		for _, a := range primary {
			if a = a.Unmap().WithZone(""); a.IsValid() && a.Is6() == six {
				o.primary = a
			}
		}
		s.mail.put(o)
	}
}

// Hint tells an instance what the pair link knows: an event from vrrp.PeerGone on.
func (s *Speaker) Hint(instance string, ev vrrp.Event) {
	if ev.Kind < vrrp.PeerGone {
		panic("BUG: no hint")
	}
	s.mail.put(&order{kind: orderHint, instance: instance, event: ev})
}

// Health tells what the probes of an instance add up to: delta is added to the
// base priority, fault puts it into FAULT, pending keeps it out of BACKUP. What is
// told before Run is known when the instances start.
func (s *Speaker) Health(instance string, delta int, fault, pending bool) {
	s.mail.put(&order{kind: orderHealth, instance: instance, event: vrrp.Event{Kind: vrrp.Health, Delta: delta, Fault: fault, Pending: pending}})
}
