package link

import (
	"crypto/tls"
	"io"
	"time"

	"baton/pair"
)

const (
	// outQueue is how many messages may wait for a peer that reads slowly. States
	// are the only long ones, and one is as good as the last.
	outQueue = 32

	// writeLimit is how long one message may take.
	writeLimit = pair.SilenceLimit

	// lingerLimit is how long a closed connection waits for the peer to close too.
	lingerLimit = time.Second
)

// wire is one authenticated connection. The Link's goroutine calls send and close;
// its reader and its writer are goroutines of their own.
type wire struct {
	id     uint64
	tls    *tls.Conn
	socket *socket
	out    chan []byte
	closed bool
}

// send queues a message. false: the peer does not read.
func (w *wire) send(m pair.Message) bool {
	select {
	case w.out <- pair.Append(nil, m):
		return true
	default:
		return false
	}
}

// close ends the connection once what was sent is on its way.
func (w *wire) close() {
	if !w.closed {
		w.closed = true
		close(w.out)
	}
}

// abort ends it at once.
func (w *wire) abort() {
	w.close()
	_ = w.socket.Close()
}

// write sends what is queued. After that it closes the writing half only: closing
// all of it with something unread makes the kernel send RST, which could overtake
// the goodbye.
func (w *wire) write() {
	for b := range w.out {
		_ = w.socket.SetWriteDeadline(time.Now().Add(writeLimit))
		if _, err := w.tls.Write(b); err != nil {
			break // the reader finds out why
		}
	}
	_ = w.socket.SetReadDeadline(time.Now().Add(lingerLimit))
	_ = w.socket.SetWriteDeadline(time.Now().Add(lingerLimit))
	_ = w.tls.CloseWrite()
	if half, ok := w.socket.Conn.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
	for range w.out { // until close: nobody must wait for room
	}
}

// read hands every message on, until the connection ends, and says how it did.
func (w *wire) read(got func(pair.Message)) pair.End {
	defer w.socket.Close()
	var buf []byte
	chunk := make([]byte, 16<<10)
	for {
		n, err := w.tls.Read(chunk)
		buf = append(buf, chunk[:n]...)
		for {
			m, used, err := pair.Next(buf)
			if err != nil {
				return pair.Garbled
			}
			if used == 0 {
				break
			}
			buf = buf[used:]
			if m != nil {
				got(m)
			}
		}
		if len(buf) == 0 {
			buf = nil
		}
		if err != nil {
			return w.end(err)
		}
	}
}

func (w *wire) end(err error) pair.End {
	switch {
	case w.socket.kernelEnd.Load():
		return pair.KernelEnd
	case err == io.EOF, isTimeout(err):
		// close_notify without a goodbye comes from a living process.
		return pair.Lost
	}
	return pair.Garbled
}
