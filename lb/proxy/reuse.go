package proxy

import (
	"slices"

	"baton/lb/balance"
	"baton/lb/engine"
	"baton/lb/spec"
)

// Which idle server connection a request takes (http-reuse), and whether a request
// that a server has failed goes again (retry-on).

// idle takes a connection to the chosen server that rests, as http-reuse allows it, or
// reports false. A client's first request takes none in the default mode: the client
// could not know that it may have to try again.
func (s *httpSession) idle(t *engine.Task) bool {
	k := &s.x.link
	reuse, first := s.x.backend.Spec.Reuse, s.served == 0
	if k.marked() {
		return false // those that rest carry other marks, or none
	}
	if k.private() {
		return s.takeOwn(t)
	}
	if first && reuse == spec.ReuseSafe {
		return false
	}
	c, at, served := s.w.idle[k.server.global].get(t.Loop(), first && reuse == spec.ReuseAggressive)
	if c == nil {
		return false
	}
	k.hold(s.w, c, at, served, t.Now())
	return true
}

// preferLast takes the server of the client's last request again (option
// prefer-last-server), unless the algorithm ties clients to servers as it is.
func (s *httpSession) preferLast(t *engine.Task) bool {
	b, last := s.x.backend, s.last
	if !b.Spec.HTTP.PreferLast || b.Spec.Balance.Algorithm.Hashes() || last == nil || last.Backend != b || !last.Usable() || b.Queued() > 0 || !last.take() {
		return false
	}
	last.Sessions.Add(1)
	s.w.countRate(&last.sessionRate)
	s.x.link.server, s.x.link.assigned = last, t.Now()
	s.x.link.join(t, s.w)
	return true
}

// worn reports whether the connection may not be used again (max-reuse).
func (k *link) worn() bool {
	most := k.server.Spec.MostRequests
	return most > 0 && k.served+1 >= most
}

// private reports whether connections to the server serve one client alone: because of
// http-reuse never, or because a PROXY header has told the server who that is.
func (k *link) private() bool {
	return k.backend.Spec.Reuse == spec.ReuseNever || k.server.Spec.SendProxy != nil
}

// keepOwn keeps the exchange's connection for this client alone.
func (s *httpSession) keepOwn(k *link) {
	if s.own != nil {
		s.own.close()
	}
	k.pool.inUse--
	s.own = k.pool.park(k.conn, k.site, k.served+1)
	s.own.owner = s
	k.conn = nil
}

// takeOwn takes it again for another request to the same server.
func (s *httpSession) takeOwn(t *engine.Task) bool {
	k, ic := &s.x.link, s.own
	if ic == nil {
		return false
	}
	if ic.pool.server != k.server {
		ic.close()
		return false
	}
	s.own = nil
	at, served := ic.site, ic.served
	k.hold(s.w, ic.pool.detach(t.Loop(), ic), at, served, t.Now())
	return true
}

// mayRetry reports whether the request may go again after a failure that retry-on
// names: all of it is still in the buffer and its attempts are not used up.
func (s *httpSession) mayRetry(named bool) bool {
	x := s.x
	return named && !x.noRetry && x.up.ended && x.up.moved == 0 && x.link.retries < x.link.attempts()
}

// retryStatus is mayRetry for a response that has come whole as far as its head.
func (s *httpSession) retryStatus() bool {
	_, named := slices.BinarySearch(s.x.backend.Spec.RetryOn.Statuses, s.x.res.Status)
	return s.mayRetry(named)
}

// retry forgets what a server said, and turns to another one where redispatch allows it.
func (s *httpSession) retry(t *engine.Task, key balance.Key) failure {
	x := s.x
	x.link.closeConn()
	x.link.revive()
	x.down.drop(t.Loop())
	x.responded = 0
	if x.res != nil {
		x.res.Reset()
	}
	_, f := x.link.another(t, s.w, key)
	return f
}
