package sys

import (
	"time"

	"golang.org/x/sys/unix"
)

// The error numbers by which a kernel tells that nobody is behind a connection.
const (
	ECONNREFUSED = unix.ECONNREFUSED
	ECONNRESET   = unix.ECONNRESET
)

// SetUserTimeout bounds how long sent data may stay unacknowledged before the
// kernel gives the connection up with ETIMEDOUT (TCP_USER_TIMEOUT, tcp(7)).
func (fd FD) SetUserTimeout(d time.Duration) error {
	return unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(d.Milliseconds()))
}
