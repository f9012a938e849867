package sys

import (
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// TCPInfo is a part of what the kernel knows of a TCP connection (tcp(7), TCP_INFO).
type TCPInfo struct {
	RTT, RTTVar                                         time.Duration
	Unacked, Sacked, Lost, Retrans, Fackets, Reordering uint32
}

// TCPInfo asks the kernel. It allocates nothing; ok is false for what is no TCP socket.
func (fd FD) TCPInfo() (info TCPInfo, ok bool) {
	var raw unix.TCPInfo
	size := uint32(unsafe.Sizeof(raw))
	if _, _, errno := unix.RawSyscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.IPPROTO_TCP, unix.TCP_INFO,
		uintptr(unsafe.Pointer(&raw)), uintptr(unsafe.Pointer(&size)), 0); errno != 0 {
		return TCPInfo{}, false
	}
	return TCPInfo{
		RTT: time.Duration(raw.Rtt) * time.Microsecond, RTTVar: time.Duration(raw.Rttvar) * time.Microsecond,
		Unacked: raw.Unacked, Sacked: raw.Sacked, Lost: raw.Lost, Retrans: raw.Retrans, Fackets: raw.Fackets, Reordering: raw.Reordering,
	}, true
}
