package engine

import (
	"errors"
	"io"
	"net/netip"
	"unsafe"

	"baton/internal/mono"
	"baton/internal/sys"
)

// ErrAbandoned is the error of a connection that is not wanted any more.
var ErrAbandoned = errors.New("abandoned")

// ErrTimeout is the error of an operation whose deadline passed.
var ErrTimeout = errors.New("timed out")

// Want says for what a task waits on a Conn.
type Want uint8

// The wants; they combine.
const (
	ToRead Want = 1 << iota
	ToWrite
)

// Conn is a non-blocking stream socket on a loop. It belongs to one task at a
// time, or to nobody while it is idle in a pool.
type Conn struct {
	// What an event needs stands together, in one line of the cache.
	fd       sys.FD
	want     Want // for what the task waits
	readable bool // the next read may find bytes or the end
	writable bool
	failed   bool    // and not by a FIN
	given    bool    // up, by Abandon
	shut     bool    // the peer has sent FIN or the socket has failed: reads never wait again
	watched  bool    // the kernel reports its events
	task     *Task   // who waits
	stack    uintptr // where the waiting task's stack ends; to be fetched ahead, not read
	loop     *Loop

	heeds *Task // who is to wake when the conn ends, whatever it waits for

	// Idle is told when something arrives on a conn that no task waits for; for a
	// pooled server connection that can only be its end. A task must have waited for
	// the conn before, as it has for every answer.
	Idle IdleWatcher

	local netip.AddrPort // once asked for
}

// IdleWatcher looks after an idle conn.
type IdleWatcher interface{ Arrived(*Conn) }

// Take takes over a connected descriptor. Its first read and write are tried without
// asking; the kernel is told to report its events when a task first has to wait for
// one. Many connections never wait: their request is there when they are accepted, and
// they end with its answer.
func (l *Loop) Take(fd sys.FD) *Conn {
	c := l.conn(fd)
	c.readable, c.writable = true, true
	return c
}

func (l *Loop) conn(fd sys.FD) *Conn {
	var c *Conn
	if n := len(l.conns); n > 0 {
		c = l.conns[n-1]
		l.conns = l.conns[:n-1]
	} else {
		c = new(Conn)
	}
	*c = Conn{fd: fd, loop: l}
	l.register(fd).conn = c
	return c
}

// watch has the kernel report events from now on, that of the present state first.
func (c *Conn) watch() error {
	if c.watched {
		return nil
	}
	c.watched = true
	err := c.loop.ep.AddEdge(c.fd, c.loop.byFD[c.fd].tag)
	if err != nil {
		c.loop.Log.Error("cannot watch a connection", "error", err)
	}
	return err
}

// Close closes the socket and gives the Conn back to its loop: the caller must
// not use it again.
func (c *Conn) Close() {
	c.loop.forget(c.fd)
	c.fd.Close()
	c.fd = sys.NoFD
	c.loop.conns = append(c.loop.conns, c)
}

// Reset closes the socket with RST instead of FIN.
func (c *Conn) Reset() {
	c.fd.ResetOnClose()
	c.Close()
}

// Abandon ends a conn that another task may use, from its loop: the peer gets FIN, reads
// and writes fail with ErrAbandoned, and a task that waits for it wakes. That one closes it.
func (c *Conn) Abandon() {
	c.fd.ShutdownRead()
	c.fd.ShutdownWrite()
	c.given, c.shut, c.readable, c.writable = true, true, true, true
	if c.task != nil {
		c.task.Wake()
	}
}

// FD returns the descriptor, which stays the Conn's.
func (c *Conn) FD() sys.FD { return c.fd }

// Loop returns the loop that the conn lives on.
func (c *Conn) Loop() *Loop { return c.loop }

// LocalAddr returns this host's address of the connection. The kernel is asked
// when somebody first wants to know: most sessions never do.
func (c *Conn) LocalAddr() netip.AddrPort {
	if !c.local.IsValid() {
		c.local = c.fd.LocalAddr()
	}
	return c.local
}

// SetLocalAddr makes a the answer of LocalAddr: a proxy before us has told where the
// client connected to.
func (c *Conn) SetLocalAddr(a netip.AddrPort) { c.local = a }

// Readable reports whether a read may find something now.
func (c *Conn) Readable() bool { return c.readable }

// ShutdownWrite sends FIN.
func (c *Conn) ShutdownWrite() { c.fd.ShutdownWrite() }

// PeerShut reports whether the peer is known to have closed its half, or all.
func (c *Conn) PeerShut() bool { return c.shut }

// event takes the kernel's report.
func (c *Conn) event(bits uint32) {
	if bits&(sys.PeerShut|sys.Hangup|sys.Failed) != 0 {
		c.shut, c.readable = true, true
		if bits&(sys.Hangup|sys.Failed) != 0 {
			c.writable, c.failed = true, true // a waiting writer finds the error
		}
	}
	if bits&sys.Readable != 0 {
		c.readable = true
	}
	if bits&sys.Writable != 0 {
		c.writable = true
	}
	switch {
	case c.task != nil:
		if (c.want&ToRead != 0 && c.readable || c.want&ToWrite != 0 && c.writable) && !c.task.queued {
			c.task.resume()
		}
	case c.shut && c.heeds != nil:
		if !c.heeds.queued {
			c.heeds.resume()
		}
	case c.readable && c.Idle != nil:
		c.Idle.Arrived(c)
	}
}

// Guard is a conn whose end ends what a task does for it. The zero value guards nothing.
type Guard struct {
	Conn    *Conn
	Half    bool // a FIN is an end already
	Revoked bool // what is done is not wanted any more, however the conn is
}

// Arm makes the end wake the task, until the conn is closed, while it waits for
// something else.
func (g *Guard) Arm(t *Task) {
	if g.Conn != nil && g.Conn.watch() == nil {
		g.Conn.heeds = t
	}
}

// Over reports whether the conn has ended, or the task has to.
func (g *Guard) Over() bool {
	return g.Revoked || g.Conn != nil && (g.Conn.failed || g.Half && g.Conn.shut)
}

// Failed reports whether it has by more than a FIN.
func (g *Guard) Failed() bool { return g.Conn != nil && g.Conn.failed }

// Wait suspends t until c is ready for what is wanted, or the deadline.
func (t *Task) Wait(c *Conn, w Want, deadline mono.Time) error {
	if err := c.watch(); err != nil {
		return err
	}
	var here byte
	c.task, c.want, c.stack = t, w, uintptr(unsafe.Pointer(&here))
	ok := t.Suspend(deadline)
	c.task, c.want = nil, 0
	if !ok {
		return ErrTimeout
	}
	return nil
}

// Wait2 suspends t until one of two conns is ready for what is wanted of it. A
// want of 0 waits for the other alone.
func (t *Task) Wait2(a *Conn, wa Want, b *Conn, wb Want, deadline mono.Time) error {
	if wa != 0 {
		if err := a.watch(); err != nil {
			return err
		}
	}
	if wb != 0 {
		if err := b.watch(); err != nil {
			return err
		}
	}
	a.task, a.want = t, wa
	b.task, b.want = t, wb
	ok := t.Suspend(deadline)
	a.task, a.want = nil, 0
	b.task, b.want = nil, 0
	if !ok {
		return ErrTimeout
	}
	return nil
}

// TryRead reads what is there: n > 0, or an error (io.EOF at the end), or 0 and
// nil when there is nothing now.
func (c *Conn) TryRead(b []byte) (int, error) {
	switch {
	case !c.readable:
		return 0, nil
	case c.given:
		return 0, ErrAbandoned
	}
	n, errno := c.fd.Receive(b)
	switch {
	case errno == sys.EAGAIN:
		c.readable = c.shut
		return 0, nil
	case errno != 0:
		return 0, errno
	case n == 0:
		return 0, io.EOF
	}
	// A short read emptied the socket; bytes that come later are a new edge. The
	// end of the stream may have been reported already and stays readable.
	if n < len(b) && !c.shut {
		c.readable = false
	}
	return n, nil
}

// Read reads at least one byte, suspending t until there is one. err is io.EOF at
// the end of the stream, ErrTimeout, or the socket's error.
func (c *Conn) Read(t *Task, b []byte, deadline mono.Time) (int, error) {
	for {
		if n, err := c.TryRead(b); n > 0 || err != nil {
			return n, err
		}
		if err := t.Wait(c, ToRead, deadline); err != nil {
			return 0, err
		}
	}
}

// Await suspends t until c has something to read, without reading it: a conn
// between two messages holds no buffer.
func (c *Conn) Await(t *Task, deadline mono.Time) error {
	for !c.readable {
		if err := t.Wait(c, ToRead, deadline); err != nil {
			return err
		}
	}
	return nil
}

// TryWrite writes what the socket takes now, in one call for both pieces. 0 and
// nil: nothing now.
func (c *Conn) TryWrite(a, b []byte) (int, error) {
	if c.given {
		return 0, ErrAbandoned
	}
	var n int
	var errno sys.Errno
	if len(b) == 0 {
		n, errno = c.fd.Send(a)
	} else {
		n, errno = c.fd.Send2(a, b)
	}
	switch {
	case errno == sys.EAGAIN:
		c.writable = false
		return 0, nil
	case errno != 0:
		return 0, errno
	}
	return n, nil
}

// Write writes all of a and b, suspending t while the socket is full. The
// deadline counts from each write: it bounds inactivity.
func (c *Conn) Write(t *Task, a, b []byte, deadline mono.Time) error {
	for {
		n, err := c.TryWrite(a, b)
		if err != nil {
			return err
		}
		if n == len(a)+len(b) {
			return nil
		}
		if n >= len(a) {
			a, b = b[n-len(a):], nil
		} else {
			a = a[n:]
		}
		if n > 0 {
			continue // the next call tells whether it is full
		}
		for !c.writable {
			if err := t.Wait(c, ToWrite, deadline); err != nil {
				return err
			}
		}
	}
}

// Connect opens a connection, suspending t until it stands. err is ErrTimeout,
// ErrAbandoned once the guard is over, or why the connection failed.
func (t *Task) Connect(to *sys.Sockaddr, o *sys.ConnectOptions, guard *Guard, deadline mono.Time) (*Conn, error) {
	if guard.Over() {
		return nil, ErrAbandoned
	}
	fd, errno := sys.Connect(to, o)
	if errno != 0 && errno != sys.EINPROGRESS {
		return nil, errno
	}
	c := t.loop.conn(fd)
	c.writable = errno == 0
	for !c.writable {
		if err := t.Wait(c, ToWrite, deadline); err != nil {
			c.Reset()
			return nil, err
		}
		if guard.Over() {
			c.Reset()
			return nil, ErrAbandoned
		}
	}
	if c.shut {
		if errno := fd.SocketError(); errno != 0 {
			c.Close()
			return nil, errno
		}
	}
	return c, nil
}
