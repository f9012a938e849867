package proxy

import (
	"time"

	"baton/internal/mono"
	"baton/internal/wheel"
	"baton/lb/engine"
)

// idleFor is how long a server connection waits for its next request where no
// pool-purge-delay says otherwise.
const idleFor = 5 * time.Second

// idlePool holds one server's connections that are between two requests, on one
// loop. The one that came last goes first: it is the likeliest to be still open,
// and the oldest run out.
//
// With http-reuse safe the first request of each client opens a connection though
// others are idle; so the pool keeps no more than were in use together lately.
type idlePool struct {
	server *Server
	conns  []*idleConn
	free   []*idleConn

	sessions *link // of the server, as far as a change of its state may end them

	inUse      int       // connections that sessions hold
	peak, last int       // the most of them in this period, and in the one before
	until      mono.Time // the period's end
}

// took counts a connection into use.
func (p *idlePool) took(now mono.Time) {
	if now > p.until {
		p.last, p.peak, p.until = p.peak, 0, now.Add(idleFor)
	}
	p.inUse++
	p.peak = max(p.peak, p.inUse)
}

type idleConn struct {
	conn   *engine.Conn
	site   *site // where it leads
	served int   // requests so far
	owner  *httpSession
	pool   *idlePool
	timer  wheel.Timer
}

// put keeps a connection that goes out of use. When enough of them rest already, the
// one that has rested longest goes.
func (p *idlePool) put(l *engine.Loop, c *engine.Conn, at *site, served int) {
	p.inUse--
	sp := p.server.Spec
	if sp.NoPool || sp.PoolMax > 0 && int(p.server.idle.Load()) >= sp.PoolMax {
		c.Reset()
		return
	}
	if len(p.conns)+p.inUse >= max(p.peak, p.last) {
		if len(p.conns) == 0 {
			c.Reset()
			return
		}
		p.conns[0].close()
	}
	ic := p.park(c, at, served)
	p.conns = append(p.conns, ic)
	p.server.idle.Add(1)
	keep := sp.PoolFor
	if keep == 0 {
		keep = idleFor
	}
	l.Arm(&ic.timer, l.Now().Add(keep))
}

// park puts a connection where its end is noticed.
func (p *idlePool) park(c *engine.Conn, at *site, served int) *idleConn {
	var ic *idleConn
	if n := len(p.free); n > 0 {
		ic = p.free[n-1]
		p.free = p.free[:n-1]
	} else {
		ic = &idleConn{pool: p}
		ic.timer.Owner = ic
	}
	ic.conn, ic.site, ic.served = c, at, served
	c.Idle = ic
	return ic
}

// speaks reports whether a server says more than it was asked for, or has ended. A
// read that took all it had room for has not shown what lies behind: bytes there
// would be the answer to the next request.
func (w *Worker) speaks(c *engine.Conn) bool {
	n, err := c.TryRead(w.behind[:])
	return n > 0 || err != nil
}

// get takes a connection that is open as far as we know, or nil, where it leads and how
// many requests it has served. With proven set only one that has been reused before will do.
func (p *idlePool) get(l *engine.Loop, proven bool) (c *engine.Conn, at *site, served int) {
	for i := len(p.conns) - 1; i >= 0; i-- {
		if ic := p.conns[i]; ic.served > 1 || !proven {
			p.conns = append(p.conns[:i], p.conns[i+1:]...)
			p.server.idle.Add(-1)
			return p.detach(l, ic), ic.site, ic.served
		}
	}
	return nil, nil, 0
}

func (p *idlePool) detach(l *engine.Loop, ic *idleConn) *engine.Conn {
	l.Disarm(&ic.timer)
	c := ic.conn
	c.Idle, ic.conn, ic.owner = nil, nil, nil
	p.free = append(p.free, ic)
	return c
}

// Arrived closes a connection on which something came while it was idle: its end,
// or bytes that nobody asked for.
func (ic *idleConn) Arrived(*engine.Conn) { ic.leave().Close() }

// Expired closes a connection that nobody needed.
func (ic *idleConn) Expired(mono.Time) { ic.close() }

// close ends a connection that rests (see partConn).
func (ic *idleConn) close() { ic.leave().Reset() }

// leave takes a connection out of where it rests.
func (ic *idleConn) leave() *engine.Conn {
	p := ic.pool
	if ic.owner != nil {
		ic.owner.own = nil
	}
	for i := range p.conns {
		if p.conns[i] == ic {
			p.conns = append(p.conns[:i], p.conns[i+1:]...)
			p.server.idle.Add(-1)
			break
		}
	}
	return p.detach(ic.conn.Loop(), ic)
}

func (p *idlePool) closeAll() {
	for len(p.conns) > 0 {
		p.conns[len(p.conns)-1].close()
	}
}
