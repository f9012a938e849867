package sys

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// ProcEventKind says what a process did.
type ProcEventKind uint8

// The kinds of ProcEvent.
const (
	ProcStarted ProcEventKind = iota // forked
	ProcChanged                      // runs another program, or under another name
	ProcEnded
	ProcLost // events were lost: anything may have happened
)

// ProcEvent is something that a process did. Threads are not told of.
type ProcEvent struct {
	Kind ProcEventKind
	PID  int
}

// ProcEvents is a subscription to the kernel's process events (the proc connector).
type ProcEvents struct {
	f   *os.File
	buf [4096]byte
}

// The connector's numbers (linux/connector.h, linux/cn_proc.h).
const (
	connectorProc = 1 // CN_IDX_PROC, CN_VAL_PROC
	connectorHead = 20
	procListen    = 1
	procEventHead = 16
	procAck       = 0x00000000
	procFork      = 0x00000001
	procExec      = 0x00000002
	procComm      = 0x00000200
	procExit      = 0x80000000
)

// OpenProcEvents subscribes. The kernel offers it in its first network and process
// namespace only, with CAP_NET_ADMIN: in a container it fails.
func OpenProcEvents() (*ProcEvents, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_CONNECTOR)
	if err != nil {
		return nil, fmt.Errorf("open proc connector: %w", err)
	}
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: connectorProc}); err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("bind proc connector: %w", err)
	}
	// Room for the forks of a busy host; where it is refused, ProcLost comes sooner.
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 1<<20)
	var msg [unix.SizeofNlMsghdr + connectorHead + 4]byte
	le := binary.NativeEndian
	le.PutUint32(msg[0:], uint32(len(msg)))
	le.PutUint16(msg[4:], unix.NLMSG_DONE)
	le.PutUint32(msg[16:], connectorProc)
	le.PutUint32(msg[20:], connectorProc)
	le.PutUint16(msg[32:], 4) // length of what follows the head
	le.PutUint32(msg[36:], procListen)
	if err := unix.Sendto(fd, msg[:], 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("subscribe to process events: %w", err)
	}
	p := &ProcEvents{f: os.NewFile(uintptr(fd), "proc connector")}
	if err := p.awaitAck(); err != nil {
		p.Close()
		return nil, fmt.Errorf("subscribe to process events: %w", err)
	}
	return p, nil
}

// awaitAck reads up to the kernel's answer. Events of before it do not matter: the
// caller looks at everything once it is subscribed.
func (p *ProcEvents) awaitAck() error {
	_ = p.f.SetReadDeadline(time.Now().Add(time.Second))
	for {
		what, data, err := p.read()
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return errors.New("the kernel does not answer")
		case err != nil && !errors.Is(err, unix.ENOBUFS):
			return err
		case err == nil && what == procAck && len(data) >= 4:
			if errno := binary.NativeEndian.Uint32(data); errno != 0 {
				return unix.Errno(errno)
			}
			return p.f.SetReadDeadline(time.Time{})
		}
	}
}

// read returns one event's kind and what belongs to it.
func (p *ProcEvents) read() (what uint32, data []byte, err error) {
	n, err := p.f.Read(p.buf[:])
	if err != nil {
		return 0, nil, err
	}
	const head = unix.SizeofNlMsghdr + connectorHead
	if n < head+procEventHead+8 || binary.NativeEndian.Uint32(p.buf[unix.SizeofNlMsghdr:]) != connectorProc {
		return 1 << 30, nil, nil // none that we know
	}
	return binary.NativeEndian.Uint32(p.buf[head:]), p.buf[head+procEventHead : n], nil
}

// Next waits for an event. After Close it fails.
func (p *ProcEvents) Next() (ProcEvent, error) {
	for {
		what, data, err := p.read()
		if errors.Is(err, unix.ENOBUFS) {
			return ProcEvent{Kind: ProcLost}, nil
		}
		if err != nil {
			return ProcEvent{}, err
		}
		kind := ProcChanged
		switch what {
		case procFork:
			if len(data) < 16 {
				continue
			}
			kind, data = ProcStarted, data[8:] // behind the parent's
		case procExec, procComm:
		case procExit:
			kind = ProcEnded
		default:
			continue
		}
		thread, process := binary.NativeEndian.Uint32(data), binary.NativeEndian.Uint32(data[4:])
		if thread == process || what == procExec {
			return ProcEvent{Kind: kind, PID: int(process)}, nil
		}
	}
}

// Close ends the subscription and a Next that waits.
func (p *ProcEvents) Close() { _ = p.f.Close() }
