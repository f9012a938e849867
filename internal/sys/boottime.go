package sys

import (
	"fmt"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// BootTime reads CLOCK_BOOTTIME: since the machine was started, the time included in
// which it was suspended. The monotonic clock, which Go's runtime reads, leaves that out.
func BootTime() time.Duration {
	var ts unix.Timespec
	_, _, _ = unix.RawSyscall(unix.SYS_CLOCK_GETTIME, unix.CLOCK_BOOTTIME, uintptr(unsafe.Pointer(&ts)), 0) // cannot fail (Linux 2.6.39)
	return time.Duration(ts.Nano())
}

// Ticker is a descriptor that becomes readable at intervals of CLOCK_BOOTTIME: a
// thread that waits for it wakes up as soon as the machine does.
type Ticker struct{ FD }

// NewTicker opens a ticker (timerfd_create(2)).
func NewTicker(every time.Duration) (Ticker, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_BOOTTIME, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return Ticker{NoFD}, fmt.Errorf("timerfd: %w", err)
	}
	ts := unix.NsecToTimespec(int64(every))
	if err := unix.TimerfdSettime(fd, 0, &unix.ItimerSpec{Interval: ts, Value: ts}, nil); err != nil {
		_ = unix.Close(fd)
		return Ticker{NoFD}, fmt.Errorf("timerfd: %w", err)
	}
	return Ticker{FD(fd)}, nil
}

// Drain makes the ticker unreadable until its next tick and returns how many there
// were.
func (t Ticker) Drain() (ticks uint64) {
	_, _, e := unix.RawSyscall(unix.SYS_READ, uintptr(t.FD), uintptr(unsafe.Pointer(&ticks)), unsafe.Sizeof(ticks))
	if e != 0 {
		return 0
	}
	return ticks
}

// MonotonicTime reads CLOCK_MONOTONIC, as systemd wants it told.
func MonotonicTime() time.Duration {
	var ts unix.Timespec
	_, _, _ = unix.RawSyscall(unix.SYS_CLOCK_GETTIME, unix.CLOCK_MONOTONIC, uintptr(unsafe.Pointer(&ts)), 0) // as above
	return time.Duration(ts.Nano())
}
