package sys

import "golang.org/x/sys/unix"

// MakeFIFO makes a named pipe with these permissions, less the umask. It fails with
// fs.ErrExist if anything is there.
func MakeFIFO(path string, perm uint32) error {
	return unix.Mkfifo(path, perm)
}
