package proxy

import (
	"time"

	"baton/lb/balance"
	"baton/lb/cookie"
	"baton/lb/engine"
	"baton/lb/http1"
	"baton/lb/rules"
	"baton/lb/sample"
	"baton/lb/spec"
)

// persistRule is one force-persist or ignore-persist line.
type persistRule struct {
	force bool
	cond  rules.Cond
}

func newPersistRules(lines []spec.Persist) []persistRule {
	var out []persistRule
	for _, l := range lines {
		out = append(out, persistRule{l.Force, compile(l.Cond)})
	}
	return out
}

// persistence follows force-persist and ignore-persist: the first rule that holds counts.
func (b *Backend) persistence(c *sample.Ctx) (force, ignore bool) {
	for i := range b.persist {
		if r := &b.persist[i]; r.cond(c) {
			return r.force, !r.force
		}
	}
	return false, false
}

// persistByRDP follows `persist rdp-cookie`: the cookie holds a server's address. HAProxy
// was seen to ask neither force-persist nor ignore-persist here.
func (s *tcpSession) persistByRDP() {
	b, k := s.link.backend, &s.link
	if b.Spec.RDPCookie == "" {
		return
	}
	v, ok := s.ctx().RDPCookie(b.Spec.RDPCookie)
	if !ok {
		return
	}
	at, ok := cookie.Token(v)
	if !ok {
		return
	}
	k.anyState = b.Spec.PersistDown
	for _, srv := range b.Servers {
		if srv.Addr() == at && (srv.Usable() || k.anyState) {
			k.persist = srv
			return
		}
	}
}

// chooseServer takes the server that persistence names, that of the last request, or the
// one that the algorithm chooses.
func (s *httpSession) chooseServer(t *engine.Task, key balance.Key) failure {
	k := &s.x.link
	if k.persist == nil && s.preferLast(t) {
		return linked
	}
	return k.assign(t, s.w, key, -1)
}

// redirectToServer answers GET and HEAD with the way to a server that has one of its own
// (`redir`); others are sent to it as ever. HAProxy closes the client's connection and
// logs it as one that was to be opened to the server.
func (s *httpSession) redirectToServer(t *engine.Task) bool {
	x := s.x
	to := x.link.server.Spec.Redir
	if to == "" || x.req.Method != http1.MethodGet && x.req.Method != http1.MethodHead {
		return false
	}
	x.status, x.end, x.keep = 302, termination{'L', 'C'}, false
	out := t.Loop().Get()
	b := append(out.B[:0], "HTTP/1.1 302 Found\r\ncache-control: no-cache\r\ncontent-length: 0\r\nlocation: "...)
	b = append(append(b, to...), x.req.PathAndQuery(s.inBytes())...)
	s.answer(t, append(b, "\r\n\r\n"...))
	t.Loop().Put(out)
	return true
}

// choosePersistent is choose for a session that is to go on with one server, whatever the
// algorithm says: it waits for that one. Only `option redispatch` lets it go elsewhere
// when the queue is full (`maxqueue`). ok is false when the algorithm is to be asked.
func (k *link) choosePersistent() (s *Server, c choice, ok bool) {
	s = k.persist
	switch {
	case s == nil:
		return nil, nobody, false
	case !s.Usable() && !k.anyState:
	case s.Spec.Maxqueue > 0 && s.Queued() >= s.Spec.Maxqueue && k.backend.Spec.Redispatch != 0:
		s.Redisps.Add(1)
		k.redispatched = true
	case s.Queued() == 0 && s.take():
		return s, taken, true
	case s.Usable():
		return s, waits, true
	}
	// A server that is out of service lets nobody in from its queue.
	k.persist = nil
	return nil, nobody, false
}

// seconds are whole ones.
func seconds(d time.Duration) int64 { return int64(d / time.Second) }
