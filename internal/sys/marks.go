package sys

import "golang.org/x/sys/unix"

// Marks are what a socket's packets carry for the kernel and the network to go by.
type Marks struct {
	Mark            uint32 // SO_MARK
	TOS             uint8  // IP_TOS, IPV6_TCLASS; the two lowest bits are the kernel's (ECN)
	HasMark, HasTOS bool
}

// Set marks the packets that the socket sends from now on. What the kernel does not allow
// is left out: CanMark tells beforehand.
func (m *Marks) Set(fd FD) {
	s := int(fd)
	if m.HasMark {
		_ = unix.SetsockoptInt(s, unix.SOL_SOCKET, unix.SO_MARK, int(m.Mark))
	}
	if m.HasTOS {
		tos := int(m.TOS &^ 3)
		// A socket of IPv6 may carry IPv4, and one of IPv4 or a unix socket knows no class.
		_ = unix.SetsockoptInt(s, unix.IPPROTO_IP, unix.IP_TOS, tos)
		_ = unix.SetsockoptInt(s, unix.IPPROTO_IPV6, unix.IPV6_TCLASS, tos)
	}
}

// CanMark tells why this process may not set SO_MARK, nil if it may: CAP_NET_ADMIN.
func CanMark() error {
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(s)
	return unix.SetsockoptInt(s, unix.SOL_SOCKET, unix.SO_MARK, 1)
}
