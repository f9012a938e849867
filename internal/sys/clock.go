package sys

import "golang.org/x/sys/unix"

// MonotonicMicroseconds is CLOCK_MONOTONIC, as systemd wants it with RELOADING=1.
func MonotonicMicroseconds() int64 {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &t); err != nil {
		return 0
	}
	return t.Nano() / 1000
}
