package proxy

import "baton/lb/engine"

// clients lists a worker's sessions in mode http, so that a stop can end those that
// wait for a request. A session joins and leaves once in its life: between two
// requests it only changes a flag of its own.
type clients struct{ all []*httpSession }

func (l *clients) add(s *httpSession) {
	s.place = len(l.all)
	l.all = append(l.all, s)
}

func (l *clients) remove(s *httpSession) {
	last := len(l.all) - 1
	l.all[s.place] = l.all[last]
	l.all[s.place].place = s.place
	l.all[last] = nil
	l.all = l.all[:last]
}

// part closes a client's connection, with cut by a reset. With `option nolinger` a reset
// follows the end, which leaves nothing of the connection in the system; as in HAProxy.
func part(c *engine.Conn, fe *Frontend, cut bool) {
	switch {
	case cut:
		c.Reset()
	case fe.Spec.NoLinger:
		c.ShutdownWrite()
		c.Reset()
	default:
		c.Close()
	}
}

// vanish prepares the end, by a reset, of a connection that silent-drop forgets: nothing is
// sent, or with rst-ttl a reset that lives for so many hops, for firewalls on the way to
// forget the connection too while the client hears nothing.
func vanish(c *engine.Conn, ttl int) {
	if ttl > 0 {
		c.FD().SetTTL(ttl)
		return
	}
	c.FD().Forget()
}

// endIdle makes every session that waits see the end of its connection. Shutting the
// reading side down loses nothing: a request that had come would have woken it.
//
// Those of clients that have not asked for anything yet are left alone with spareNew:
// their first request is on its way, and they take a closed connection for a failure.
// So are those of a frontend with `option idle-close-on-response`.
func (l *clients) endIdle(spareNew bool) {
	for _, s := range l.all {
		if s.waits && (s.served > 0 || !spareNew) && !s.fe.Spec.HTTP.IdleStays {
			s.client.FD().ShutdownRead()
		}
	}
}
