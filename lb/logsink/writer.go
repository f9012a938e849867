package logsink

import (
	"context"
	"io"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"baton/lb/logfmt"
)

const (
	// maxPending bounds the lines that wait for a target: some 3000 httplog lines.
	// As many again may be on their way.
	maxPending = 512 << 10
	// gather is how long a writer lets lines come together after it has sent some.
	// It bounds how often a busy loop has to wake it.
	gather = 5 * time.Millisecond
	// The pause before a failed target is opened again doubles from one to the other.
	firstPause, lastPause = 100 * time.Millisecond, 5 * time.Second
)

// writer is one target: lines come in by add, its goroutine sends them.
type writer struct {
	name    string
	open    func() (transport, error)
	last    io.Closer // closed when the writer ends; nil: nothing
	room    int       // bytes of lines that may wait
	sinks   *Sinks
	dropped atomic.Uint64
	failing atomic.Bool // and said so

	wake chan struct{} // has a token when lines wait
	quit chan struct{} // closed by stop
	done chan struct{} // closed when the goroutine has ended

	mu      sync.Mutex // guards the rest
	pending batch
	head    headCache
	stopped bool
}

// batch is lines, one after the other, each with its end of line. The first one
// begins at text[start], each ends at its entry of ends.
type batch struct {
	text  []byte
	start int
	ends  []int
}

// transport sends whole lines. It returns how many it sent; the error concerns the
// next one. It may block; setting the deadline in the past ends that.
type transport interface {
	send(b batch) (lines int, err error)
	SetWriteDeadline(time.Time) error
	Close() error
}

func newWriter(name string, open func() (transport, error), last io.Closer, s *Sinks) *writer {
	return &writer{
		name: name, open: open, last: last, room: maxPending, sinks: s,
		wake: make(chan struct{}, 1), quit: make(chan struct{}), done: make(chan struct{}),
	}
}

// add appends a line, unless the buffer is full.
func (w *writer) add(r *route, level int, now time.Time, line, sd []byte) {
	if r.text > 0 {
		line = line[:min(len(line), r.text)]
	}
	w.mu.Lock()
	if w.stopped || len(w.pending.text)+len(line) > w.room {
		w.mu.Unlock()
		w.dropped.Add(1)
		return
	}
	text := w.pending.text
	start := len(text)
	text = w.head.append(text, r, level, now, sd, &w.sinks.o)
	text = append(text, line...)
	if r.limit > 0 && len(text)-start > r.limit {
		text = text[:start+r.limit]
	}
	if r.counted {
		w.pending.text = countOctets(text, start)
	} else {
		w.pending.text = append(text, '\n')
	}
	w.pending.ends = append(w.pending.ends, len(w.pending.text))
	first := len(w.pending.ends) == 1
	w.mu.Unlock()
	if first {
		select {
		case w.wake <- struct{}{}:
		default:
		}
	}
}

// countOctets puts the length of the line that begins at start before it.
func countOctets(text []byte, start int) []byte {
	var room [20]byte
	count := append(strconv.AppendInt(room[:0], int64(len(text)-start), 10), ' ')
	return slices.Insert(text, start, count...)
}

// headCache holds the last head: those without fractions of a second are the same
// for many lines.
type headCache struct {
	framing  logfmt.Framing
	facility int
	level    int
	tag      string
	second   int64
	text     []byte
}

func (c *headCache) append(dst []byte, r *route, level int, now time.Time, sd []byte, o *Options) []byte {
	fractional := r.framing == logfmt.RFC5424 || r.framing == logfmt.Timed || r.framing == logfmt.ISO
	second := now.Unix()
	if !fractional && len(c.text) > 0 && c.second == second && c.framing == r.framing && c.facility == r.facility && c.level == level && c.tag == r.tag {
		return append(dst, c.text...)
	}
	start := len(dst)
	h := logfmt.Header{Facility: r.facility, Level: level, Time: now, Host: o.Host, Tag: r.tag, PID: o.PID, SD: sd}
	dst = logfmt.AppendHeader(dst, r.framing, &h)
	if !fractional {
		c.framing, c.facility, c.level, c.tag, c.second = r.framing, r.facility, level, r.tag, second
		c.text = append(c.text[:0], dst[start:]...)
	}
	return dst
}

// stop ends the writer after what is pending.
func (w *writer) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.stopped {
		w.stopped = true
		close(w.quit)
	}
}

// run sends what comes until stop.
func (w *writer) run() {
	defer close(w.done)
	s := sender{writer: w}
	defer s.end()
	for {
		stopping := false
		select {
		case <-w.wake:
		case <-w.quit:
			stopping = true
		}
		s.flush()
		if stopping {
			return
		}
		s.wait(gather)
	}
}

// take swaps the pending lines for an empty batch.
func (w *writer) take(empty batch) batch {
	w.mu.Lock()
	defer w.mu.Unlock()
	full := w.pending
	w.pending = batch{text: empty.text[:0], ends: empty.ends[:0]}
	return full
}

// sender is the goroutine's side of a writer.
type sender struct {
	*writer
	to    transport // nil: not open
	undo  func() bool
	spare batch
	pause time.Duration
}

// flush sends what is pending. Lines are kept while the target is away, until the
// writer stops.
func (s *sender) flush() {
	full := s.take(s.spare)
	for sent := 0; sent < len(full.ends); {
		n, err := s.send(full.from(sent))
		sent += n
		switch {
		case err == nil:
			s.recovered()
		case tooLong(err):
			s.dropped.Add(1)
			sent++
		case s.stopping():
			s.fail(err)
			s.dropped.Add(uint64(len(full.ends) - sent))
			sent = len(full.ends)
		default:
			s.fail(err)
			s.wait(s.pause)
		}
	}
	s.spare = full
}

// send opens the target if it is not.
func (s *sender) send(b batch) (lines int, err error) {
	if s.to == nil {
		to, err := s.open()
		if err != nil {
			return 0, err
		}
		s.to = to
		s.undo = context.AfterFunc(s.sinks.hard, func() {
			// Fails on a descriptor that can't be polled; its write is then left behind.
			_ = to.SetWriteDeadline(time.Unix(1, 0))
		})
	}
	return s.to.send(b)
}

// from returns the batch without its first n lines.
func (b batch) from(n int) batch {
	if n > 0 {
		b.start = b.ends[n-1]
	}
	b.ends = b.ends[n:]
	return b
}

func (s *sender) close() {
	if s.to != nil {
		s.undo()
		_ = s.to.Close() // nothing is buffered in it
		s.to = nil
	}
}

// end closes the target for good.
func (s *sender) end() {
	s.close()
	if s.last != nil {
		_ = s.last.Close()
	}
}

// fail closes the target and says so once.
func (s *sender) fail(err error) {
	s.close()
	s.pause = min(max(2*s.pause, firstPause), lastPause)
	if !s.failing.Swap(true) {
		s.sinks.o.Log.Warn("log target failed, lines wait or are dropped", "target", s.name, "err", err)
	}
}

func (s *sender) recovered() {
	s.pause = 0
	if s.failing.Load() {
		s.failing.Store(false)
		s.sinks.o.Log.Info("log target works again", "target", s.name, "dropped", s.dropped.Load())
	}
}

func (s *sender) stopping() bool {
	select {
	case <-s.quit:
		return true
	default:
		return false
	}
}

func (s *sender) wait(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-s.quit:
	}
}
