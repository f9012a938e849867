package engine

import (
	"net/netip"
	"time"

	"baton/internal/mono"
	"baton/internal/sys"
	"baton/internal/wheel"
)

// Acceptor takes new connections. It runs on the loop, outside of any task.
type Acceptor interface {
	// Accept takes over the conn.
	Accept(c *Conn, from netip.AddrPort)
	// Reserve takes a place for one connection before it is accepted, so that loops that
	// accept at the same time do not exceed a limit together. Where it reports false none
	// can be taken now: the listener pauses, the kernel's backlog keeps the clients, and
	// Resume goes on, or the listener by itself after rest where that is not 0.
	Reserve() (ok bool, rest time.Duration)
	// Release gives back a place for which no connection was there.
	Release()
}

// Listener is a listening socket on one loop.
type Listener struct {
	fd     sys.FD
	loop   *Loop
	to     Acceptor
	paused bool
	rest   wheel.Timer // armed while the end of the pause is a matter of time
}

// perTurn bounds how many connections one listener takes before others get their turn.
const perTurn = 64

// outOfDescriptors is how long a listener rests after EMFILE: the connections
// wait in the backlog, and asking again at once would only spin.
const outOfDescriptors = 100 * time.Millisecond

// Listen watches a listening descriptor. The listener owns it, also on error.
func (l *Loop) Listen(fd sys.FD, to Acceptor) (*Listener, error) {
	ln := &Listener{fd: fd, loop: l, to: to}
	ln.rest.Owner = ln
	w := l.register(fd)
	w.listener = ln
	if err := l.ep.AddLevel(fd, w.tag); err != nil {
		l.forget(fd)
		fd.Close()
		return nil, err
	}
	return ln, nil
}

// Close stops listening.
func (ln *Listener) Close() {
	ln.loop.wheel.Stop(&ln.rest)
	ln.loop.forget(ln.fd)
	// Another process may have the socket too: closing alone would not end its events.
	_ = ln.loop.ep.Remove(ln.fd)
	ln.fd.Close()
	ln.fd = sys.NoFD
}

// Resume goes on accepting after Full.
func (ln *Listener) Resume() {
	if ln.paused && ln.fd != sys.NoFD {
		ln.paused = false
		_ = ln.loop.ep.Resume(ln.fd, ln.loop.byFD[ln.fd].tag) // can only fail for a descriptor that is not ours
	}
}

func (ln *Listener) pause() {
	ln.paused = true
	_ = ln.loop.ep.Pause(ln.fd, ln.loop.byFD[ln.fd].tag)
}

// Expired ends a rest.
func (ln *Listener) Expired(mono.Time) { ln.Resume() }

// Take accepts who has connected already, before a Close that would cut them off.
func (ln *Listener) Take() { ln.accept() }

func (ln *Listener) accept() {
	for range perTurn {
		if ok, rest := ln.to.Reserve(); !ok {
			ln.pause()
			if rest > 0 {
				ln.loop.wheel.Set(&ln.rest, ln.loop.now.Add(rest))
			}
			return
		}
		var from sys.Sockaddr
		fd, errno := ln.fd.Accept(&from)
		switch errno {
		case 0:
		case sys.ECONNABORTED, sys.EINTR:
			ln.to.Release()
			continue
		case sys.EMFILE, sys.ENFILE, sys.ENOBUFS, sys.ENOMEM:
			ln.loop.Log.Error("cannot accept connections, trying again", "error", errno, "after", outOfDescriptors)
			ln.to.Release()
			ln.pause()
			ln.loop.wheel.Set(&ln.rest, ln.loop.now.Add(outOfDescriptors))
			return
		default: // EAGAIN: another turn; network errors of one client (accept(2)) are its own
			ln.to.Release()
			return
		}
		ln.to.Accept(ln.loop.Take(fd), from.AddrPort())
		if ln.fd == sys.NoFD {
			return
		}
	}
}
