package sys

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// OpenLink opens a socket that sends whole Ethernet frames on an interface (packet(7))
// and receives nothing: its protocol is 0. Frames leave with the source address that
// they hold, whatever the interface's own is.
func OpenLink(index int) (FD, error) {
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return NoFD, fmt.Errorf("open packet socket: %w", err)
	}
	if err := unix.Bind(fd, &unix.SockaddrLinklayer{Ifindex: index}); err != nil {
		_ = unix.Close(fd)
		return NoFD, fmt.Errorf("bind packet socket: %w", err)
	}
	return FD(fd), nil
}
