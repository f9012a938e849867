package logsink

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"baton/lb/logfmt"
	"baton/lb/spec"
)

// Options are what all targets share.
type Options struct {
	Log  *slog.Logger // hears of targets that fail and recover; nil: nobody does
	Host string       // log-send-hostname; "": not sent
	Tag  string       // the name in the syslog head where a target has no other
	PID  int
}

// Sinks owns the targets of the process. Targets are opened when the first line
// comes and shared by all groups that name them.
type Sinks struct {
	o       Options
	mu      sync.Mutex
	writers map[string]*writer // by target
	hard    context.Context    // ends when writers must not wait any more
	cut     context.CancelFunc
}

// New returns an empty set of targets.
func New(o Options) *Sinks {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	hard, cut := context.WithCancel(context.Background())
	return &Sinks{o: o, writers: make(map[string]*writer), hard: hard, cut: cut}
}

// Group returns the sink of a proxy with these `log` lines. It fails when a
// descriptor among them (fd@N) is not open.
func (s *Sinks) Group(targets []spec.LogTarget) (*Group, error) {
	g := new(Group)
	for _, t := range targets {
		w, err := s.writer(t)
		if err != nil {
			return nil, err
		}
		framing, ok := logfmt.FramingOf(t.Format)
		if !ok {
			panic("BUG: logsink: unknown format " + t.Format)
		}
		r := route{
			w: w, framing: framing, facility: t.Facility, level: t.Level, minLevel: t.MinLevel, limit: t.Len, tag: cmp.Or(t.Tag, s.o.Tag),
			profile: t.Profile,
		}
		if t.Ring != nil {
			r.counted, r.text, r.limit = t.Ring.OctetCount, t.Len, t.Ring.MaxLen
		}
		if t.Sample != nil {
			r.sample = newSample(t.Sample)
		}
		if t.Kind == spec.LogFD {
			r.limit = 0 // the manual: not truncated
		} else if r.limit == 0 {
			r.limit = 1024
		}
		g.routes = append(g.routes, r)
	}
	return g, nil
}

func (s *Sinks) writer(t spec.LogTarget) (*writer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	name := targetName(t)
	if w := s.writers[name]; w != nil {
		return w, nil
	}
	open, last, err := opener(t)
	if err != nil {
		return nil, fmt.Errorf("log %s: %w", name, err)
	}
	w := newWriter(name, open, last, s)
	if t.Ring != nil {
		w.room = t.Ring.Size
	}
	s.writers[name] = w
	go w.run()
	return w, nil
}

func targetName(t spec.LogTarget) string {
	if t.Ring != nil {
		return "ring@" + t.Ring.Name + "/" + t.Ring.Server
	}
	switch t.Kind {
	case spec.LogFD:
		return fmt.Sprintf("fd@%d", t.FD)
	case spec.LogUnix:
		return t.Address
	case spec.LogStream:
		return "tcp@" + t.Address
	case spec.LogUnixStream:
		return "uxst@" + t.Address
	}
	return "udp@" + t.Address
}

// Dropped returns how many lines were lost, ever.
func (s *Sinks) Dropped() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := uint64(0)
	for _, w := range s.writers {
		n += w.dropped.Load()
	}
	return n
}

// Target is one target at one moment.
type Target struct {
	Name    string
	Dropped uint64 // lines lost, ever
	Failing bool   // the last attempt to send went wrong
}

// Targets returns the targets in the order of their names.
func (s *Sinks) Targets() []Target {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Target
	for _, name := range slices.Sorted(maps.Keys(s.writers)) {
		w := s.writers[name]
		all = append(all, Target{Name: name, Dropped: w.dropped.Load(), Failing: w.failing.Load()})
	}
	return all
}

// Close sends what is buffered and ends the writers. Lines that come later are
// dropped. When ctx ends first, what is left is given up and counted; the error
// then says so.
func (s *Sinks) Close(ctx context.Context) error {
	defer s.cut()
	s.mu.Lock()
	writers := make([]*writer, 0, len(s.writers))
	for _, w := range s.writers {
		writers = append(writers, w)
	}
	s.mu.Unlock()
	for _, w := range writers {
		w.stop()
	}
	for _, w := range writers {
		select {
		case <-w.done:
		case <-ctx.Done():
			return fmt.Errorf("log %s: flush: %w", w.name, ctx.Err())
		}
	}
	return nil
}

// Group is where one proxy's lines go. The zero value and nil are a group without
// targets. All methods are safe for use by many goroutines.
type Group struct{ routes []route }

// route is one `log` line.
type route struct {
	w        *writer
	framing  logfmt.Framing
	facility int
	level    int // the most verbose level that is sent
	minLevel int // more severe ones are lowered to this
	limit    int // bytes of a line without its end; 0: none
	text     int // bytes of its text, without the head; 0: limit alone counts
	tag      string
	sample   *sample // nil: all lines
	counted  bool    // spec.Ring.OctetCount
	profile  *spec.LogProfile
}

// Part is the targets of a group with the same profile.
type Part struct {
	Profile *spec.LogProfile // nil: none
	*Group
}

// Parts returns the group's targets by profile.
func (g *Group) Parts() []Part {
	var parts []Part
	for _, r := range g.routes {
		i := slices.IndexFunc(parts, func(p Part) bool { return p.Profile == r.profile })
		if i < 0 {
			i = len(parts)
			parts = append(parts, Part{r.profile, new(Group)})
		}
		parts[i].routes = append(parts[i].routes, r)
	}
	return parts
}

// sample takes some lines of each turn.
type sample struct {
	next  atomic.Uint64
	takes []bool // by place in the turn
}

func newSample(s *spec.LogSample) *sample {
	m := &sample{takes: make([]bool, s.Size)}
	for _, r := range s.Ranges {
		for i := r[0]; i <= r[1]; i++ {
			m.takes[i-1] = true
		}
	}
	return m
}

// take counts a line and tells whether it is one of the sample.
func (m *sample) take() bool {
	return m == nil || m.takes[(m.next.Add(1)-1)%uint64(len(m.takes))]
}

// Enabled reports whether any target takes lines of this level.
func (g *Group) Enabled(level int) bool {
	if g == nil {
		return false
	}
	for i := range g.routes {
		if level <= g.routes[i].level {
			return true
		}
	}
	return false
}

// Send hands a line, without its end, to every target that takes its level (0
// emerg .. 7 debug). now is the time in the syslog head, in the zone that it is to
// be written in. Send never blocks on I/O; line stays the caller's.
func (g *Group) Send(level int, now time.Time, line []byte) { g.SendData(level, now, line, nil) }

// SendData is Send with the structured data of RFC 5424 heads.
func (g *Group) SendData(level int, now time.Time, line, sd []byte) {
	if g == nil {
		return
	}
	for i := range g.routes {
		if r := &g.routes[i]; level <= r.level && r.sample.take() {
			r.w.add(r, max(level, r.minLevel), now, line, sd)
		}
	}
}
