package sys

import (
	"encoding/binary"
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ipv6HdrIncl is IPV6_HDRINCL of the kernel (Linux 4.5), which x/sys does not have.
const ipv6HdrIncl = 36

// SetHeaderIncluded makes a raw IPv6 socket take packets with their IPv6 header, as
// IP_HDRINCL does for IPv4.
func (fd FD) SetHeaderIncluded() error {
	return unix.SetsockoptInt(int(fd), unix.IPPROTO_IPV6, ipv6HdrIncl, 1)
}

// Datagram6 is what the kernel tells of a packet that came through a raw IPv6
// socket. The addresses have no zone.
type Datagram6 struct {
	From, To netip.Addr
	HopLimit uint8
}

// Receiver6 reads from raw IPv6 sockets. It is the room for one call; a zero one
// is ready.
type Receiver6 struct {
	msg     unix.Msghdr
	iov     unix.Iovec
	name    unix.RawSockaddrInet6
	control [128]byte
}

// Recv reads one packet, without its IPv6 header, into b and does not block. To and
// HopLimit are there if the socket asks for them (IPV6_RECVPKTINFO,
// IPV6_RECVHOPLIMIT).
func (r *Receiver6) Recv(fd FD, b []byte) (n int, d Datagram6, errno Errno) {
	r.iov.Base = unsafe.SliceData(b)
	r.iov.SetLen(len(b))
	r.msg = unix.Msghdr{
		Name: (*byte)(unsafe.Pointer(&r.name)), Namelen: unix.SizeofSockaddrInet6,
		Iov: &r.iov, Control: &r.control[0],
	}
	r.msg.SetIovlen(1)
	r.msg.SetControllen(len(r.control))
	got, _, e := unix.RawSyscall(unix.SYS_RECVMSG, uintptr(fd), uintptr(unsafe.Pointer(&r.msg)), unix.MSG_DONTWAIT)
	if e != 0 {
		return 0, d, e
	}
	d.From = netip.AddrFrom16(r.name.Addr)
	r.read(&d)
	return int(got), d, 0
}

// read takes the control messages apart (cmsg(3)).
func (r *Receiver6) read(d *Datagram6) {
	const head = unix.SizeofCmsghdr
	for c := r.control[:r.msg.Controllen]; len(c) >= head; {
		h := (*unix.Cmsghdr)(unsafe.Pointer(unsafe.SliceData(c)))
		if h.Len < head || h.Len > uint64(len(c)) {
			return
		}
		data := c[head:h.Len]
		switch {
		case h.Level != unix.IPPROTO_IPV6:
		case h.Type == unix.IPV6_PKTINFO && len(data) >= 16:
			d.To = netip.AddrFrom16([16]byte(data))
		case h.Type == unix.IPV6_HOPLIMIT && len(data) >= 4:
			d.HopLimit = uint8(binary.NativeEndian.Uint32(data))
		}
		c = c[min((int(h.Len)+7)&^7, len(c)):]
	}
}
