package sys

import (
	"errors"
	"fmt"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// ProcessFD stands for one process, child or not, and never for another one that
// got its number later.
type ProcessFD struct {
	pid int
	fd  FD
}

// OpenProcess returns an error that is ESRCH when the process does not exist.
func OpenProcess(pid int) (*ProcessFD, error) {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return nil, fmt.Errorf("pidfd_open %d: %w", pid, err)
	}
	return &ProcessFD{pid, FD(fd)}, nil
}

// Signal sends a signal. A process that has ended is no error.
func (p *ProcessFD) Signal(sig syscall.Signal) error {
	if err := unix.PidfdSendSignal(int(p.fd), sig, nil, 0); err != nil && !errors.Is(err, unix.ESRCH) {
		return fmt.Errorf("send %v to process %d: %w", sig, p.pid, err)
	}
	return nil
}

// AwaitEnd blocks until the process has ended; its parent may still have to reap it.
func (p *ProcessFD) AwaitEnd(limit time.Duration) error {
	deadline := time.Now().Add(limit)
	for {
		left := max(0, time.Until(deadline))
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(p.fd), Events: unix.POLLIN}}, int(left.Milliseconds()))
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return fmt.Errorf("wait for process %d: %w", p.pid, err)
		case n > 0:
			return nil
		case left == 0:
			return fmt.Errorf("process %d has not ended within %v", p.pid, limit)
		}
	}
}

// Close releases the descriptor and leaves the process alone.
func (p *ProcessFD) Close() { p.fd.Close() }
