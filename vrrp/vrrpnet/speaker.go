package vrrpnet

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"

	"baton/internal/mono"
	"baton/vrrp"
)

// Owner holds the addresses. Its methods run on the VRRP thread only.
type Owner interface {
	// Set adds (up) or removes (down) all addresses of an instance and returns
	// when the kernel has confirmed. Both are idempotent.
	Set(instance string, up bool, now mono.Time) error
	// Announce starts the gratuitous ARP schedule.
	Announce(instance string, now mono.Time)
	// Deadline is when the next renewal or announcement is due; mono.Never if none.
	Deadline() mono.Time
	// Tick does what is due.
	Tick(now mono.Time)
}

// Options make a Speaker.
type Options struct {
	Instances []vrrp.Config
	Owner     Owner
	OnEvent   func(Event)  // called in order, on a goroutine of its own; may be nil
	Log       *slog.Logger // written on that goroutine too; nil: no log
}

// Speaker drives VRRP instances.
type Speaker struct {
	opt   Options
	ready chan struct{}
}

// Event is something that happened to an instance.
type Event struct {
	Instance string
	State    vrrp.State
}

// Status is what an instance is doing.
type Status struct {
	Name  string
	State vrrp.State
}

// New checks the options. It opens nothing.
func New(opt Options) (*Speaker, error) {
	return &Speaker{opt: opt, ready: make(chan struct{})}, nil
}

// Run drives the instances until ctx ends, then stops them in order: priority 0
// sent, addresses off.
func (s *Speaker) Run(ctx context.Context) error { return errors.New("vrrp: not built yet") }

// Ready is closed when every instance has started.
func (s *Speaker) Ready() <-chan struct{} { return s.ready }

// Link tells what the link watcher sees.
func (s *Speaker) Link(name string, index int, up bool, primary netip.Addr) {}

// Health tells what the probes of an instance add up to.
func (s *Speaker) Health(instance string, delta int, fault, pending bool) {}

// Status returns a snapshot of every instance, in the order of Options.Instances.
func (s *Speaker) Status() []Status { return nil }
