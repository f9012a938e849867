package proxy

import (
	"sync/atomic"

	"baton/lb/spec"
)

// Watch counts the consecutive errors that traffic meets on one server, for `observe`.
// It is set before the loops run.
type Watch struct {
	Layer spec.Layer
	Limit int32 // errors in a row
	// Reached is told the last of them. It must not block: it is called on a loop.
	Reached func(last Sight)

	errors atomic.Int32
}

// Sight is what a request met on its way to a server.
type Sight uint8

// What there is to see, first what is good.
const (
	SawConnection Sight = iota
	SawAnswer
	SawNoConnection
	SawWrongStatus // not one of 100 to 499, 501 and 505
	SawBadAnswer
	SawEnd // the connection ended before an answer
	SawTimeout
)

func (s Sight) String() string {
	return [...]string{
		"L4 successful connection", "Correct http response", "L4 unsuccessful connection", "Wrong http response",
		"Invalid http response (headers)", "Close from server (http)", "Read timeout (http)",
	}[s]
}

// Observe makes w watch the server.
func (s *Server) Observe(w *Watch) { s.watch = w }

// saw counts what a request has met. In layer 7 a connection alone is no success, and
// in layer 4 it is all there is to see.
func (s *Server) saw(what Sight) {
	w := s.watch
	if w == nil {
		return
	}
	connection := what == SawConnection || what == SawNoConnection
	switch {
	case w.Layer == spec.Layer4 && !connection, w.Layer == spec.Layer7 && what == SawConnection:
	case what == SawConnection, what == SawAnswer:
		if w.errors.Load() != 0 {
			w.errors.Store(0)
		}
	case w.errors.Add(1) == w.Limit:
		w.errors.Store(0)
		w.Reached(what)
	}
}

// sightOf judges a response by its status.
func sightOf(status int) Sight {
	if status < 500 || status == 501 || status == 505 {
		return SawAnswer
	}
	return SawWrongStatus
}

// sightOfEnd tells why there is no response to judge.
func sightOfEnd(end termination) Sight {
	switch end.who {
	case 's':
		return SawTimeout
	case 'P':
		return SawBadAnswer
	}
	return SawEnd
}
