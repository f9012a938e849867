package sys

import "golang.org/x/sys/unix"

// IsTerminal reports whether a descriptor is a terminal.
func IsTerminal(fd uintptr) bool {
	_, err := unix.IoctlGetTermios(int(fd), unix.TCGETS)
	return err == nil
}
