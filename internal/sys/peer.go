package sys

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// PeerPID returns the process at the other end of a connected unix socket: for a
// client, the one that called listen.
func PeerPID(conn syscall.RawConn) (int, error) {
	var pid int
	var inner error
	err := conn.Control(func(fd uintptr) {
		var cred *unix.Ucred
		if cred, inner = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED); inner == nil {
			pid = int(cred.Pid)
		}
	})
	if err == nil {
		err = inner
	}
	return pid, err
}

// PeerUID returns the user of the process at the other end of a connected unix socket.
func PeerUID(conn syscall.RawConn) (int, error) {
	uid := -1
	var inner error
	err := conn.Control(func(fd uintptr) {
		var cred *unix.Ucred
		if cred, inner = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED); inner == nil {
			uid = int(cred.Uid)
		}
	})
	if err == nil {
		err = inner
	}
	return uid, err
}
