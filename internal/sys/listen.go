package sys

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"unsafe"

	"golang.org/x/sys/unix"
)

// maxSunPath is the room for a name in a unix socket's address (unix(7)).
const maxSunPath = 108

// unixSocket opens a unix stream socket bound to the first n bytes of sun_path and
// makes it listen.
func unixSocket(path []byte, n, backlog int) (FD, error) {
	s, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return NoFD, fmt.Errorf("socket: %w", err)
	}
	sa := unix.RawSockaddrUnix{Family: unix.AF_UNIX}
	for i, b := range path {
		sa.Path[i] = int8(b)
	}
	size := unsafe.Offsetof(sa.Path) + uintptr(n)
	if _, _, errno := unix.Syscall(unix.SYS_BIND, uintptr(s), uintptr(unsafe.Pointer(&sa)), size); errno != 0 {
		FD(s).Close()
		return NoFD, fmt.Errorf("bind: %w", errno)
	}
	if err := unix.Listen(s, backlog); err != nil {
		FD(s).Close()
		return NoFD, fmt.Errorf("listen: %w", err)
	}
	return FD(s), nil
}

// ListenAbstract opens a listening socket in the abstract name space. padded fills
// the name up with zeros, which belong to it then.
func ListenAbstract(name string, padded bool, backlog int) (FD, error) {
	if len(name) > maxSunPath-1 {
		return NoFD, fmt.Errorf("the name is longer than %d bytes", maxSunPath-1)
	}
	n := 1 + len(name)
	if padded {
		n = maxSunPath
	}
	return unixSocket(append([]byte{0}, name...), n, backlog)
}

// ListenUnix opens a listening socket that appears as a file: whole, with its mode
// (0: by the umask) and owner (-1: as the process), in the place of a socket that is
// there already.
func ListenUnix(path string, mode uint32, uid, gid, backlog int) (FD, error) {
	if info, err := os.Lstat(path); err == nil && info.Mode()&os.ModeSocket == 0 {
		return NoFD, errors.New("the file exists and is no socket")
	}
	temporary := fmt.Sprintf("%s.%d.tmp", path, os.Getpid())
	if len(temporary) > maxSunPath-1 {
		return NoFD, fmt.Errorf("the path is too long: %d bytes fit", maxSunPath-1-(len(temporary)-len(path)))
	}
	if _, err := os.Stat(filepath.Dir(path)); err != nil {
		return NoFD, err
	}
	_ = os.Remove(temporary) // of a process of our number that died on this line
	fd, err := unixSocket([]byte(temporary), len(temporary)+1, backlog)
	if err != nil {
		return NoFD, err
	}
	if uid != -1 || gid != -1 {
		err = os.Chown(temporary, uid, gid)
	}
	if err == nil && mode != 0 {
		err = os.Chmod(temporary, os.FileMode(mode))
	}
	if err == nil {
		err = os.Rename(temporary, path)
	}
	if err != nil {
		_ = os.Remove(temporary)
		fd.Close()
		return NoFD, err
	}
	return fd, nil
}

// CheckInheritedListener reports why descriptor n is no listening stream socket.
func CheckInheritedListener(n int) error {
	kind, err := unix.GetsockoptInt(n, unix.SOL_SOCKET, unix.SO_TYPE)
	switch {
	case errors.Is(err, unix.EBADF):
		return fmt.Errorf("file descriptor %d is not open", n)
	case err != nil:
		return fmt.Errorf("file descriptor %d is no socket", n)
	case kind != unix.SOCK_STREAM:
		return fmt.Errorf("file descriptor %d is no stream socket", n)
	}
	if listens, err := unix.GetsockoptInt(n, unix.SOL_SOCKET, unix.SO_ACCEPTCONN); err != nil || listens == 0 {
		return fmt.Errorf("file descriptor %d is a socket that does not listen", n)
	}
	return nil
}

// InheritedListener returns a descriptor of its own for the listening socket n that
// the process was started with, which stays open.
func InheritedListener(n int) (FD, error) {
	if err := CheckInheritedListener(n); err != nil {
		return NoFD, err
	}
	fd, err := FD(n).Dup()
	if err != nil {
		return NoFD, err
	}
	if err := unix.SetNonblock(int(fd), true); err != nil {
		fd.Close()
		return NoFD, err
	}
	fd.NoDelay() // means nothing to a unix socket, and fails there
	return fd, nil
}

// Inheritable returns a second descriptor that programs started by this one get,
// with a number above those that anybody counts on.
func (fd FD) Inheritable() (FD, error) {
	const above = 200
	n, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD, above)
	if err != nil {
		return NoFD, fmt.Errorf("dup: %w", err)
	}
	return FD(n), nil
}

// PacketPair returns two connected unix sockets that keep the bounds of messages
// and tell when the other side has gone (SOCK_SEQPACKET).
func PacketPair() (a, b FD, err error) {
	p, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return NoFD, NoFD, fmt.Errorf("socketpair: %w", err)
	}
	return FD(p[0]), FD(p[1]), nil
}

// UnixName is the length of the longest name of a unix socket (unix(7)).
const UnixName = maxSunPath

// Listening prepares a listening stream socket that another process has handed over, and
// tells what it is bound to: an address, or the name of a unix socket, which begins with
// a zero byte in the abstract name space. ok is false for any other descriptor, and for
// one that takes the connections of one interface only.
func (fd FD) Listening() (ip netip.AddrPort, name string, ok bool) {
	unix.CloseOnExec(int(fd))
	if CheckInheritedListener(int(fd)) != nil || unix.SetNonblock(int(fd), true) != nil {
		return ip, "", false
	}
	if device, err := unix.GetsockoptString(int(fd), unix.SOL_SOCKET, unix.SO_BINDTODEVICE); err == nil && device != "" {
		return ip, "", false
	}
	var raw unix.RawSockaddrUnix
	size := uint32(unsafe.Sizeof(raw))
	if _, _, errno := unix.RawSyscall(unix.SYS_GETSOCKNAME, uintptr(fd), uintptr(unsafe.Pointer(&raw)), uintptr(unsafe.Pointer(&size))); errno != 0 {
		return ip, "", false
	}
	if raw.Family != unix.AF_UNIX {
		fd.NoDelay()
		ip = fd.LocalAddr()
		return ip, "", ip.IsValid()
	}
	n := int(size) - int(unsafe.Offsetof(raw.Path))
	if n <= 0 || n > len(raw.Path) {
		return ip, "", false
	}
	b := unsafe.Slice((*byte)(unsafe.Pointer(&raw.Path)), n)
	if b[0] != 0 { // a path ends with a zero byte
		b = bytes.TrimRight(b, "\x00")
	}
	return ip, string(b), true
}
