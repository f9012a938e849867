package lb

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"baton/lb/spec"
)

// Service is the balancer over its reloads: one generation serves, older ones finish
// what clients have begun with them (docs/adr/0007-reload-of-the-balancer.md). Its
// methods are safe for use by several goroutines, but for Prepare and what comes of it:
// one reload at a time.
type Service struct {
	o       Options
	first   *LB
	present atomic.Pointer[generation]

	ctx     context.Context // of Run; known when Ready is closed
	mu      sync.Mutex      // guards what follows
	old     []*generation
	quiet   int    // Quiesce is under way, so many times
	dropped uint64 // log lines that generations lost which are no more
	work    sync.WaitGroup
}

// generation is the balancer of one configuration.
type generation struct {
	*LB
	cancel  context.CancelFunc // ends it
	done    chan struct{}      // it has ended
	retired time.Time
}

// NewService builds the balancer of the first configuration. It opens no socket.
func NewService(cfg *spec.Config, o Options) (*Service, error) {
	l, err := New(cfg, o)
	if err != nil {
		return nil, err
	}
	s := &Service{o: o, first: l}
	s.o.OnBackend, s.o.Sockets = l.o.OnBackend, nil
	s.present.Store(&generation{LB: l})
	return s, nil
}

// Listen opens every listener, see LB.Listen.
func (s *Service) Listen() error { return s.first.Listen() }

// Ready is closed once clients are served.
func (s *Service) Ready() <-chan struct{} { return s.first.Ready() }

// Close frees a balancer that has not run and will not.
func (s *Service) Close() { s.first.Close() }

// Run serves until ctx ends, then by all generations that are left.
func (s *Service) Run(ctx context.Context) error {
	s.ctx = ctx
	s.start(s.present.Load())
	<-ctx.Done()
	<-s.present.Load().done
	s.work.Wait()
	return nil
}

// start runs a generation and waits until it serves.
func (s *Service) start(g *generation) {
	ctx, cancel := context.WithCancel(s.ctx)
	g.cancel, g.done = cancel, make(chan struct{})
	go func() {
		defer close(g.done)
		if err := g.Run(ctx); err != nil {
			s.o.Log.Error("balancer", "error", err)
		}
	}()
	<-g.Ready()
}

// Next is another configuration, ready to serve.
type Next struct {
	s *Service
	g *generation
}

// Prepare does everything for another configuration that can fail: it is built beside
// the present one and its listeners are open, those that stay being the very sockets.
// Nothing has changed for clients. Serve or Close it.
func (s *Service) Prepare(cfg *spec.Config) (*Next, error) {
	o := s.o
	o.was, o.beside = s.present.Load().LB, s.conns()
	l, err := New(cfg, o)
	if err != nil {
		return nil, err
	}
	if err := l.Listen(); err != nil {
		l.Close()
		return nil, err
	}
	return &Next{s, &generation{LB: l}}, nil
}

// Close drops the configuration.
func (n *Next) Close() { n.g.Close() }

// Serve puts the configuration in the place of the present one, which takes no new
// connection from then on and ends with its last, or with its hard-stop-after.
func (n *Next) Serve() {
	s, old := n.s, n.s.present.Load()
	old.freeze()
	n.g.inherit(old.LB)
	s.start(n.g)
	s.mu.Lock()
	if s.quiet > 0 {
		n.g.set.Drain(true)
	}
	old.retired = time.Now()
	s.old = append(s.old, old)
	s.present.Store(n.g)
	s.mu.Unlock()
	old.retire()
	s.work.Go(func() { s.finish(old) })
	for _, b := range n.g.set.Backends {
		s.o.OnBackend(b.Spec.Name, b.Usable())
	}
}

// finish waits for the end of a generation that was replaced, and frees it.
func (s *Service) finish(g *generation) {
	ctx := s.ctx
	if limit := g.cfg.Global.HardStopAfter; limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
	}
	if err := g.Drain(ctx); err != nil && s.ctx.Err() == nil {
		s.o.Log.Warn("hard-stop-after: connections of an older configuration end", slog.Any("error", err))
	}
	g.cancel()
	<-g.done
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dropped += g.sinks.Dropped()
	s.old = slices.DeleteFunc(s.old, func(o *generation) bool { return o == g })
}

// all are the generations that have connections, the present one first.
func (s *Service) all() []*generation {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]*generation{s.present.Load()}, s.old...)
}

func (s *Service) conns() int {
	n := 0
	for _, g := range s.all() {
		n += g.set.Conns()
	}
	return n
}

// StopListening takes no new connections, see LB.StopListening.
func (s *Service) StopListening() {
	for _, g := range s.all() {
		g.StopListening()
	}
}

// Drain waits until the last connection has ended, or ctx.
func (s *Service) Drain(ctx context.Context) error {
	var errs []error
	for _, g := range s.all() {
		errs = append(errs, g.Drain(ctx))
	}
	return errors.Join(errs...)
}

// Succeed is StopListening after another process has taken the listeners over, see
// LB.Succeed.
func (s *Service) Succeed() {
	for _, g := range s.all() {
		g.Succeed()
	}
}

// HandOver gives the listening sockets to another process, see LB.HandOver.
func (s *Service) HandOver(send func(Socket) error) error { return s.present.Load().HandOver(send) }

// Quiesce tells clients to end their connections while new ones are still taken,
// and returns at a moment without any, or when ctx ends. It is for an address
// about to move: what is connected then breaks. resume undoes it.
func (s *Service) Quiesce(ctx context.Context) (resume func()) {
	s.mu.Lock()
	s.quiet++
	s.mu.Unlock()
	for _, g := range s.all() {
		g.sendHome()
	}
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for s.conns() > 0 && ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.quiet--; s.quiet == 0 {
			s.present.Load().set.Resume()
		}
	}
}

// Serving reports whether clients are served, see LB.Serving.
func (s *Service) Serving() bool { return s.present.Load().Serving() }

// Alive reports whether no loop has been busy with one turn for longer than within.
func (s *Service) Alive(within time.Duration) bool { return s.present.Load().Alive(within) }

// Usable returns how many servers share a backend's traffic now, see LB.Usable.
func (s *Service) Usable(backend string) int { return s.present.Load().Usable(backend) }

// ProbeDial connects to a frontend from inside, see LB.ProbeDial.
func (s *Service) ProbeDial(ctx context.Context, frontend string) (net.Conn, error) {
	return s.present.Load().ProbeDial(ctx, frontend)
}

// Full reports whether a frontend has its maxconn of connections, see LB.Full.
func (s *Service) Full(frontend string) bool { return s.present.Load().Full(frontend) }

// Status returns the present state.
func (s *Service) Status() Status {
	st := s.present.Load().Status()
	s.mu.Lock()
	defer s.mu.Unlock()
	st.DroppedLogs += s.dropped
	for _, g := range s.old {
		st.DroppedLogs += g.sinks.Dropped()
		st.Older = append(st.Older, OlderStatus{Until: g.retired, Connections: g.set.Conns()})
	}
	return st
}
