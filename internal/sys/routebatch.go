package sys

import (
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// RouteBatch sends many rtnetlink requests at a time, with two system calls for all of
// them: the kernel tells of those that fail, and confirms the last. It is for one
// goroutine.
type RouteBatch struct {
	fd     FD
	seq    uint32 // of the last request
	out    []byte
	first  uint32 // of the requests in out
	header int    // where the last of them begins
	in     [8192]byte
}

// OpenRouteBatch opens a socket in the calling thread's network namespace.
func OpenRouteBatch() (*RouteBatch, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("open netlink: %w", err)
	}
	// The kernel answers before the request returns.
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 1}); err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("set timeout of netlink: %w", err)
	}
	// An error need not carry the request that it is about.
	_ = unix.SetsockoptInt(fd, unix.SOL_NETLINK, unix.NETLINK_CAP_ACK, 1)
	return &RouteBatch{fd: FD(fd)}, nil
}

// Close closes the socket.
func (b *RouteBatch) Close() { _ = unix.Close(int(b.fd)) }

// Begin starts a request of a kind (RTM_*); its flags are NLM_F_*. What belongs to it
// follows by Append and Attr.
func (b *RouteBatch) Begin(kind, flags uint16) {
	b.seq++
	if len(b.out) == 0 {
		b.first = b.seq
	}
	b.header = len(b.out)
	b.out = binary.NativeEndian.AppendUint32(b.out, unix.SizeofNlMsghdr)
	b.out = binary.NativeEndian.AppendUint16(b.out, kind)
	b.out = binary.NativeEndian.AppendUint16(b.out, unix.NLM_F_REQUEST|flags)
	b.out = binary.NativeEndian.AppendUint32(b.out, b.seq)
	b.out = append(b.out, 0, 0, 0, 0) // port: the kernel
}

// Append appends the request's own header.
func (b *RouteBatch) Append(data []byte) {
	b.out = append(b.out, data...)
	b.finish()
}

// Attr appends an attribute.
func (b *RouteBatch) Attr(kind uint16, value []byte) {
	b.out = binary.NativeEndian.AppendUint16(b.out, uint16(unix.SizeofRtAttr+len(value)))
	b.out = binary.NativeEndian.AppendUint16(b.out, kind)
	b.out = append(b.out, value...)
	b.finish()
}

// finish aligns what follows, and has the request end here unless something does.
func (b *RouteBatch) finish() {
	for len(b.out)%unix.NLMSG_ALIGNTO != 0 {
		b.out = append(b.out, 0)
	}
	binary.NativeEndian.PutUint32(b.out[b.header:], uint32(len(b.out)-b.header))
}

// Do has the kernel carry the requests out, in their order. It calls failed for each
// that it refuses, by its place since the last Do; the others are done. An error says that the
// fate of all is unknown.
func (b *RouteBatch) Do(failed func(i int, errno Errno)) error {
	if len(b.out) == 0 {
		return nil
	}
	flags := b.out[b.header+6:]
	binary.NativeEndian.PutUint16(flags, binary.NativeEndian.Uint16(flags)|unix.NLM_F_ACK)
	err := unix.Sendto(int(b.fd), b.out, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK})
	b.out = b.out[:0]
	if err != nil {
		return fmt.Errorf("send to netlink: %w", err)
	}
	for {
		n, _, err := unix.Recvfrom(int(b.fd), b.in[:], 0)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return fmt.Errorf("receive from netlink: %w", err)
		}
		last, err := b.answers(b.in[:n], failed)
		if last || err != nil {
			return err
		}
	}
}

// answers reads one datagram: struct nlmsghdr and struct nlmsgerr, once or more often.
func (b *RouteBatch) answers(in []byte, failed func(i int, errno Errno)) (last bool, err error) {
	for len(in) >= unix.SizeofNlMsghdr+4 {
		size := int(binary.NativeEndian.Uint32(in))
		if size < unix.SizeofNlMsghdr+4 || size > len(in) || binary.NativeEndian.Uint16(in[4:]) != unix.NLMSG_ERROR {
			return false, errors.New("receive from netlink: no answer to the request")
		}
		seq := binary.NativeEndian.Uint32(in[8:])
		if seq-b.first <= b.seq-b.first { // else it belongs to a Do that has failed
			if code := int32(binary.NativeEndian.Uint32(in[unix.SizeofNlMsghdr:])); code != 0 {
				failed(int(seq-b.first), Errno(-code))
			}
			last = last || seq == b.seq
		}
		in = in[min(len(in), (size+unix.NLMSG_ALIGNTO-1)&^(unix.NLMSG_ALIGNTO-1)):]
	}
	return last, nil
}
