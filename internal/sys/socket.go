package sys

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Sockaddr is a socket address in the kernel's form, IPv4, IPv6 or of a unix socket, by
// value so that connecting and accepting allocate nothing.
type Sockaddr struct {
	raw [unix.SizeofSockaddrUnix]byte
	len uint32
}

// SockaddrOf converts an address.
func SockaddrOf(a netip.AddrPort) Sockaddr {
	var s Sockaddr
	if a.Addr().Is4() {
		sa := (*unix.RawSockaddrInet4)(unsafe.Pointer(&s.raw))
		sa.Family = unix.AF_INET
		sa.Port = htons(a.Port())
		sa.Addr = a.Addr().As4()
		s.len = unix.SizeofSockaddrInet4
		return s
	}
	sa := (*unix.RawSockaddrInet6)(unsafe.Pointer(&s.raw))
	sa.Family = unix.AF_INET6
	sa.Port = htons(a.Port())
	sa.Addr = a.Addr().As16()
	s.len = unix.SizeofSockaddrInet6
	return s
}

// UnixSockaddr is the address of a unix socket: a path, or a name in the abstract name
// space behind its zero byte, with the zeros that belong to it. What does not fit into
// UnixName bytes is cut off; configurations are checked for that.
func UnixSockaddr(name string) Sockaddr {
	var s Sockaddr
	sa := (*unix.RawSockaddrUnix)(unsafe.Pointer(&s.raw))
	sa.Family = unix.AF_UNIX
	path := unsafe.Slice((*byte)(unsafe.Pointer(&sa.Path)), len(sa.Path))
	n := copy(path, name)
	if n > 0 && path[0] != 0 {
		n = min(n, len(path)-1) + 1 // a path ends with a zero byte (unix(7))
		path[n-1] = 0
	}
	s.len = uint32(unsafe.Offsetof(sa.Path)) + uint32(n)
	return s
}

// AddrPort converts back. IPv4-mapped IPv6 addresses come out as IPv4; the zero
// AddrPort stands for any other family.
func (s *Sockaddr) AddrPort() netip.AddrPort {
	switch *(*uint16)(unsafe.Pointer(&s.raw)) {
	case unix.AF_INET:
		sa := (*unix.RawSockaddrInet4)(unsafe.Pointer(&s.raw))
		return netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), htons(sa.Port))
	case unix.AF_INET6:
		sa := (*unix.RawSockaddrInet6)(unsafe.Pointer(&s.raw))
		return netip.AddrPortFrom(netip.AddrFrom16(sa.Addr).Unmap(), htons(sa.Port))
	}
	return netip.AddrPort{}
}

func htons(p uint16) uint16 { return p<<8 | p>>8 } // baton runs on little-endian machines only (amd64, arm64)

// ListenOptions shape a listening socket.
type ListenOptions struct {
	Backlog  int
	V6Only   bool // IPv6 sockets: leave IPv4 to others
	FreeBind bool // bind an address that this host does not have yet (IP_FREEBIND)
	TCP      TCPOptions
}

// ListenTCP opens a non-blocking listening socket with SO_REUSEADDR and
// SO_REUSEPORT: every event loop has one of its own on the same address.
func ListenTCP(a netip.AddrPort, o ListenOptions) (FD, error) {
	family := unix.AF_INET
	if a.Addr().Is6() {
		family = unix.AF_INET6
	}
	s, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return NoFD, fmt.Errorf("socket: %w", err)
	}
	fd := FD(s)
	set := func(level, opt, v int) {
		if err == nil {
			err = unix.SetsockoptInt(s, level, opt, v)
		}
	}
	set(unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	set(unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
	set(unix.IPPROTO_TCP, unix.TCP_NODELAY, 1) // accepted sockets inherit it
	if o.FreeBind {
		set(unix.IPPROTO_IP, unix.IP_FREEBIND, 1) // holds for IPv6 sockets too
	}
	if family == unix.AF_INET6 {
		v6only := 0
		if o.V6Only {
			v6only = 1
		}
		set(unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, v6only)
	}
	if err != nil {
		fd.Close()
		return NoFD, fmt.Errorf("setsockopt: %w", err)
	}
	if err := o.TCP.set(s, family, o.Backlog); err != nil {
		fd.Close()
		return NoFD, err
	}
	sa := SockaddrOf(a)
	if _, _, errno := unix.Syscall(unix.SYS_BIND, uintptr(s), uintptr(unsafe.Pointer(&sa.raw)), uintptr(sa.len)); errno != 0 {
		fd.Close()
		return NoFD, fmt.Errorf("bind %s: %w", a, errno)
	}
	if err := unix.Listen(s, o.Backlog); err != nil {
		fd.Close()
		return NoFD, fmt.Errorf("listen %s: %w", a, err)
	}
	return fd, nil
}

// CheckPortFree reports EADDRINUSE when another socket listens on the address.
// ListenTCP alone cannot tell: with SO_REUSEPORT a second process of the same user
// would get half of the connections.
func CheckPortFree(a netip.AddrPort) error {
	family := unix.AF_INET
	if a.Addr().Is6() {
		family = unix.AF_INET6
	}
	s, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(s)
	_ = unix.SetsockoptInt(s, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1) // connections in TIME_WAIT do not count
	_ = unix.SetsockoptInt(s, unix.IPPROTO_IP, unix.IP_FREEBIND, 1)
	if family == unix.AF_INET6 {
		_ = unix.SetsockoptInt(s, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 1)
	}
	sa := SockaddrOf(a)
	if _, _, errno := unix.Syscall(unix.SYS_BIND, uintptr(s), uintptr(unsafe.Pointer(&sa.raw)), uintptr(sa.len)); errno != 0 {
		return errno
	}
	return nil
}

// NetConn makes a net.Conn of a connected stream socket, which it takes over.
func NetConn(fd FD) (net.Conn, error) {
	f := os.NewFile(uintptr(fd), "socket")
	defer f.Close()
	return net.FileConn(f)
}

// Accept takes one connection, non-blocking, with the peer's address in from.
func (fd FD) Accept(from *Sockaddr) (FD, Errno) {
	from.len = uint32(len(from.raw))
	n, _, errno := unix.RawSyscall6(unix.SYS_ACCEPT4, uintptr(fd), uintptr(unsafe.Pointer(&from.raw)), uintptr(unsafe.Pointer(&from.len)),
		unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0, 0)
	if errno != 0 {
		return NoFD, errno
	}
	return FD(n), 0
}

// LocalAddr returns the address that a connected socket has on this host.
func (fd FD) LocalAddr() netip.AddrPort {
	var s Sockaddr
	s.len = uint32(len(s.raw))
	if _, _, errno := unix.RawSyscall(unix.SYS_GETSOCKNAME, uintptr(fd), uintptr(unsafe.Pointer(&s.raw)), uintptr(unsafe.Pointer(&s.len))); errno != 0 {
		return netip.AddrPort{}
	}
	return s.AddrPort()
}

// Connect opens a non-blocking stream socket and starts connecting it. errno is 0,
// EINPROGRESS (await Writable, then ask SocketError), or why it failed; the
// descriptor is valid in the first two cases.
func Connect(to *Sockaddr, o *ConnectOptions) (FD, Errno) {
	family := uintptr(*(*uint16)(unsafe.Pointer(&to.raw)))
	s, _, errno := unix.RawSyscall(unix.SYS_SOCKET, family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if errno != 0 {
		return NoFD, errno
	}
	fd := FD(s)
	if family != unix.AF_UNIX {
		fd.NoDelay()
	}
	if o != nil {
		if errno := o.set(fd); errno != 0 {
			fd.Close()
			return NoFD, errno
		}
	}
	_, _, errno = unix.RawSyscall(unix.SYS_CONNECT, s, uintptr(unsafe.Pointer(&to.raw)), uintptr(to.len))
	if errno != 0 && errno != EINPROGRESS {
		fd.Close()
		return NoFD, errno
	}
	return fd, errno
}

// NoDelay turns Nagle's algorithm off: the proxy writes whole messages.
func (fd FD) NoDelay() {
	one := int32(1)
	_, _, _ = unix.RawSyscall6(unix.SYS_SETSOCKOPT, uintptr(fd), unix.IPPROTO_TCP, unix.TCP_NODELAY, uintptr(unsafe.Pointer(&one)), 4, 0)
}

// SocketError returns and clears the pending error of a socket (SO_ERROR).
func (fd FD) SocketError() Errno {
	var v int32
	size := uint32(4)
	_, _, errno := unix.RawSyscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_SOCKET, unix.SO_ERROR, uintptr(unsafe.Pointer(&v)), uintptr(unsafe.Pointer(&size)), 0)
	if errno != 0 {
		return errno
	}
	return Errno(v)
}

// ShutdownWrite sends FIN: the peer reads the end of the stream.
func (fd FD) ShutdownWrite() {
	_, _, _ = unix.RawSyscall(unix.SYS_SHUTDOWN, uintptr(fd), unix.SHUT_WR, 0)
}

// ShutdownRead makes reads find the end of the stream.
func (fd FD) ShutdownRead() {
	_, _, _ = unix.RawSyscall(unix.SYS_SHUTDOWN, uintptr(fd), unix.SHUT_RD, 0)
}

// ResetOnClose makes Close send RST instead of FIN, leaving nothing in TIME_WAIT.
func (fd FD) ResetOnClose() {
	l := unix.Linger{Onoff: 1}
	_, _, _ = unix.RawSyscall6(unix.SYS_SETSOCKOPT, uintptr(fd), unix.SOL_SOCKET, unix.SO_LINGER, uintptr(unsafe.Pointer(&l)), unsafe.Sizeof(l), 0)
}

// SocketPair returns two connected stream sockets, non-blocking.
func SocketPair() (a, b FD, err error) {
	p, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	return FD(p[0]), FD(p[1]), err
}

// HasLocalAddress reports whether this host owns the address now.
func HasLocalAddress(a netip.Addr) bool {
	family := unix.AF_INET
	if a.Is6() {
		family = unix.AF_INET6
	}
	s, err := unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return false
	}
	defer unix.Close(s)
	sa := SockaddrOf(netip.AddrPortFrom(a, 0))
	_, _, errno := unix.Syscall(unix.SYS_BIND, uintptr(s), uintptr(unsafe.Pointer(&sa.raw)), uintptr(sa.len))
	return errno == 0
}

// OpenFileLimit returns the soft and hard limits of open descriptors.
func OpenFileLimit() (soft, hard uint64) {
	var r unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &r) != nil {
		return 1024, 1024
	}
	return r.Cur, r.Max
}

// SetOpenFileLimit sets the soft limit of open descriptors (and the hard one
// with it where that is allowed and needed).
func SetOpenFileLimit(n uint64) error {
	_, hard := OpenFileLimit()
	return unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: n, Max: max(hard, n)})
}

// SetTTL bounds the hops that the socket's packets live for. One of IPv6 may carry IPv4.
func (fd FD) SetTTL(n int) {
	_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_TTL, n)
	_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_IPV6, unix.IPV6_UNICAST_HOPS, n)
}

// Forget makes the close that follows silent: the peer gets neither FIN nor RST. It
// needs CAP_NET_ADMIN; without it the close is an ordinary one (tcp(7), TCP_REPAIR).
func (fd FD) Forget() { _ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_REPAIR, 1) }
