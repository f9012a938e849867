package sys

import (
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Readiness bits of an Event.
const (
	Readable = unix.EPOLLIN
	Writable = unix.EPOLLOUT
	PeerShut = unix.EPOLLRDHUP
	Hangup   = unix.EPOLLHUP
	Failed   = unix.EPOLLERR
)

// Event is one readiness report: Bits, and the two numbers given to Add.
type Event struct {
	Bits uint32
	Fd   int32
	Pad  int32 // the tag given to Add
}

// Epoll is an epoll instance.
type Epoll struct{ fd FD }

// NewEpoll opens an epoll instance.
func NewEpoll() (Epoll, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	return Epoll{FD(fd)}, err
}

// Close closes the instance.
func (e Epoll) Close() { e.fd.Close() }

// AddEdge watches fd edge-triggered in both directions; its events carry tag.
func (e Epoll) AddEdge(fd FD, tag int32) error {
	const edge = unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLRDHUP | unix.EPOLLET
	return e.ctl(unix.EPOLL_CTL_ADD, fd, tag, edge)
}

// AddLevel watches fd for reading, level-triggered.
func (e Epoll) AddLevel(fd FD, tag int32) error {
	return e.ctl(unix.EPOLL_CTL_ADD, fd, tag, unix.EPOLLIN)
}

// Pause stops level-triggered reports of fd until Resume.
func (e Epoll) Pause(fd FD, tag int32) error { return e.ctl(unix.EPOLL_CTL_MOD, fd, tag, 0) }

// Resume undoes Pause.
func (e Epoll) Resume(fd FD, tag int32) error {
	return e.ctl(unix.EPOLL_CTL_MOD, fd, tag, unix.EPOLLIN)
}

// Remove stops watching fd.
func (e Epoll) Remove(fd FD) error { return e.ctl(unix.EPOLL_CTL_DEL, fd, 0, 0) }

func (e Epoll) ctl(op uintptr, fd FD, tag int32, bits uint32) error {
	ev := unix.EpollEvent{Events: bits, Fd: int32(fd), Pad: tag}
	if _, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_CTL, uintptr(e.fd), op, uintptr(fd), uintptr(unsafe.Pointer(&ev)), 0, 0); errno != 0 {
		return errno
	}
	return nil
}

// Events is the caller's room for one Wait.
type Events struct {
	raw [256]unix.EpollEvent
}

// At returns the i-th event of the last Wait.
func (v *Events) At(i int) Event {
	e := &v.raw[i]
	return Event{Bits: e.Events, Fd: e.Fd, Pad: e.Pad}
}

// Poll returns what is ready now, without blocking and without telling the scheduler.
func (e Epoll) Poll(v *Events) int {
	n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(e.fd), uintptr(unsafe.Pointer(&v.raw[0])), uintptr(len(v.raw)), 0, 0, 0)
	if errno != 0 {
		return 0
	}
	return int(n)
}

// Wait blocks until something is ready or d has passed (rounded up to a
// millisecond; negative: no limit). A signal ends it early with 0 events.
func (e Epoll) Wait(v *Events, d time.Duration) int {
	ms := -1
	if d >= 0 {
		ms = int((d + time.Millisecond - 1) / time.Millisecond)
	}
	n, _, errno := unix.Syscall6(unix.SYS_EPOLL_PWAIT, uintptr(e.fd), uintptr(unsafe.Pointer(&v.raw[0])), uintptr(len(v.raw)), uintptr(ms), 0, 0)
	if errno != 0 {
		return 0
	}
	return int(n)
}

// EventFD wakes a loop from another thread.
type EventFD struct{ FD }

// NewEventFD opens an eventfd.
func NewEventFD() (EventFD, error) {
	fd, err := unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC)
	return EventFD{FD(fd)}, err
}

// Wake makes the descriptor readable.
func (e EventFD) Wake() {
	one := uint64(1)
	_, _, _ = unix.RawSyscall(unix.SYS_WRITE, uintptr(e.FD), uintptr(unsafe.Pointer(&one)), 8)
}

// Drain makes it unreadable again; it returns how often Wake was called.
func (e EventFD) Drain() (n uint64) {
	_, _, _ = unix.RawSyscall(unix.SYS_READ, uintptr(e.FD), uintptr(unsafe.Pointer(&n)), 8)
	return n
}
