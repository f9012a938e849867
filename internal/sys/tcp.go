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

// ReduceMSS makes segments smaller than those agreed on by n bytes. It does what it
// can: a segment has a least size.
func (fd FD) ReduceMSS(n int) {
	if size, err := unix.GetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_MAXSEG); err == nil {
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_MAXSEG, size-n)
	}
}

// SetUserTimeout bounds how long sent data may stay unacknowledged before the
// kernel gives the connection up with ETIMEDOUT (TCP_USER_TIMEOUT, tcp(7)).
func (fd FD) SetUserTimeout(d time.Duration) error {
	return unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(d.Milliseconds()))
}
