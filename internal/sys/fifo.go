package sys

import (
	"os"

	"golang.org/x/sys/unix"
)

// MakeFIFO makes a named pipe with these permissions, less the umask. It fails with
// fs.ErrExist if anything is there.
func MakeFIFO(path string, perm uint32) error {
	return unix.Mkfifo(path, perm)
}

// Unread returns how many bytes wait in a pipe for somebody to read them; 0 if the
// kernel does not say.
func Unread(pipe *os.File) int {
	n := 0
	c, err := pipe.SyscallConn()
	if err != nil {
		return 0
	}
	if err := c.Control(func(fd uintptr) { n, err = unix.IoctlGetInt(int(fd), unix.TIOCINQ) }); err != nil {
		return 0
	}
	if err != nil {
		return 0
	}
	return n
}
