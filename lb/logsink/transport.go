package logsink

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"baton/internal/sys"
	"baton/lb/spec"
)

// dialTimeout bounds the look-up of a log server's name and the connection to it.
const dialTimeout = 5 * time.Second

// opener returns what opens a target, and what is to be closed in the end. A
// descriptor is taken (duplicated) now, as it may be closed or mean another file
// later.
func opener(t spec.LogTarget) (open func() (transport, error), last io.Closer, err error) {
	switch t.Kind {
	case spec.LogFD:
		f, err := dupFile(t)
		if err != nil {
			return nil, nil, err
		}
		return func() (transport, error) { return stream{f}, nil }, f, nil
	case spec.LogUnix:
		return func() (transport, error) { return dialDatagram("unixgram", t.Address) }, nil, nil
	case spec.LogStream:
		connect, write := dialTimeout, time.Duration(0)
		if t.Ring != nil {
			connect, write = t.Ring.Connect, t.Ring.Send
		}
		return func() (transport, error) { return dialStream("tcp", t.Address, connect, write) }, nil, nil
	case spec.LogUnixStream:
		return func() (transport, error) { return dialStream("unix", t.Address, dialTimeout, 0) }, nil, nil
	}
	return func() (transport, error) { return dialDatagram("udp", t.Address) }, nil, nil
}

func dupFile(t spec.LogTarget) (*os.File, error) {
	fd, err := sys.FD(t.FD).Dup()
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), targetName(t)), nil
}

// stream is a descriptor: one write per batch.
type stream struct{ *os.File }

func (f stream) send(b batch) (int, error) { return writeLines(f, b) }

// writeLines writes a batch at once. After an error it tells how many lines went
// out whole.
func writeLines(w io.Writer, b batch) (int, error) {
	last := b.ends[len(b.ends)-1]
	n, err := w.Write(b.text[b.start:last])
	if err == nil {
		return len(b.ends), nil
	}
	lines := 0
	for _, end := range b.ends {
		if end <= b.start+n {
			lines++
		}
	}
	return lines, err
}

// Close leaves the descriptor open: it could not be had again after a failure.
func (f stream) Close() error { return nil }

// connection is a stream socket. What the peer had not read when it went is lost:
// the kernel had taken it.
type connection struct {
	net.Conn
	limit time.Duration // of a write; 0: none
}

func dialStream(network, address string, connect, write time.Duration) (transport, error) {
	d := net.Dialer{Timeout: connect}
	c, err := d.Dial(network, address)
	if err != nil {
		return nil, err
	}
	return connection{c, write}, nil
}

func (c connection) send(b batch) (int, error) {
	if c.limit > 0 {
		if err := c.SetWriteDeadline(time.Now().Add(c.limit)); err != nil {
			return 0, err
		}
	}
	return writeLines(c, b)
}

// datagram is a connected datagram socket: one datagram per line.
type datagram struct {
	net.Conn
	raw   syscall.RawConn
	room  sys.Batch
	parts [][]byte
}

func dialDatagram(network, address string) (transport, error) {
	d := net.Dialer{Timeout: dialTimeout}
	c, err := d.Dial(network, address)
	if err != nil {
		return nil, err
	}
	raw, err := c.(syscall.Conn).SyscallConn()
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return &datagram{Conn: c, raw: raw}, nil
}

// send waits while the socket's buffer, or a unix receiver's queue, is full.
func (d *datagram) send(b batch) (lines int, err error) {
	for lines < len(b.ends) {
		n, err := d.sendSome(b.from(lines))
		lines += n
		if err != nil {
			return lines, err
		}
	}
	return lines, nil
}

func (d *datagram) sendSome(b batch) (n int, err error) {
	d.parts = d.parts[:0]
	for _, end := range b.ends[:min(len(b.ends), d.room.Len())] {
		d.parts = append(d.parts, b.text[b.start:end])
		b.start = end
	}
	refused := false
	waitErr := d.raw.Write(func(fd uintptr) bool {
		for {
			var errno sys.Errno
			n, errno = sys.SendBatch(sys.FD(fd), &d.room, d.parts)
			switch {
			case errno == sys.EAGAIN:
				return false
			case errno == syscall.ECONNREFUSED && !refused && d.isUDP():
				// What an earlier datagram met; this one has not been sent yet.
				refused = true
				continue
			case errno != 0:
				err = errno
			}
			return true
		}
	})
	if waitErr != nil {
		return 0, waitErr
	}
	return n, err
}

func (d *datagram) isUDP() bool {
	_, ok := d.Conn.(*net.UDPConn)
	return ok
}

func tooLong(err error) bool { return errors.Is(err, syscall.EMSGSIZE) }
