package sys

import (
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"
)

// FD is a descriptor that its holder owns and must Close once. The zero value is
// descriptor 0; use NoFD for none.
type FD int32

// NoFD is no descriptor.
const NoFD FD = -1

// Errno is a system call's error number; it implements error.
type Errno = unix.Errno

// The error numbers that callers branch on.
const (
	EAGAIN        = unix.EAGAIN
	EINPROGRESS   = unix.EINPROGRESS
	EMFILE        = unix.EMFILE
	ENFILE        = unix.ENFILE
	ENOBUFS       = unix.ENOBUFS
	ENOMEM        = unix.ENOMEM
	EINTR         = unix.EINTR
	EPIPE         = unix.EPIPE
	EINVAL        = unix.EINVAL
	ECONNABORTED  = unix.ECONNABORTED
	EADDRINUSE    = unix.EADDRINUSE
	EADDRNOTAVAIL = unix.EADDRNOTAVAIL
	ETIMEDOUT     = unix.ETIMEDOUT
	EACCES        = unix.EACCES
)

func (fd FD) String() string { return "fd " + strconv.Itoa(int(fd)) }

// Close closes the descriptor. Linux frees it even when close reports an error.
func (fd FD) Close() { _ = unix.Close(int(fd)) }

// Receive reads from a socket without blocking; recv(2) spares what read(2) does for
// files. errno is 0, EAGAIN, or an error; n is 0 at the end of the stream.
func (fd FD) Receive(b []byte) (n int, errno Errno) {
	r, _, e := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), unix.MSG_DONTWAIT, 0, 0)
	return int(r), e
}

// Send writes to a socket without blocking and without SIGPIPE.
func (fd FD) Send(b []byte) (n int, errno Errno) {
	r, _, e := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)),
		unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, 0, 0)
	return int(r), e
}

// Send2 writes two pieces with one call.
func (fd FD) Send2(a, b []byte) (n int, errno Errno) {
	iov := [2]unix.Iovec{{Base: unsafe.SliceData(a)}, {Base: unsafe.SliceData(b)}}
	iov[0].SetLen(len(a))
	iov[1].SetLen(len(b))
	msg := unix.Msghdr{Iov: &iov[0]}
	msg.SetIovlen(2)
	r, _, e := unix.RawSyscall(unix.SYS_SENDMSG, uintptr(fd), uintptr(unsafe.Pointer(&msg)), unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
	return int(r), e
}

// Splice moves up to n bytes between a socket and a pipe without copying them
// through user space (splice(2)), never blocking. It does not cork the socket
// (SPLICE_F_MORE): a stream that pauses must not wait for a timer to be sent.
func Splice(from, to FD, n int) (moved int, errno Errno) {
	r, _, e := unix.RawSyscall6(unix.SYS_SPLICE, uintptr(from), 0, uintptr(to), 0, uintptr(n), unix.SPLICE_F_NONBLOCK|unix.SPLICE_F_MOVE)
	return int(r), e
}

// Pipe makes a non-blocking pipe that holds size bytes where the system allows
// it, and fewer (64 kB) where not.
func Pipe(size int) (r, w FD, err error) {
	var p [2]int
	if err := unix.Pipe2(p[:], unix.O_NONBLOCK|unix.O_CLOEXEC); err != nil {
		return NoFD, NoFD, err
	}
	// Above /proc/sys/fs/pipe-user-pages-soft an unprivileged process is refused; the default size then serves.
	_, _ = unix.FcntlInt(uintptr(p[1]), unix.F_SETPIPE_SZ, size)
	return FD(p[0]), FD(p[1]), nil
}
