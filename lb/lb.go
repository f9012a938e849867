package lb

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"baton/internal/sys"
	"baton/lb/engine"
	"baton/lb/logsink"
	"baton/lb/proxy"
	"baton/lb/spec"
)

// Options are what the balancer needs from its surroundings.
type Options struct {
	Log *slog.Logger
	// OnBackend is told of each change of the number of servers that share a
	// backend's traffic. It must not block.
	OnBackend func(backend string, usable int)
	Tag       string // name in syslog lines; "": baton
	// Sockets are listening sockets of an earlier process, by spec.Bind.Key: Listen takes
	// those that it needs over from it and closes the others.
	Sockets map[string][]sys.FD

	was    *LB // of the configuration before, in this process: Next sets it
	beside int // connections that older configurations still have
}

// LB is the balancer. Its methods are safe for use by several goroutines.
type LB struct {
	log   *slog.Logger
	o     Options
	cfg   *spec.Config
	set   *proxy.Set
	sinks *logsink.Sinks

	checks    []*check
	checkers  sync.WaitGroup
	checking  context.Context // of the running checks; nil: not yet
	freeze    func()          // ends checks and resolvers, and waits for their end
	resolvers []*resolver
	stateMu   sync.Mutex // one server state change at a time

	bound     []bound       // open, and no loop has them yet
	ready     chan struct{} // closed when clients are served
	running   atomic.Bool
	listening atomic.Bool
	closing   atomic.Int32  // loops that have not closed their listeners yet
	probes    atomic.Uint32 // ProbeDial's turn among the loops

	held held // listening sockets for a successor
}

// New builds the balancer. It opens no socket.
func New(cfg *spec.Config, o Options) (_ *LB, err error) {
	if o.OnBackend == nil {
		o.OnBackend = func(string, int) {}
	}
	if o.Tag == "" {
		o.Tag = "baton"
	}
	l := &LB{log: o.Log, o: o, cfg: cfg, ready: make(chan struct{})}
	host := cfg.Global.Hostname
	if host == "" {
		name, err := os.Hostname()
		if err != nil {
			return nil, fmt.Errorf("hostname: %w", err)
		}
		host = name
	}
	sinks := logsink.Options{Log: o.Log, Tag: o.Tag, PID: os.Getpid()}
	if cfg.Global.SendHostname {
		sinks.Host = host
	}
	l.sinks = logsink.New(sinks)
	defer func() {
		if err != nil {
			l.Close()
		}
	}()
	limit, err := maxconn(cfg, o.beside)
	if err != nil {
		return nil, err
	}
	l.set = &proxy.Set{Log: o.Log, Maxconn: limit, MaxConnRate: cfg.Global.MaxConnRate, MaxSessRate: cfg.Global.MaxSessRate, HeaderCase: cfg.Global.HeaderCase, OldBodies: cfg.Global.OldBodies, Host: host, PID: os.Getpid()}
	var was *proxy.Set
	if o.was != nil {
		was = o.was.set
	}
	if err := proxy.Build(l.set, cfg, l.sinks, was); err != nil {
		return nil, err
	}
	loops := cfg.Global.NbThread
	if loops == 0 {
		loops = runtime.NumCPU()
	}
	for i := range loops {
		loop, err := engine.NewLoop(i, o.Log)
		if err != nil {
			return nil, fmt.Errorf("event loop %d: %w", i, err)
		}
		l.set.Workers = append(l.set.Workers, proxy.NewWorker(l.set, loop))
	}
	l.newChecks()
	l.set.Resolvers = l.ruleResolvers()
	return l, nil
}

// Close frees a balancer that has not run and will not.
func (l *LB) Close() {
	l.closeBound()
	if l.set != nil {
		for _, w := range l.set.Workers {
			w.Loop.Close()
		}
	}
	// Nothing has been logged that could be lost.
	_ = l.sinks.Close(context.Background())
}

// descriptors that are needed besides those of connections: listeners, epoll
// instances, logs, checks, VRRP.
const otherDescriptors = 128

// maxconn decides the process's connection limit: the configured one, for which the
// descriptor limit is raised, or what the descriptor limit allows. A connection
// takes two descriptors, the client's and the server's; in tunnels it may take two
// more for a pipe, which it can do without. Those that older configurations still have
// come on top where the system allows that, as they would with a process for each.
func maxconn(cfg *spec.Config, beside int) (int32, error) {
	soft, hard := sys.OpenFileLimit()
	if n := cfg.Global.Maxconn; n > 0 {
		need := uint64(2*n + otherDescriptors)
		if all := need + uint64(2*beside); all > soft && all <= hard {
			need = all
		}
		if need > soft {
			if err := sys.SetOpenFileLimit(need); err != nil {
				return 0, fmt.Errorf("maxconn %d needs %d open files, the limit is %d: raise LimitNOFILE= in the unit (or ulimit -n), or lower maxconn", n, need, hard)
			}
		}
		return int32(n), nil
	}
	if hard > soft {
		_ = sys.SetOpenFileLimit(hard) // it stays what it is otherwise
		soft, _ = sys.OpenFileLimit()
	}
	// Sizes follow from this number nowhere, so an unlimited descriptor limit costs no memory.
	return int32(min(max(int64(soft)-otherDescriptors-int64(2*beside), 64)/2, 1<<20)), nil
}

// Run turns the loops and checks the servers until ctx ends.
func (l *LB) Run(ctx context.Context) error {
	// The loops keep their processors busy under load; VRRP, checks and everything
	// else need room of their own beside them.
	runtime.GOMAXPROCS(max(runtime.GOMAXPROCS(0), len(l.set.Workers)+2))
	l.set.SetVars(&l.cfg.Global)
	l.initialStates() // posted ahead of the first connection
	l.watchBound()
	l.checkMarks()
	var wg sync.WaitGroup
	wg.Go(func() { l.set.Clerk(ctx) })
	for _, w := range l.set.Workers {
		wg.Go(w.Loop.Run)
	}
	// What was posted before has been done when each loop gets here: the listeners
	// are watched and the pickers know their servers.
	var first sync.WaitGroup
	for _, w := range l.set.Workers {
		first.Add(1)
		w.Loop.Post(first.Done)
	}
	first.Wait()
	watching, end := context.WithCancel(ctx)
	waitChecks := l.runChecks(watching)
	waitResolvers := l.runResolvers(watching)
	l.freeze = func() {
		end()
		waitResolvers()
		waitChecks()
	}
	l.running.Store(true)
	close(l.ready)
	<-ctx.Done()
	l.running.Store(false)
	l.freeze()
	for _, w := range l.set.Workers {
		w.Loop.Stop()
	}
	wg.Wait()
	flush, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := l.sinks.Close(flush); err != nil {
		l.log.Warn("log lines were lost at the end", "error", err)
	}
	return nil
}

// Ready is closed once clients are served.
func (l *LB) Ready() <-chan struct{} { return l.ready }

// StopListening takes no new connections. Present requests are served, their
// responses say Connection: close, and connections between two requests end.
func (l *LB) StopListening() {
	l.stopListening(true, func(w *proxy.Worker) { w.CloseIdle(false) })
}

// Succeed is StopListening after another process has taken the listeners over: who
// has connected and not asked yet is still served, so that nobody notices.
func (l *LB) Succeed() {
	l.stopListening(true, func(w *proxy.Worker) { w.CloseIdle(true) })
}

// retire is StopListening after another LB of this process has taken the listeners over:
// nothing ends that a client could have used for a request already on its way. A
// connection ends with the response that says so.
func (l *LB) retire() { l.stopListening(false, (*proxy.Worker).TakeRest) }

func (l *LB) stopListening(unawaited bool, before func(*proxy.Worker)) {
	l.listening.Store(false)
	l.held.close()
	l.set.Drain(unawaited)
	for _, w := range l.set.Workers {
		l.closing.Add(1)
		w.Loop.Post(func() {
			defer l.closing.Add(-1)
			before(w)
			w.CloseListeners()
		})
	}
}

// sendHome has clients end their connections; new ones are taken.
func (l *LB) sendHome() {
	l.set.Drain(true)
	for _, w := range l.set.Workers {
		w.Loop.Post(func() { w.CloseIdle(false) })
	}
}

// Drain waits until the last connection has ended, or ctx.
func (l *LB) Drain(ctx context.Context) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	// Until a loop has closed its listeners it may take one more.
	for l.set.Conns() > 0 || l.closing.Load() > 0 && l.running.Load() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d connections were cut: %w", l.set.Conns(), ctx.Err())
		case <-tick.C:
		}
	}
	return nil
}

// Serving reports whether clients are served: the listeners are open and every
// loop turns.
func (l *LB) Serving() bool {
	return l.running.Load() && l.listening.Load() && l.Alive(time.Second)
}

// Alive reports whether no loop has been busy with one turn for longer than within.
func (l *LB) Alive(within time.Duration) bool {
	for _, w := range l.set.Workers {
		if w.Loop.Stalled() > within {
			return false
		}
	}
	return l.running.Load()
}

// Usable returns how many servers share a backend's traffic now; -1: there is no
// such backend.
func (l *LB) Usable(backend string) int {
	for _, b := range l.set.Backends {
		if b.Spec.Name == backend {
			return b.Usable()
		}
	}
	return -1
}

// ProbeDial connects to a frontend from inside: through its first listener where
// that address is on this host, and straight into an event loop, each in turn,
// where it is not (a virtual address that the other node holds) or where the frontend
// is full: a probe asks whether clients are served, not whether there is room for one.
func (l *LB) ProbeDial(ctx context.Context, frontend string) (net.Conn, error) {
	fe := l.frontend(frontend)
	if fe == nil {
		return nil, fmt.Errorf("no frontend %q", frontend)
	}
	if len(fe.Spec.Binds) > 0 && !l.set.Full(fe) && fe.Spec.Binds[0].Kind == spec.BindIP && !fe.Spec.Binds[0].AcceptProxy {
		if to, ok := localTarget(fe.Spec.Binds[0].Addr); ok {
			var d net.Dialer
			return d.DialContext(ctx, "tcp", to.String())
		}
	}
	if !l.running.Load() {
		return nil, errors.New("the balancer does not run")
	}
	ours, theirs, err := sys.SocketPair()
	if err != nil {
		return nil, err
	}
	w := l.set.Workers[int(l.probes.Add(1))%len(l.set.Workers)]
	w.Loop.Post(func() { w.Inject(theirs, fe) })
	return sys.NetConn(ours)
}

// Full reports whether a frontend, or the process, has its maxconn of connections.
func (l *LB) Full(frontend string) bool {
	fe := l.frontend(frontend)
	return fe != nil && l.set.Full(fe)
}

func (l *LB) frontend(name string) *proxy.Frontend {
	for _, fe := range l.set.Frontends {
		if fe.Spec.Name == name {
			return fe
		}
	}
	return nil
}
