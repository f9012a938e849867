package proxy

import (
	"baton/lb/engine"
	"baton/lb/spec"
)

// Sessions that a server's change of state ends (on-marked-down, on-marked-up). Each loop
// lists those that it has with a server of which a change may ask that, from the choice of
// the server until it is let go. The links themselves are the list: it allocates nothing.

// cause is why a session was killed, as the log tells it (chapter 8.5); 0: it was not.
type cause byte

// The causes.
const (
	KilledDown cause = 'D' // its server went down
	KilledUp   cause = 'U' // it was with a backup, and another server came up
)

// mayKill reports whether a change of state may end sessions with the server.
func mayKill(s *spec.Server, all []*spec.Server) bool {
	if s.KillOnDown {
		return true
	}
	for _, o := range all {
		if s.Backup && !o.Backup && o.KillBackupsOnUp {
			return true
		}
	}
	return false
}

// join lists a session with its server, where that is of use.
func (k *link) join(t *engine.Task, w *Worker) {
	if !k.server.mayKill {
		return
	}
	p := &w.idle[k.server.global]
	k.task, k.list, k.next = t, p, p.sessions
	if p.sessions != nil {
		p.sessions.prev = k
	}
	p.sessions = k
}

// part takes it out again.
func (k *link) part() {
	if k.list == nil {
		return
	}
	if k.prev == nil {
		k.list.sessions = k.next
	} else {
		k.prev.next = k.next
	}
	if k.next != nil {
		k.next.prev = k.prev
	}
	k.task, k.list, k.prev, k.next = nil, nil, nil, nil
}

// Kill ends all sessions with the server. Each loop is told after it was told of the change
// of state (SetUsable), so that nobody chooses the server in between.
func (s *Set) Kill(srv *Server, why cause) {
	for _, w := range s.Workers {
		w.Loop.Post(func() {
			for k := w.idle[srv.global].sessions; k != nil; k = k.next {
				k.kill(why)
			}
		})
	}
}

// kill makes the session's task find that there is no server any more. What has come from
// it still goes to the client.
func (k *link) kill(why cause) {
	k.killed, k.guard.Revoked = why, true
	if k.conn != nil {
		k.conn.Abandon()
	}
	k.task.Wake()
}

// revive lets a killed session try again (retry-on).
func (k *link) revive() { k.killed, k.guard.Revoked = 0, false }

// verdict is how a session has ended: as it was seen, or, where it was killed, with that
// cause and the phase that HAProxy was seen to log.
func (k *link) verdict(seen termination, phase byte) termination {
	if k.killed == 0 || seen == (termination{'-', '-'}) {
		return seen
	}
	return termination{byte(k.killed), phase}
}
