package vrrpnet

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync/atomic"
	"syscall"
	"time"

	"baton/internal/mono"
	"baton/internal/sys"
	"baton/vrrp"
	"baton/vrrp/packet"

	"golang.org/x/net/ipv4"
)

// socketRetry is how long a socket that could not be opened is left alone.
const socketRetry = 5 * time.Second

// link is one interface, with the one socket that all its instances share. The
// VRRP thread owns it; others read the atomics.
type link struct {
	name    string
	members [256]*member // by VRID

	index   int
	up      bool
	primary netip.Addr

	fd       sys.FD // NoFD while the interface is not there or not up
	retry    mono.Time
	problem  string // why there is no socket
	polled   int    // index in the poll set of this turn; -1: not in it
	refusals [packet.NumReasons]limiter

	group   sys.Sockaddr
	refused [packet.NumReasons]atomic.Uint64 // packets that belong to no instance
}

func newLink(name string) *link {
	return &link{
		name: name, fd: sys.NoFD, retry: mono.Never, polled: -1,
		group: sys.SockaddrOf(netip.AddrPortFrom(packet.Group(), 0)),
	}
}

// update takes what the link watcher says, and opens or closes the socket. The
// socket lives as long as the interface is up: one that was recreated under the
// same name needs a new one, and what an old one has queued is out of date.
func (l *link) update(now mono.Time, index int, up bool, primary netip.Addr) error {
	if l.fd != sys.NoFD && (!up || index != l.index) {
		l.close()
	}
	l.index, l.up, l.primary = index, up, primary
	return l.ensure(now)
}

// ensure opens the socket if there should be one.
func (l *link) ensure(now mono.Time) error {
	l.retry = mono.Never
	if l.fd != sys.NoFD || !l.up || l.index <= 0 {
		return nil
	}
	fd, err := openSocket(l.name, l.index)
	if err != nil {
		l.retry = now.Add(socketRetry)
		return err
	}
	l.fd = fd
	return nil
}

func (l *link) close() {
	if l.fd != sys.NoFD {
		l.fd.Close()
		l.fd = sys.NoFD
	}
}

// event is the state of the link as the state machines want it.
func (l *link) event() vrrp.Event {
	ev := vrrp.Event{Kind: vrrp.Link, Source: l.primary}
	switch {
	case l.index <= 0:
		ev.Faults = vrrp.LinkMissing
	case !l.up:
		ev.Faults = vrrp.LinkDown
	case l.fd == sys.NoFD:
		ev.Faults = vrrp.NoSocket
	}
	return ev
}

func (l *link) send(b []byte) sys.Errno {
	if l.fd == sys.NoFD {
		return sys.ENETDOWN
	}
	return l.fd.SendTo(b, &l.group)
}

// openSocket opens the raw socket of one interface. x/net sets it up; then its
// descriptor is duplicated and the net.IPConn closed, so that Go's netpoller,
// whose goroutines need to be scheduled, has no part in what follows.
func openSocket(name string, index int) (sys.FD, error) {
	fd := sys.NoFD
	lc := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		var err error
		if cerr := c.Control(func(s uintptr) { err = sys.FD(s).BindToDevice(name) }); cerr != nil {
			return cerr
		}
		return err
	}}
	c, err := lc.ListenPacket(context.Background(), fmt.Sprintf("ip4:%d", packet.Protocol), "0.0.0.0")
	if err != nil {
		return fd, fmt.Errorf("open socket on %s: %w", name, err)
	}
	defer func() { _ = c.Close() }()
	raw, err := ipv4.NewRawConn(c) // sets IP_HDRINCL
	if err != nil {
		return fd, fmt.Errorf("open socket on %s: %w", name, err)
	}
	ifi := &net.Interface{Index: index, Name: name}
	group := &net.IPAddr{IP: packet.Group().AsSlice()}
	for _, option := range []struct {
		what string
		err  error
	}{
		{"join the VRRP group", raw.JoinGroup(ifi, group)},
		{"set multicast interface", raw.SetMulticastInterface(ifi)},
		{"turn multicast loop off", raw.SetMulticastLoopback(false)},
	} {
		if option.err != nil {
			return fd, fmt.Errorf("%s on %s: %w", option.what, name, option.err)
		}
	}
	rc, err := c.(*net.IPConn).SyscallConn()
	if err != nil {
		return fd, fmt.Errorf("open socket on %s: %w", name, err)
	}
	if cerr := rc.Control(func(s uintptr) {
		if err = sys.FD(s).SetControlPriority(); err == nil {
			fd, err = sys.FD(s).Dup()
		}
	}); cerr != nil {
		err = cerr
	}
	if err != nil {
		return sys.NoFD, fmt.Errorf("open socket on %s: %w", name, err)
	}
	discard(fd)
	return fd, nil
}

// discard drops what came in before the socket was tied to its interface: it may
// be from another one.
func discard(fd sys.FD) {
	var b [1]byte
	for {
		if _, errno := fd.Recv(b[:]); errno != 0 {
			return
		}
	}
}
