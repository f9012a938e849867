package proxy

import (
	"net/netip"
	"time"

	"baton/internal/mono"
	"baton/internal/sys"
	"baton/lb/balance"
	"baton/lb/engine"
	"baton/lb/spec"
)

// link is a session's way to a server: which one, over which connection, and how
// it was got.
type link struct {
	backend *Backend
	server  *Server // counted in with take until drop
	conn    *engine.Conn
	pool    *idlePool // of conn: where it is counted and may rest
	site    *site     // where conn leads: the server may have moved since
	served  int       // requests that conn has served before

	guard engine.Guard // on the client: whose end ends the waiting for a server

	from      netip.AddrPort // the client, as the server may want to be told
	authority []byte         // what a PROXY header told of it
	uniqueID  []byte         // empty: none was made
	dst       netip.AddrPort // where it wants to go, as a rule has set it; zero: where it connected to

	pinned  *Server            // whom a use-server rule names
	named   bool               // server is whom a cookie or a rule names
	most    int                // retries and one, as a rule has set them; 0: the backend's
	options sys.ConnectOptions // with Marks or a source: the server's, for this connection alone
	source  sys.Sockaddr       // what options point at
	own     site               // of a server whose address or port is the client's affair

	persist  *Server // whom persistence names, until a server is assigned; nil: the algorithm chooses
	anyState bool    // persist may be down
	forced   bool    // and is not left (force-persist)

	retries      int
	redispatched bool
	place        int     // in the backend's queue, from 1; 0: it did not wait there
	ownPlace     int     // in a server's queue
	wanted       *Server // whose queue that was, when no place was got

	assigned  mono.Time // a server was chosen, or the wait for one given up (end of %Tw); 0: not reached
	connected mono.Time // end of %Tc; 0: not reached

	waiter waiter

	limits ownLimits

	killed     cause        // by a change of its server's state
	list       *idlePool    // lists it among its server's sessions; nil: it is not listed
	prev, next *link        // in that list
	task       *engine.Task // to wake; set while it is listed
}

// failure is why a link could not be made; it names the log's first letter and
// the status of the answer.
type failure uint8

const (
	linked         failure = iota
	noServer               // none is usable: S, 503
	queueTimeout           // s, 503, in state Q
	queueFull              // S, 503, in state Q
	refused                // S, 503, in state C
	connectTimeout         // s, 503, in state C
	leftQueue              // C, no answer, in state Q
	leftConnect            // C, no answer, in state C
	clientReset            // C, no answer, in state D
	killedEarly            // D or U, no answer
)

// reset forgets the last exchange.
func (k *link) reset() {
	k.backend, k.server, k.conn, k.site = nil, nil, nil, nil
	k.served, k.redispatched = 0, false
	k.persist, k.named, k.anyState, k.forced = nil, false, false, false
	k.retries, k.place, k.ownPlace, k.wanted = 0, 0, 0, nil
	k.assigned, k.connected, k.guard = 0, 0, engine.Guard{}
	k.pinned, k.most, k.dst = nil, 0, netip.AddrPort{}
	k.options = sys.ConnectOptions{}
	k.killed, k.limits = 0, ownLimits{}
	k.waiter.class, k.waiter.offset = 0, 0
}

// attempts is how often a failed connection is tried again.
func (k *link) attempts() int {
	if k.most > 0 {
		return k.most - 1
	}
	return k.backend.Spec.Retries
}

// marked reports whether rules want the packets of this connection to carry something.
func (k *link) marked() bool { return k.options.Marks.HasMark || k.options.Marks.HasTOS }

// where is the site to connect to: of a server without a port, or without an address
// (0.0.0.0), those that the client asked for.
func (k *link) where(client *engine.Conn) (at *site, to *sys.Sockaddr) {
	at = k.server.at.Load()
	anywhere := at.addr.Addr().IsUnspecified()
	if at.addr.Port() != 0 && !anywhere || at.unix {
		return at, &at.sockaddr
	}
	asked := k.dst
	if !asked.IsValid() {
		asked = client.LocalAddr()
	}
	a := at.addr
	if anywhere {
		a = netip.AddrPortFrom(asked.Addr(), a.Port())
	}
	if a.Port() == 0 {
		a = netip.AddrPortFrom(a.Addr(), asked.Port())
	}
	k.own = site{addr: a, sockaddr: sys.SockaddrOf(a)}
	if !anywhere {
		return at, &k.own.sockaddr
	}
	// A site of its own keeps the connection from serving those who want to go elsewhere.
	return &k.own, &k.own.sockaddr
}

// connect makes a new connection to a server, with the backend's retries: a server
// that fails is tried again after a pause of at most a second, or left for
// another one where `option redispatch` allows it.
func (k *link) connect(t *engine.Task, w *Worker, key balance.Key, client *engine.Conn) failure {
	b := k.backend
	if k.server == nil {
		if f := k.assign(t, w, key, -1); f != linked {
			return f
		}
	}
	for {
		s := k.server
		at, to := k.where(client)
		k.site = at // also for the log, should it fail
		conn, err := k.open(t, to, after(t.Now(), k.connectTimeout()))
		if err == nil {
			s.Opened.Add(1)
			if err = k.introduce(t, conn, client); err == nil {
				k.hold(w, conn, at, 0, t.Now())
				s.saw(SawConnection)
				return linked
			}
			conn.Close()
		}
		if k.guard.Over() {
			return k.left(leftConnect)
		}
		s.ConnErrs.Add(1)
		s.saw(SawNoConnection)
		if k.retries >= k.attempts() || b.Spec.RetryOn.NoConnFailure {
			if err == engine.ErrTimeout {
				return connectTimeout
			}
			return refused
		}
		moved, f := k.another(t, w, key)
		if f != linked {
			return f
		}
		if moved {
			continue
		}
		pause := time.Second
		if d := k.connectTimeout(); d > 0 {
			pause = min(pause, d)
		}
		for until := t.Now().Add(pause); t.Now() < until; {
			if t.Suspend(until); k.guard.Over() {
				return k.left(leftConnect)
			}
		}
	}
}

// left is the failure of a session that was killed, or whose client has gone in a phase.
// As in HAProxy a client that has failed is told from one that has closed.
func (k *link) left(phase failure) failure {
	if k.killed != 0 {
		return killedEarly
	}
	if k.guard.Failed() && k.backend.Spec.Mode == spec.TCP {
		return clientReset
	}
	return phase
}

// another counts an attempt and chooses the server of the next one: another where
// redispatch allows it (moved), or the same.
func (k *link) another(t *engine.Task, w *Worker, key balance.Key) (moved bool, f failure) {
	s := k.server
	k.retries++
	if k.mayRedispatch() {
		s.Redisps.Add(1)
		k.redispatched = true
		k.drop()
		if f := k.assign(t, w, key, s.Index); f != linked {
			return false, f
		}
		if k.server != s {
			return true, linked
		}
	}
	s.Retries.Add(1)
	return false, linked
}

// mayRedispatch follows `option redispatch`: interval n counts retries on one
// server, a negative one counts back from the last (-1, the default: the last). A
// server that has just left service, or one of several that neither a hash nor a cookie
// nor a rule names, is left at once.
func (k *link) mayRedispatch() bool {
	b := k.backend
	n := b.Spec.Redispatch
	switch {
	case n == 0, k.forced:
		return false
	case !k.server.Usable():
		return true
	case !k.named && !b.Spec.Balance.Algorithm.Hashes() && b.Usable() > 1:
		return true
	case n > 0:
		return k.retries%n == 0
	}
	return k.retries == k.attempts()+1+n
}

// drop lets the server go; its connection must have been closed or pooled.
func (k *link) drop() {
	if k.server != nil {
		k.part()
		k.server.leave()
		k.server = nil
	}
}

// hold takes a connection to k.server into use.
func (k *link) hold(w *Worker, c *engine.Conn, at *site, served int, now mono.Time) {
	k.conn, k.site, k.served, k.connected = c, at, served, now
	k.pool = &w.idle[k.server.global]
	k.pool.took(now)
}

// closeConn closes the connection to the server, if there is one.
func (k *link) closeConn() {
	if k.conn != nil {
		k.pool.inUse--
		if k.backend != nil && k.backend.Spec.NoLinger {
			k.conn.FD().ResetOnClose()
		}
		k.conn.Close()
		k.conn = nil
	}
}

// partConn closes a connection on which both sides have said all they had to. It does
// so by a reset: a FIN of ours would leave it in TIME_WAIT for a minute, on our side.
// Clients that come with a connection per request would use up all ports towards the
// server, and make each connect dearer long before. HAProxy was seen to do the same.
func (k *link) partConn() {
	k.pool.inUse--
	k.conn.Reset()
	k.conn = nil
}
