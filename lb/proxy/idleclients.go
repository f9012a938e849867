package proxy

// idleClients lists a worker's sessions that wait for their next request, so that
// a stop can end them at once.
type idleClients struct{ first *httpSession }

func (l *idleClients) add(s *httpSession) {
	s.nextIdle, s.prevIdle = l.first, nil
	if l.first != nil {
		l.first.prevIdle = s
	}
	l.first = s
}

func (l *idleClients) remove(s *httpSession) {
	if s.prevIdle == nil {
		l.first = s.nextIdle
	} else {
		s.prevIdle.nextIdle = s.nextIdle
	}
	if s.nextIdle != nil {
		s.nextIdle.prevIdle = s.prevIdle
	}
	s.nextIdle, s.prevIdle = nil, nil
}

// end makes every session see the end of its connection. Shutting the reading side
// down loses nothing: a request that had come would have woken the session.
func (l *idleClients) end() {
	for s := l.first; s != nil; s = s.nextIdle {
		s.client.FD().ShutdownRead()
	}
}
