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
	"golang.org/x/net/ipv6"
)

// socketRetry is how long a socket that could not be opened is left alone.
const socketRetry = 5 * time.Second

// link is one family of one interface, with the one socket that all its instances
// share. The VRRP thread owns it; others read the atomics.
type link struct {
	name    string
	six     bool
	members [256]*member // by VRID
	paths   [256]*path   // likewise, of those that have this link as a heartbeat path

	told    bool // the link watcher has spoken of it
	index   int
	up      bool
	primary netip.Addr

	fd       sys.FD // NoFD while the interface is not there or not up
	framed   bool   // some member sends frames of its own
	frames   sys.FD // for them; NoFD like fd
	retry    mono.Time
	problem  string // why there is no socket
	polled   int    // index in the poll set of this turn; -1: not in it
	refusals [packet.NumReasons]limiter

	refused [packet.NumReasons]atomic.Uint64 // packets that belong to no instance
}

// linkKey is what a link is found by.
type linkKey struct {
	name string
	six  bool
}

func newLink(k linkKey) *link {
	return &link{name: k.name, six: k.six, fd: sys.NoFD, frames: sys.NoFD, retry: mono.Never, polled: -1}
}

// update takes what the link watcher says, and opens or closes the socket. The
// socket lives as long as the interface is up: one that was recreated under the
// same name needs a new one, and what an old one has queued is out of date.
func (l *link) update(now mono.Time, index int, up bool, primary netip.Addr) error {
	if l.fd != sys.NoFD && (!up || index != l.index) {
		l.close()
	}
	l.told, l.index, l.up, l.primary = true, index, up, primary
	return l.ensure(now)
}

// ensure opens the socket if there should be one.
func (l *link) ensure(now mono.Time) error {
	l.retry = mono.Never
	if l.fd != sys.NoFD || !l.up || l.index <= 0 {
		return nil
	}
	fd, err := openSocket(l.name, l.index, l.six)
	if err != nil {
		l.retry = now.Add(socketRetry)
		return err
	}
	if l.framed {
		if l.frames, err = sys.OpenLink(l.index); err != nil {
			fd.Close()
			l.retry = now.Add(socketRetry)
			return fmt.Errorf("%w on %s", err, l.name)
		}
	}
	l.fd = fd
	return nil
}

func (l *link) close() {
	if l.fd != sys.NoFD {
		l.fd.Close()
		l.fd = sys.NoFD
	}
	if l.frames != sys.NoFD {
		l.frames.Close()
		l.frames = sys.NoFD
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

func (l *link) send(b []byte, to *sys.Sockaddr) sys.Errno {
	if l.fd == sys.NoFD {
		return sys.ENETDOWN
	}
	return l.fd.SendTo(b, to)
}

// openSocket opens the raw socket of one interface. x/net sets it up; then its
// descriptor is duplicated and the net.IPConn closed, so that Go's netpoller,
// whose goroutines need to be scheduled, has no part in what follows.
func openSocket(name string, index int, six bool) (sys.FD, error) {
	fd := sys.NoFD
	lc := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		var err error
		if cerr := c.Control(func(s uintptr) { err = sys.FD(s).BindToDevice(name) }); cerr != nil {
			return cerr
		}
		return err
	}}
	network, address, prepare := "ip4", "0.0.0.0", prepare4
	if six {
		network, address, prepare = "ip6", "::", prepare6
	}
	c, err := lc.ListenPacket(context.Background(), fmt.Sprintf("%s:%d", network, packet.Protocol), address)
	if err != nil {
		return fd, fmt.Errorf("open socket on %s: %w", name, err)
	}
	defer func() { _ = c.Close() }()
	if err := prepare(c, &net.Interface{Index: index, Name: name}); err != nil {
		return fd, fmt.Errorf("%w on %s", err, name)
	}
	rc, err := c.(*net.IPConn).SyscallConn()
	if err != nil {
		return fd, fmt.Errorf("open socket on %s: %w", name, err)
	}
	if cerr := rc.Control(func(s uintptr) {
		err = sys.FD(s).SetControlPriority()
		if err == nil && six {
			err = sys.FD(s).SetHeaderIncluded()
		}
		if err == nil {
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

// option is one setting of a socket and how it went.
type option struct {
	what string
	err  error
}

func firstFailure(options ...option) error {
	for _, o := range options {
		if o.err != nil {
			return fmt.Errorf("%s: %w", o.what, o.err)
		}
	}
	return nil
}

// prepare4 joins the group and has packets come and go with their headers.
func prepare4(c net.PacketConn, ifi *net.Interface) error {
	raw, err := ipv4.NewRawConn(c) // sets IP_HDRINCL
	if err != nil {
		return fmt.Errorf("include headers: %w", err)
	}
	return firstFailure(
		option{"join the VRRP group", raw.JoinGroup(ifi, &net.IPAddr{IP: packet.Group().AsSlice()})},
		option{"set multicast interface", raw.SetMulticastInterface(ifi)},
		option{"turn multicast loop off", raw.SetMulticastLoopback(false)},
	)
}

// prepare6 does the same. A raw IPv6 socket delivers packets without their header;
// destination and hop limit are asked for beside them.
func prepare6(c net.PacketConn, ifi *net.Interface) error {
	p := ipv6.NewPacketConn(c)
	return firstFailure(
		option{"join the VRRP group", p.JoinGroup(ifi, &net.IPAddr{IP: packet.Group6().AsSlice()})},
		option{"set multicast interface", p.SetMulticastInterface(ifi)},
		option{"turn multicast loop off", p.SetMulticastLoopback(false)},
		option{"ask for hop limits", p.SetControlMessage(ipv6.FlagDst|ipv6.FlagHopLimit, true)},
	)
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
