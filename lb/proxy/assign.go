package proxy

import (
	"baton/lb/balance"
	"baton/lb/engine"
	"baton/lb/spec"
)

// assign chooses a server that has room, waiting in a queue when that is full. except
// is the index of a server to avoid if there is another (-1: none).
func (k *link) assign(t *engine.Task, w *Worker, key balance.Key, except int) failure {
	b := k.backend
	deadline := after(t.Now(), k.queueTimeout())
	for {
		s, c := k.choose(t, w, key, except)
		switch {
		case c == nobody:
			return noServer
		case c == taken:
		case s != nil && s.Crowded():
			k.wanted = s
			return queueFull
		default:
			granted, inTime, ahead := b.await(t, &k.waiter, s, &k.guard, deadline)
			if s != nil {
				k.ownPlace = ahead + 1
			} else {
				k.place = ahead + 1
			}
			if granted == nil && k.guard.Over() {
				k.wanted, k.assigned = s, t.Now()
				return k.left(leftQueue)
			}
			if granted == nil && inTime {
				continue // the server that it waited for has left
			}
			if granted == nil {
				k.wanted, k.assigned = s, t.Now() // the log tells how long it waited
				return queueTimeout
			}
			s = granted
		}
		s.Sessions.Add(1)
		w.countRate(&s.sessionRate)
		k.server, k.assigned, k.named, k.persist = s, t.Now(), s == k.persist, nil
		k.join(t, w)
		return linked
	}
}

// choice is what choose found.
type choice uint8

const (
	nobody choice = iota // no server is usable
	taken                // the server, which counts the session in
	waits                // the server is full and has to be waited for; nil: any
)

// choose asks the algorithm. A server that a hash names is waited for, though others
// may have room: only so a key stays with its server. Of other requests none overtakes
// those that wait.
func (k *link) choose(t *engine.Task, w *Worker, key balance.Key, except int) (*Server, choice) {
	if s, c, ok := k.choosePersistent(); ok {
		return s, c
	}
	b := k.backend
	picker := w.pickers[b.index]
	algorithm := b.Spec.Balance.Algorithm
	hash := key.OK && algorithm.Hashes()
	for {
		if !hash && b.Queued() > 0 && b.Usable() > 0 {
			return nil, waits
		}
		i, r := 0, balance.None
		if except >= 0 {
			i, r = picker.PickExcept(key, except, t.Now())
		}
		if r == balance.None {
			i, r = picker.Pick(key, t.Now())
		}
		if r == balance.None {
			return nil, nobody
		}
		if r == balance.Full {
			return nil, waits
		}
		s := b.Servers[i]
		switch {
		case (!hash || s.Queued() == 0) && s.take():
			return s, taken
		case hash, algorithm == spec.LeastConn && s.Spec.Maxqueue > 0:
			return s, waits
		}
		// Another loop was faster; the picker looks again.
	}
}
