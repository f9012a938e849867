package sys

import (
	"fmt"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Keepalive is SO_KEEPALIVE and its limits; 0 leaves the system's.
type Keepalive struct {
	On         bool
	Probes     int
	Idle, Each time.Duration // whole seconds
}

func (k *Keepalive) set(s int) error {
	if !k.On {
		return nil
	}
	if err := unix.SetsockoptInt(s, unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1); err != nil {
		return fmt.Errorf("keepalive: %w", err)
	}
	for _, o := range []struct{ option, value int }{
		{unix.TCP_KEEPCNT, k.Probes},
		{unix.TCP_KEEPIDLE, int(k.Idle / time.Second)},
		{unix.TCP_KEEPINTVL, int(k.Each / time.Second)},
	} {
		if o.value > 0 {
			if err := unix.SetsockoptInt(s, unix.IPPROTO_TCP, o.option, o.value); err != nil {
				return fmt.Errorf("keepalive: %w", err)
			}
		}
	}
	return nil
}

// TCPOptions are what a listening socket passes on to the connections that it accepts,
// and what shapes how it accepts them. The zero value changes nothing.
type TCPOptions struct {
	Interface   string        // SO_BINDTODEVICE
	MSS         int           // TCP_MAXSEG; 0: the kernel's
	FastOpen    bool          // TCP_FASTOPEN, as many pending as the backlog
	Defer       bool          // TCP_DEFER_ACCEPT: a connection counts from its first data on
	Transparent bool          // IP_TRANSPARENT
	UserTimeout time.Duration // TCP_USER_TIMEOUT
	Keepalive   Keepalive
}

func (o *TCPOptions) set(s, family, backlog int) error {
	if o.Interface != "" {
		if err := unix.BindToDevice(s, o.Interface); err != nil {
			return fmt.Errorf("interface %s: %w", o.Interface, err)
		}
	}
	transparent := [2]int{unix.IPPROTO_IP, unix.IP_TRANSPARENT}
	if family == unix.AF_INET6 {
		transparent = [2]int{unix.IPPROTO_IPV6, unix.IPV6_TRANSPARENT}
	}
	for _, one := range []struct {
		name                 string
		wanted               bool
		level, option, value int
	}{
		{"mss", o.MSS > 0, unix.IPPROTO_TCP, unix.TCP_MAXSEG, o.MSS},
		{"tfo", o.FastOpen, unix.IPPROTO_TCP, unix.TCP_FASTOPEN, backlog},
		{"defer-accept", o.Defer, unix.IPPROTO_TCP, unix.TCP_DEFER_ACCEPT, 60},
		{"transparent", o.Transparent, transparent[0], transparent[1], 1},
		{"tcp-ut", o.UserTimeout > 0, unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(o.UserTimeout.Milliseconds())},
	} {
		if one.wanted {
			if err := unix.SetsockoptInt(s, one.level, one.option, one.value); err != nil {
				return fmt.Errorf("%s: %w", one.name, err)
			}
		}
	}
	return o.Keepalive.set(s)
}

// ConnectOptions shape a connection that is opened. nil changes nothing.
type ConnectOptions struct {
	Source      *Sockaddr // where it comes from; nil: as the kernel chooses
	Interface   string
	Transparent bool // Source need not be an address of this host; needs CAP_NET_ADMIN
	UserTimeout time.Duration
	Keepalive   Keepalive
	Marks       Marks
}

// CheckTransparent reports why sockets cannot have addresses that are not this host's.
func CheckTransparent() error {
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(s)
	return unix.SetsockoptInt(s, unix.IPPROTO_IP, unix.IP_TRANSPARENT, 1)
}

func (o *ConnectOptions) set(fd FD) Errno {
	s := int(fd)
	if o.Interface != "" {
		if err := unix.BindToDevice(s, o.Interface); err != nil {
			return errnoOf(err)
		}
	}
	if o.UserTimeout > 0 {
		if err := fd.SetUserTimeout(o.UserTimeout); err != nil {
			return errnoOf(err)
		}
	}
	if err := o.Keepalive.set(s); err != nil {
		return EINVAL
	}
	o.Marks.Set(fd)
	if o.Source == nil {
		return 0
	}
	family := *(*uint16)(unsafe.Pointer(&o.Source.raw))
	if o.Transparent {
		level, option := unix.IPPROTO_IP, unix.IP_TRANSPARENT
		if family == unix.AF_INET6 {
			level, option = unix.IPPROTO_IPV6, unix.IPV6_TRANSPARENT
		}
		if err := unix.SetsockoptInt(s, level, option, 1); err != nil {
			return errnoOf(err)
		}
	}
	// A port that is given may be in TIME_WAIT, or lead to other servers too.
	_ = unix.SetsockoptInt(s, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	// The port is chosen when the destination is known, so that one serves many.
	_ = unix.SetsockoptInt(s, unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1)
	_, _, errno := unix.RawSyscall(unix.SYS_BIND, uintptr(fd), uintptr(unsafe.Pointer(&o.Source.raw)), uintptr(o.Source.len))
	return errno
}

// Control shapes a connection that package net opens: net.Dialer's Control.
func (o *ConnectOptions) Control(_, _ string, c syscall.RawConn) error {
	var errno Errno
	if err := c.Control(func(fd uintptr) { errno = o.set(FD(fd)) }); err != nil {
		return err
	}
	if errno != 0 {
		return errno
	}
	return nil
}

func errnoOf(err error) Errno {
	if errno, ok := err.(Errno); ok {
		return errno
	}
	return EINVAL
}
