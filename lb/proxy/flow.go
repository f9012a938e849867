package proxy

import (
	"errors"
	"io"

	"baton/lb/engine"
	"baton/lb/http1"
)

// flow moves one direction of a session: bytes of src that have come (in buf, or
// in a pipe) go to dst. Its framing says where the message ends; UntilClose and
// Tunnel end with src.
type flow struct {
	src, dst *engine.Conn
	buf      *engine.Buffer // nil while nothing is held
	r, w     int            // buf.B[r:w] is cleared to be written
	framing  http1.Framing
	left     int64 // Length: bytes still to come from src
	chunked  http1.Chunks

	pipe  *engine.Pipe // a stream that keeps filling buffers goes through the kernel
	full  int          // buffers filled in a row
	moved int64        // bytes written to dst

	extra   int  // bytes in buf.B[w:w+extra] that came after the end of the message
	ended   bool // src has given all
	done    bool // and dst has it
	lost    bool // dst takes no more: what src still sends has nowhere to go
	garbled bool // what came first was no valid chunk: step will say so

	failed error // src is over behind what has come, and not as it should: step will say so
}

// The ends that a flow can come to before its message is complete. They say which
// side's fault it was, which is what the log's termination code tells.
var (
	errSource = errors.New("source failed")
	errShort  = errors.New("source ended early")
	errDest   = errors.New("destination failed")
	errFormat = errors.New("bad chunk")
	errSilent = errors.New("source fell silent")
)

const (
	// burst bounds the work of one step, so that one fast stream does not keep
	// the loop from the others.
	burst = 16
	// spliceAfter full buffers in a row, a stream is worth a pipe.
	spliceAfter = 4
)

// pending reports whether bytes wait for dst.
func (f *flow) pending() bool { return f.r < f.w || f.pipe != nil && f.pipe.N > 0 }

// came counts the bytes that have come from src.
func (f *flow) came() int64 {
	n := f.moved + int64(f.w-f.r)
	if f.pipe != nil {
		n += int64(f.pipe.N)
	}
	return n
}

// wants says what the flow waits for after a step that moved nothing.
func (f *flow) wants() (src, dst engine.Want) {
	switch {
	case f.done, f.lost:
		return 0, 0
	case f.pending():
		return 0, engine.ToWrite
	}
	return engine.ToRead, 0
}

// step moves what can be moved now. busy means that it stopped for the sake of
// others and wants to go on; otherwise the flow is done or has to wait (see wants).
func (f *flow) step(l *engine.Loop) (busy bool, err error) {
	for range burst {
		if f.done || f.lost {
			return false, nil
		}
		n, err := f.write()
		if err != nil {
			return false, errDest
		}
		f.moved += int64(n)
		if f.pending() {
			if n == 0 {
				return false, nil
			}
			continue
		}
		if f.garbled {
			return false, errFormat
		}
		if f.failed != nil {
			return false, f.failed
		}
		if f.ended {
			f.done = true
			return false, nil
		}
		n, err = f.read(l)
		if err != nil {
			return false, err
		}
		if n == 0 && !f.ended {
			f.release(l)
			return false, nil
		}
	}
	return !f.done, nil
}

// open reports whether the flow has still to move something.
func (f *flow) open() bool { return !f.done && !f.lost }

func (f *flow) write() (int, error) {
	switch {
	case f.r < f.w:
		n, err := f.dst.TryWrite(f.buf.B[f.r:f.w], nil)
		f.r += n
		return n, err
	case f.pipe != nil && f.pipe.N > 0:
		return f.dst.SpliceOut(f.pipe)
	}
	return 0, nil
}

// read takes what src has, up to the end of the message.
func (f *flow) read(l *engine.Loop) (int, error) {
	if !f.src.Readable() {
		return 0, nil
	}
	if f.splices(l) {
		return f.readPipe()
	}
	if f.buf == nil {
		f.buf = l.Get()
	}
	room := f.buf.B[:]
	switch {
	case f.framing == http1.Chunked:
		room = room[:maxHead] // what follows the last chunk must fit where heads are read
	case f.framing == http1.Length && f.left < int64(len(room)):
		room = room[:f.left]
	}
	n, err := f.src.TryRead(room)
	if n == len(room) {
		f.full++
	} else {
		f.full = 0
	}
	if err != nil {
		return 0, f.sourceEnd(err)
	}
	f.r = 0
	return n, f.account(0, n)
}

// hoard reads what has come behind what is held, which stays where it is, while there is
// room for a message head.
func (f *flow) hoard() (int, error) {
	if f.ended || f.garbled || f.w >= maxHead {
		return 0, nil
	}
	room := f.buf.B[f.w:maxHead]
	if f.framing == http1.Length && f.left < int64(len(room)) {
		room = room[:f.left]
	}
	n, err := f.src.TryRead(room)
	if err != nil {
		return 0, f.sourceEnd(err)
	}
	return n, f.account(f.w, n)
}

// gather reads what has come without waiting, behind what is there, while there is room
// for a message head. The error is the source's, io.EOF at its end.
func (f *flow) gather(l *engine.Loop) error {
	if !f.src.Readable() {
		return nil
	}
	if f.buf == nil {
		f.buf, f.r, f.w = l.Get(), 0, 0
	}
	if f.r > 0 {
		f.r, f.w = 0, copy(f.buf.B[:], f.buf.B[f.r:f.w])
	}
	for f.w < maxHead {
		n, err := f.src.TryRead(f.buf.B[f.w:maxHead])
		f.w += n
		if n == 0 {
			return err
		}
	}
	return nil
}

// account follows the framing over n bytes that were read into buf.B[from:].
func (f *flow) account(from, n int) error {
	f.w = from + n
	switch f.framing {
	case http1.Length:
		f.left -= int64(n)
		f.ended = f.left == 0
	case http1.Chunked:
		m, st := f.chunked.Scan(f.buf.B[from:f.w])
		f.extra = n - m
		f.w = from + m
		switch st {
		case http1.Done:
			f.ended = true
		case http1.Bad:
			f.garbled = true // after what was good has gone out
		}
	}
	return nil
}

// sourceEnd turns src's end into the flow's.
func (f *flow) sourceEnd(err error) error {
	if err != io.EOF {
		return errSource
	}
	if f.framing == http1.UntilClose || f.framing == http1.Tunnel {
		f.ended = true
		return nil
	}
	return errShort
}

// splices decides whether the next bytes go through a pipe.
func (f *flow) splices(l *engine.Loop) bool {
	if f.pipe != nil {
		return true
	}
	if f.full < spliceAfter || f.framing == http1.Chunked || f.framing == http1.Length && f.left < 4*engine.BufferSize {
		return false
	}
	p, err := l.GetPipe()
	if err != nil {
		f.full = 0 // out of descriptors: copy on
		return false
	}
	f.release(l)
	f.pipe = p
	return true
}

func (f *flow) readPipe() (int, error) {
	n := 1 << 30
	if f.framing == http1.Length {
		n = int(min(f.left, int64(n)))
	}
	n, err := f.src.SpliceIn(f.pipe, n)
	if err != nil {
		return 0, f.sourceEnd(err)
	}
	if f.framing == http1.Length {
		f.left -= int64(n)
		f.ended = f.left == 0
	}
	return n, nil
}

// release gives the buffer back while the flow waits for bytes.
func (f *flow) release(l *engine.Loop) {
	if f.buf != nil && f.r == f.w && f.extra == 0 {
		l.Put(f.buf)
		f.buf, f.r, f.w = nil, 0, 0
	}
}

// drop gives back what the flow holds, whatever its state.
func (f *flow) drop(l *engine.Loop) {
	if f.buf != nil {
		l.Put(f.buf)
		f.buf, f.r, f.w = nil, 0, 0
	}
	if f.pipe != nil {
		l.PutPipe(f.pipe)
		f.pipe = nil
	}
}
