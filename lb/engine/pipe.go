package engine

import (
	"io"

	"baton/internal/sys"
)

// pipeSize is what a pipe is asked to hold: large enough that a fast stream costs
// few calls, small enough for the per-user limit of pipe pages.
const pipeSize = 256 << 10

// Pipe carries bytes from one socket to another inside the kernel (splice(2)).
type Pipe struct {
	r, w sys.FD
	N    int // bytes inside
}

// GetPipe takes a pipe from the loop. It fails when the process is out of
// descriptors; the caller then copies through a Buffer.
func (l *Loop) GetPipe() (*Pipe, error) {
	if n := len(l.pipes); n > 0 {
		p := l.pipes[n-1]
		l.pipes = l.pipes[:n-1]
		return p, nil
	}
	r, w, err := sys.Pipe(pipeSize)
	if err != nil {
		return nil, err
	}
	return &Pipe{r: r, w: w}, nil
}

// PutPipe gives a pipe back; one that still holds bytes is closed, for they are
// nobody else's.
func (l *Loop) PutPipe(p *Pipe) {
	if p.N > 0 || len(l.pipes) >= 64 {
		p.r.Close()
		p.w.Close()
		return
	}
	l.pipes = append(l.pipes, p)
}

// SpliceIn moves up to n bytes from the socket into an empty pipe: their number,
// or io.EOF, or 0 and nil when there is nothing now.
func (c *Conn) SpliceIn(p *Pipe, n int) (int, error) {
	switch {
	case !c.readable:
		return 0, nil
	case c.given:
		return 0, ErrAbandoned
	}
	m, errno := sys.Splice(c.fd, p.w, min(n, pipeSize))
	switch {
	case errno == sys.EAGAIN: // the pipe is empty, so it is the socket that has nothing
		c.readable = c.shut
		return 0, nil
	case errno != 0:
		return 0, errno
	case m == 0:
		return 0, io.EOF
	}
	p.N += m
	return m, nil
}

// SpliceOut moves what the pipe holds into the socket: how many bytes went, 0 and
// nil when the socket is full.
func (c *Conn) SpliceOut(p *Pipe) (int, error) {
	if c.given {
		return 0, ErrAbandoned
	}
	n, errno := sys.Splice(p.r, c.fd, p.N)
	switch {
	case errno == sys.EAGAIN:
		c.writable = false
		return 0, nil
	case errno != 0:
		return 0, errno
	}
	p.N -= n
	return n, nil
}
