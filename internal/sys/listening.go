package sys

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"
)

// Listening is a TCP socket that listens in the calling thread's network namespace.
type Listening struct {
	Addr  netip.AddrPort // 0.0.0.0 and :: for all addresses
	Inode uint32
}

// Of linux/inet_diag.h.
const (
	diagRequestLen = 56 // struct inet_diag_req_v2
	diagAnswerLen  = 72 // struct inet_diag_msg
	diagSourcePort = 4  // in the latter: big endian
	diagSource     = 8  // big endian, 16 bytes
	diagInode      = 68

	tcpListen = 10 // TCP_LISTEN
)

// ListeningSockets lists the sockets that listen. /proc/net/tcp has them too, but the
// kernel goes through its whole table of connections for it.
func ListeningSockets() ([]Listening, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_SOCK_DIAG)
	if err != nil {
		return nil, fmt.Errorf("open sock_diag: %w", err)
	}
	defer unix.Close(fd)
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 2}); err != nil {
		return nil, fmt.Errorf("set timeout of sock_diag: %w", err)
	}
	var list []Listening
	for _, family := range []byte{unix.AF_INET, unix.AF_INET6} {
		if list, err = dumpListening(fd, family, list); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func dumpListening(fd int, family byte, list []Listening) ([]Listening, error) {
	b := binary.NativeEndian.AppendUint32(nil, unix.SizeofNlMsghdr+diagRequestLen)
	b = binary.NativeEndian.AppendUint16(b, unix.SOCK_DIAG_BY_FAMILY)
	b = binary.NativeEndian.AppendUint16(b, unix.NLM_F_REQUEST|unix.NLM_F_DUMP)
	b = append(b, make([]byte, 8)...) // sequence, port: the kernel
	b = append(b, family, unix.IPPROTO_TCP, 0, 0)
	b = binary.NativeEndian.AppendUint32(b, 1<<tcpListen)
	b = append(b, make([]byte, diagRequestLen-8)...) // of all addresses
	if err := unix.Sendto(fd, b, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return nil, fmt.Errorf("ask sock_diag: %w", err)
	}
	in := make([]byte, 32<<10)
	for {
		n, _, err := unix.Recvfrom(fd, in, 0)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("receive from sock_diag: %w", err)
		}
		for m := in[:n]; len(m) >= unix.SizeofNlMsghdr; {
			size := int(binary.NativeEndian.Uint32(m))
			if size < unix.SizeofNlMsghdr || size > len(m) {
				return nil, errors.New("receive from sock_diag: short message")
			}
			body := m[unix.SizeofNlMsghdr:size]
			switch kind := binary.NativeEndian.Uint16(m[4:]); {
			case kind == unix.NLMSG_DONE:
				return list, nil
			case kind == unix.NLMSG_ERROR && len(body) >= 4:
				return nil, fmt.Errorf("ask sock_diag: %w", unix.Errno(-int32(binary.NativeEndian.Uint32(body))))
			case kind == unix.SOCK_DIAG_BY_FAMILY && len(body) >= diagAnswerLen:
				list = append(list, listening(family, body))
			}
			m = m[min(len(m), (size+unix.NLMSG_ALIGNTO-1)&^(unix.NLMSG_ALIGNTO-1)):]
		}
	}
}

func listening(family byte, body []byte) Listening {
	length := 16
	if family == unix.AF_INET {
		length = 4
	}
	addr, _ := netip.AddrFromSlice(body[diagSource : diagSource+length])
	return Listening{
		Addr:  netip.AddrPortFrom(addr.Unmap(), binary.BigEndian.Uint16(body[diagSourcePort:])),
		Inode: binary.NativeEndian.Uint32(body[diagInode:]),
	}
}
