package sys

import (
	"fmt"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The error numbers of an interface that went away under a socket.
const (
	ENODEV   = unix.ENODEV
	ENETDOWN = unix.ENETDOWN
	EPERM    = unix.EPERM
)

// BindToDevice ties a socket to one interface: it sends and receives there only.
func (fd FD) BindToDevice(name string) error {
	if err := unix.SetsockoptString(int(fd), unix.SOL_SOCKET, unix.SO_BINDTODEVICE, name); err != nil {
		return fmt.Errorf("bind to device %s: %w", name, err)
	}
	return nil
}

// SetControlPriority marks what a socket sends as network control traffic, so that
// the interface's queues send it first.
func (fd FD) SetControlPriority() error {
	const control = 6 // TC_PRIO_CONTROL of tc-prio(8); the highest that needs no privilege
	return unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_PRIORITY, control)
}

// SendTo sends one datagram without blocking.
func (fd FD) SendTo(b []byte, to *Sockaddr) Errno {
	_, _, e := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)),
		unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, uintptr(unsafe.Pointer(&to.raw)), uintptr(to.len))
	return e
}

// Recv reads one datagram without blocking, whatever mode the socket is in.
func (fd FD) Recv(b []byte) (n int, errno Errno) {
	r, _, e := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)),
		unix.MSG_DONTWAIT, 0, 0)
	return int(r), e
}

// PollSet waits for a few descriptors with the kernel's full resolution of time
// (ppoll(2)); epoll_wait(2) knows milliseconds only.
type PollSet struct {
	fds []unix.PollFd
}

// Reset empties the set.
func (p *PollSet) Reset() { p.fds = p.fds[:0] }

// Add watches fd for reading. Its index is the number of those added before it.
func (p *PollSet) Add(fd FD) { p.fds = append(p.fds, unix.PollFd{Fd: int32(fd), Events: unix.POLLIN}) }

// Ready reports whether the last Wait found the i-th descriptor readable or failed.
func (p *PollSet) Ready(i int) bool { return p.fds[i].Revents != 0 }

// Wait blocks until a descriptor is ready, d has passed (negative counts as 0), or
// a signal came.
func (p *PollSet) Wait(d time.Duration) {
	for i := range p.fds {
		p.fds[i].Revents = 0
	}
	ts := unix.NsecToTimespec(max(int64(d), 0))
	_, _, _ = unix.Syscall6(unix.SYS_PPOLL, uintptr(unsafe.Pointer(unsafe.SliceData(p.fds))), uintptr(len(p.fds)),
		uintptr(unsafe.Pointer(&ts)), 0, 0, 0)
}
