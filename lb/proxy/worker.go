package proxy

import (
	"net/netip"
	"sync/atomic"
	"time"

	"baton/internal/sys"
	"baton/lb/balance"
	"baton/lb/engine"
	"baton/lb/http1"
	"baton/lb/logfmt"
	"baton/lb/sample"
	"baton/lb/spec"
)

// Worker is one event loop's part of the balancer. Everything in it belongs to
// that loop's goroutine.
type Worker struct {
	Loop *engine.Loop
	set  *Set

	pickers   []balance.Picker // by Backend.index
	idle      []idlePool       // by Server.global
	listeners []*listener
	https     []*httpSession   // free
	tcps      []*tcpSession    // free
	exchanges []*exchange      // free
	responses []*http1.Message // free
	clients   clients

	behind [1]byte // where speaks looks

	ctx   sample.Ctx    // of the expression being evaluated
	rec   logfmt.Record // of the line being written
	line  []byte
	data  []byte // structured data of the line
	dates logfmt.DateCache

	rooms       [2][]byte // of http-after-response, for answers made here
	hint        []byte    // a 103 response being made
	value, head []byte    // what a rule writes, and a start line; room for a message each
}

// listener accepts one bind's connections on one loop.
type listener struct {
	*engine.Listener
	w    *Worker
	fe   *Frontend
	bind *spec.Bind

	place *places // nil: the bind has no limit of its own
}

// NewWorker makes the part of a loop. The pickers get their servers by Reslot.
func NewWorker(set *Set, loop *engine.Loop) *Worker {
	w := &Worker{
		value: make([]byte, 0, engine.BufferSize), head: make([]byte, 0, engine.BufferSize),
		Loop: loop, set: set, idle: make([]idlePool, set.servers),
	}
	w.ctx.World, w.ctx.Proc, w.ctx.Final = &world{set: set, w: w}, &set.procVars, true
	for _, b := range set.Backends {
		for _, s := range b.Servers {
			w.idle[s.global].server = s
		}
		w.pickers = append(w.pickers, balance.New(&b.Spec.Balance, loop.ID))
	}
	return w
}

// Listen starts accepting on a listening socket, which the worker owns from now on.
func (w *Worker) Listen(fd sys.FD, fe *Frontend, bind *spec.Bind) error {
	ln := &listener{w: w, fe: fe, bind: bind, place: fe.places[bind]}
	l, err := w.Loop.Listen(fd, ln)
	if err != nil {
		return err
	}
	ln.Listener = l
	w.listeners = append(w.listeners, ln)
	return nil
}

// TakeRest accepts who has connected and still waits for it.
func (w *Worker) TakeRest() {
	for _, ln := range w.listeners {
		ln.Take()
	}
}

// CloseListeners stops accepting.
func (w *Worker) CloseListeners() {
	for _, ln := range w.listeners {
		ln.Close()
	}
	w.listeners = nil
}

// CloseIdle closes the connections that wait for a request, on both sides; with
// spareNew not those of clients that wait for their first answer.
func (w *Worker) CloseIdle(spareNew bool) {
	w.clients.endIdle(spareNew)
	for i := range w.idle {
		w.idle[i].closeAll()
	}
}

// Reserve is the engine's question before each accept.
func (ln *listener) Reserve() (ok bool, rest time.Duration) {
	if rest = ln.w.rest(ln.fe); rest > 0 {
		return false, rest
	}
	if ln.w.reserve(ln.fe, ln.place) {
		return true, 0
	}
	// Whoever ends a connection after this line sees the flag and resumes us.
	ln.w.set.paused.Store(true)
	return ln.w.reserve(ln.fe, ln.place), 0
}

// Release gives a place back.
func (ln *listener) Release() { ln.w.end(ln.fe, ln.place) }

// rest is how long nobody may be let in for the sake of the limits of rates. Loops that
// accept at the same time may exceed those by one each.
func (w *Worker) rest(fe *Frontend) time.Duration {
	if !w.set.rates {
		return 0
	}
	set, now := w.set, w.Loop.Now()
	return max(fe.sessionRate.wait(fe.Spec.RateLimit, now), set.connRate.wait(set.MaxConnRate, now), set.sessRate.wait(set.MaxSessRate, now))
}

// reserve counts a connection in, where neither the socket nor the frontend nor the
// process is full. place is what the socket counts in; nil: it does not.
func (w *Worker) reserve(fe *Frontend, place *places) bool {
	if place != nil && !addBelow(&place.taken, place.all) {
		return false
	}
	if !addBelow(&fe.Conns, int32(fe.Spec.Maxconn)) {
		place.giveBack()
		return false
	}
	if !addBelow(&w.set.conns, w.set.Maxconn) {
		fe.Conns.Add(-1)
		place.giveBack()
		return false
	}
	return true
}

// places are those of one listening socket's connections (maxconn of a bind line),
// shared by all loops.
type places struct {
	taken atomic.Int32
	all   int32
}

func (p *places) giveBack() {
	if p != nil {
		p.taken.Add(-1)
	}
}

// addBelow adds one to n unless that is at its limit; 0 is none.
func addBelow(n *atomic.Int32, limit int32) bool {
	for {
		now := n.Load()
		if limit > 0 && now >= limit {
			return false
		}
		if n.CompareAndSwap(now, now+1) {
			return true
		}
	}
}

// Accept takes over a new client connection.
func (ln *listener) Accept(c *engine.Conn, from netip.AddrPort) {
	if less := -ln.bind.TCP.MSS; less > 0 {
		c.FD().ReduceMSS(less)
	}
	ln.w.countRate(&ln.w.set.connRate)
	ln.w.start(c, from, ln.fe, ln.bind)
}

// Inject takes a connection that did not come through a listener: one end of a
// socket pair, by which the daemon probes the whole path through a frontend.
func (w *Worker) Inject(fd sys.FD, fe *Frontend) {
	c := w.Loop.Take(fd)
	w.set.conns.Add(1)
	fe.Conns.Add(1)
	w.start(c, netip.AddrPortFrom(netip.IPv6Loopback(), 0), fe, nil)
}

func (w *Worker) start(c *engine.Conn, from netip.AddrPort, fe *Frontend, bind *spec.Bind) {
	fe.Sessions.Add(1)
	if fe.Spec.Mode == spec.HTTP {
		w.Loop.Go(w.newHTTP(c, from, fe, bind))
		return
	}
	w.Loop.Go(w.newTCP(c, from, fe, bind))
}

// countSession counts a connection that tcp-request connection rules have let in.
func (w *Worker) countSession(fe *Frontend) {
	w.countRate(&fe.sessionRate)
	w.countRate(&w.set.sessRate)
}

// countRate counts an event, where some expression or limit asks for rates.
func (w *Worker) countRate(r *rate) {
	if w.set.rates {
		r.add(w.Loop.Now())
	}
}

// end counts a client connection out.
func (w *Worker) end(fe *Frontend, place *places) {
	place.giveBack()
	fe.Conns.Add(-1)
	w.set.conns.Add(-1)
	if w.set.paused.Load() && w.set.paused.Swap(false) {
		for _, o := range w.set.Workers {
			o.Loop.Post(o.resume)
		}
	}
}

func (w *Worker) resume() {
	for _, ln := range w.listeners {
		ln.Resume()
	}
}

// Reslot tells the worker's picker of a backend which servers share the traffic.
// Connections that wait for a request to a server that does not are closed.
func (w *Worker) Reslot(b *Backend, plan *balance.Plan) {
	w.pickers[b.index].Update(plan)
	for _, s := range b.Servers {
		if !s.Usable() {
			w.idle[s.global].closeAll()
		}
	}
}

// CloseIdle closes the idle connections to a server that has moved; those in use end
// with their exchange.
func (s *Set) CloseIdle(srv *Server) {
	for _, w := range s.Workers {
		w.Loop.Post(func() { w.idle[srv.global].closeAll() })
	}
}
