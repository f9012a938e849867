package kernel

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"baton/internal/sys"
	"baton/vip"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
)

// Link is the state of an interface that the configuration names.
type Link struct {
	Name    string
	Index   int        // 0: there is no such interface
	Up      bool       // switched on (IFF_UP) and running: it has a carrier
	Primary netip.Addr // its first IPv4 address that is not a virtual one; may be invalid
	Local   netip.Addr // the same of its IPv6 link-local ones, once they may be used; no zone
}

// resubscribe is the pause after a failure of the watcher.
const resubscribe = time.Second

// Watch tells fn the state of every interface that the configuration names:
// first each as it is, then each change, until ctx ends. fn is called on one
// goroutine, in order. Besides changes, fn is told the same state again when a
// held address has vanished: passed on to the VRRP speaker it wakes the VRRP
// thread, whose Tick then puts the address back.
//
// Watch also writes the Manager's log lines, so it should live longer than the
// VRRP thread. It returns an error only if it
// cannot start; later failures are logged and it starts over.
func (m *Manager) Watch(ctx context.Context, fn func(Link)) error {
	h, err := open()
	if err != nil {
		return err
	}
	defer h.Close()
	w := &watcher{m: m, nl: h, fn: fn, last: map[string]Link{}}
	sock, err := m.subscribe()
	if err != nil {
		return err
	}

	logCtx, stopLog := context.WithCancel(context.Background())
	var log sync.WaitGroup
	log.Go(func() { m.notes.write(logCtx) })
	defer log.Wait()
	defer stopLog()

	for {
		if sock != nil {
			err = w.follow(ctx, sock)
		}
		if ctx.Err() != nil {
			return nil
		}
		if errors.Is(err, syscall.ENOBUFS) {
			// Changes came faster than they were read and some are lost. The new
			// subscription starts with a look at everything.
			m.notes.add(slog.LevelWarn, "missed changes of interfaces, reading them anew")
		} else {
			m.notes.add(slog.LevelError, err.Error())
			select {
			case <-time.After(resubscribe):
			case <-ctx.Done():
				return nil
			}
		}
		sock, err = m.subscribe()
	}
}

func (m *Manager) subscribe() (*nl.NetlinkSocket, error) {
	groups := []uint{sys.GroupLink, sys.GroupIPv4Addr, sys.GroupIPv6Addr}
	if m.routing.used { // a router would hear of every route of the world otherwise
		groups = append(groups, sys.GroupIPv4Route, sys.GroupIPv6Route, sys.GroupIPv4Rule, sys.GroupIPv6Rule)
	}
	sock, err := nl.Subscribe(sys.NetlinkRoute, groups...)
	if err != nil {
		return nil, fmt.Errorf("watch interfaces: %w", err)
	}
	// Room for the changes of a busy host. Where it is refused the default serves,
	// and ENOBUFS comes sooner.
	_ = sock.SetReceiveBufferSize(1<<20, true)
	if !m.heedsOurs() {
		if err := hush(sock); err != nil {
			m.notes.add(slog.LevelWarn, err.Error()) // each is looked at then, and left alone
		}
	}
	return sock, nil
}

// watcher is the state of Watch, on its goroutine.
type watcher struct {
	m    *Manager
	nl   *netlink.Handle
	fn   func(Link)
	last map[string]Link
}

// follow reads changes from a fresh subscription, which it closes, until ctx
// ends or reading fails.
func (w *watcher) follow(ctx context.Context, sock *nl.NetlinkSocket) error {
	stop := context.AfterFunc(ctx, func() { _ = sock.Close() })
	defer func() {
		if stop() {
			_ = sock.Close()
		}
	}()
	// After subscribing, so that no change falls between. What the VRRP thread has read
	// before it may be untrue, too.
	w.m.stale.Store(true)
	w.m.watched.Store(true)
	defer w.m.watched.Store(false)
	if err := w.look(); err != nil {
		return err
	}
	w.wake(&w.m.routing.lost)
	for {
		msgs, _, err := sock.Receive()
		if err != nil {
			return fmt.Errorf("watch interfaces: %w", err)
		}
		changed := false
		for i := range msgs {
			changed = w.heed(&msgs[i]) || changed
		}
		if changed {
			w.m.stale.Store(true)
			// The kernel says nothing of the routes that go with an interface.
			w.wake(&w.m.routing.lost)
			if err := w.look(); err != nil {
				return err
			}
		}
	}
}

// heed looks at one message and says whether interfaces must be read again. Our
// own renewals, every second, must not.
func (w *watcher) heed(msg *syscall.NetlinkMessage) (changed bool) {
	switch msg.Header.Type {
	case sys.MsgNewAddr, sys.MsgDelAddr:
	case sys.MsgNewRoute, sys.MsgDelRoute, sys.MsgNewRule, sys.MsgDelRule:
		if isRoutingLoss(msg) {
			w.wake(&w.m.routing.lost)
		}
		return false
	default:
		return true
	}
	head := nl.DeserializeIfAddrmsg(msg.Data)
	attrs, err := nl.ParseRouteAttr(msg.Data[head.Len():])
	if err != nil {
		return true
	}
	var local netip.Addr
	mark, lifetime := byte(0), uint32(0)
	for _, a := range attrs {
		switch a.Attr.Type {
		case sys.AttrAddr:
			if !local.IsValid() {
				local, _ = netip.AddrFromSlice(a.Value)
			}
		case sys.AttrAddrLocal:
			local, _ = netip.AddrFromSlice(a.Value)
		case sys.AttrAddrProto:
			if len(a.Value) > 0 {
				mark = a.Value[0]
			}
		case sys.AttrAddrLease: // preferred, then valid
			if len(a.Value) >= 8 {
				lifetime = binary.NativeEndian.Uint32(a.Value[4:])
			}
		}
	}
	if msg.Header.Type == sys.MsgDelAddr {
		if name, ok := w.wanted(int(head.Index), netip.PrefixFrom(local, int(head.Prefixlen))); ok {
			w.m.lost.Store(true)
			w.fn(w.last[name])
			return false
		}
	}
	if head.Flags&sys.AddrPermanent != 0 {
		return true // one of ours that somebody has made his
	}
	ours := mark == Protocol || mark == 0 && lifetime <= uint32(vip.LeaseValid.Seconds()) && w.virtual(local) // see resembles
	return w.static(local) || !ours
}

// wake lets the VRRP thread look at its routes and rules at once.
func (w *watcher) wake(lost *atomic.Bool) {
	if !w.m.routing.used || lost.Swap(true) {
		return
	}
	for _, l := range w.last {
		w.fn(l)
		return
	}
}

// wanted reports whether an address that has gone is one that we hold, and on
// which interface.
func (w *watcher) wanted(index int, p netip.Prefix) (ifname string, ok bool) {
	for _, s := range w.m.Status() {
		for _, a := range s.Addresses {
			if a.Wanted && a.Held && a.Prefix == p && w.last[a.Interface].Index == index {
				return a.Interface, true
			}
		}
	}
	return "", false
}

// look reads all interfaces and tells what is new.
func (w *watcher) look() error {
	for _, name := range w.names() {
		l, err := w.read(name)
		if err != nil {
			return err
		}
		if old, known := w.last[name]; !known || old != l {
			w.last[name] = l
			w.fn(l)
		}
	}
	return nil
}

// names lists the interfaces of the configuration: those of the adverts and
// those of the addresses.
func (w *watcher) names() []string {
	var names []string
	add := func(name string) {
		if name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, c := range w.m.cfgs {
		add(c.Interface)
		for _, a := range c.Addresses {
			add(a.Interface)
		}
	}
	for _, name := range w.m.alsoWatched {
		add(name)
	}
	return names
}

func (w *watcher) read(name string) (Link, error) {
	l := Link{Name: name}
	link, err := w.nl.LinkByName(name)
	if err != nil {
		var gone netlink.LinkNotFoundError
		if errors.As(err, &gone) {
			return l, nil
		}
		return l, linkError(name, err)
	}
	at := link.Attrs()
	l.Index = at.Index
	l.Up = at.RawFlags&sys.LinkUp != 0 && at.RawFlags&sys.LinkRunning != 0
	addrs, err := w.nl.AddrList(link, netlink.FAMILY_ALL)
	if errors.Is(err, syscall.ENODEV) {
		return Link{Name: name}, nil // it went while we looked
	}
	if err != nil {
		return l, fmt.Errorf("list addresses of %s: %w", name, err)
	}
	for i := range addrs {
		a := prefixOf(&addrs[i]).Addr()
		switch {
		case w.virtual(a) || ours(&addrs[i]) && !w.static(a):
		case a.Is4() && !l.Primary.IsValid():
			l.Primary = a
		case a.Is6() && a.IsLinkLocalUnicast() && !l.Local.IsValid() && addrs[i].Flags&(sys.AddrTentative|sys.AddrDADFailed) == 0:
			l.Local = a
		}
	}
	return l, nil
}

// virtual reports whether an address is one of the configuration's virtual ones.
func (w *watcher) virtual(a netip.Addr) bool { return w.configured(a, false) }

// static reports whether it is one of the configuration's static ones: adverts may
// come from there.
func (w *watcher) static(a netip.Addr) bool { return w.configured(a, true) }

func (w *watcher) configured(a netip.Addr, static bool) bool {
	for _, c := range w.m.cfgs {
		for _, own := range c.Addresses {
			if c.Static == static && own.Prefix.Addr() == a {
				return true
			}
		}
	}
	return false
}
