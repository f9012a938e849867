package sys

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// Batch is the room for one SendBatch: a datagram per entry.
type Batch struct {
	iov  [64]unix.Iovec
	msgs [64]mmsghdr
}

// mmsghdr is the kernel's struct mmsghdr; Go's alignment pads it the same way.
type mmsghdr struct {
	hdr unix.Msghdr
	len uint32
}

// Len is the most datagrams that one SendBatch sends.
func (b *Batch) Len() int { return len(b.msgs) }

// SendBatch sends datagrams, none of them empty, on a connected socket with one
// call (sendmmsg(2)) and without blocking. It returns how many were sent; errno is
// that of the first when none was.
func SendBatch(fd FD, b *Batch, datagrams [][]byte) (n int, errno Errno) {
	count := min(len(datagrams), len(b.msgs))
	if count == 0 {
		return 0, 0
	}
	for i, d := range datagrams[:count] {
		b.iov[i].Base = unsafe.SliceData(d)
		b.iov[i].SetLen(len(d))
		b.msgs[i] = mmsghdr{}
		b.msgs[i].hdr.Iov = &b.iov[i]
		b.msgs[i].hdr.SetIovlen(1)
	}
	r, _, e := unix.RawSyscall6(unix.SYS_SENDMMSG, uintptr(fd), uintptr(unsafe.Pointer(&b.msgs[0])), uintptr(count),
		unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, 0, 0)
	if e != 0 {
		return 0, e
	}
	return int(r), 0
}

// Dup duplicates a descriptor, close-on-exec and never below 3: a write to a
// broken pipe kills a Go program when it goes to descriptor 1 or 2.
func (fd FD) Dup() (FD, error) {
	n, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return NoFD, err
	}
	return FD(n), nil
}
