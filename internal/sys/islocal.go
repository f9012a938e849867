package sys

import (
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"
)

// IsLocal reports whether an address is one of this host, by the kernel's routes: who
// talks to an address of the host itself does it from that address. Trying to bind it
// would tell nothing where net.ipv4.ip_nonlocal_bind is set. Nothing is sent, nothing
// blocks.
func IsLocal(a netip.Addr) bool {
	a = a.Unmap()
	if a.IsLoopback() {
		return true
	}
	family := unix.AF_INET6
	if a.Is4() {
		family = unix.AF_INET
	}
	fd, err := unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return false
	}
	s := FD(fd)
	defer s.Close()
	to := SockaddrOf(netip.AddrPortFrom(a, 9)) // any port does
	if _, _, errno := unix.RawSyscall(unix.SYS_CONNECT, uintptr(s), uintptr(unsafe.Pointer(&to.raw)), uintptr(to.len)); errno != 0 {
		return false
	}
	return s.LocalAddr().Addr() == a
}
