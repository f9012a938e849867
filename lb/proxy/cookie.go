package proxy

import (
	"bytes"

	"baton/lb/cookie"
	"baton/lb/engine"
	"baton/lb/http1"
	"baton/lb/spec"
)

// affinity is what a request's persistence cookie came to.
type affinity struct {
	request, response byte         // the letters of the log (chapter 8.5); 0: no cookie is looked at
	named             *Server      // whom it names, where that one may be taken
	dates             cookie.Dates // that it tells
	ignored           bool         // by an ignore-persist rule
}

// readCookie looks for the backend's cookie and for the server that it names, and makes
// the request what the server is to see.
func (s *httpSession) readCookie(t *engine.Task) {
	x := s.x
	c := x.backend.Spec.Cookie
	if c == nil {
		return
	}
	a := &x.affinity
	a.request, a.response = 'N', 'N'
	var force bool
	for again := true; again; again = s.w.verify(t, &x.auth) {
		force, a.ignored = x.backend.persistence(s.asking())
	}
	b := s.inBytes()
	for i := x.req.FindKnown(http1.Cookie, 0); i >= 0; i = x.req.FindKnown(http1.Cookie, i+1) {
		f := &x.req.Fields[i]
		line := s.readCookieLine(f.Value.Of(b), c, force)
		if c.Mode == spec.CookieInsert && c.Indirect {
			if line = cookie.Hide(line, c.Name); len(line) == 0 {
				f.Known = http1.Removed
			}
		}
		f.Value.Len = uint32(len(line))
	}
	x.link.persist, x.link.forced = a.named, force
	x.link.anyState = force || x.backend.Spec.PersistDown
}

// readCookieLine looks for a server in one line, up to the first that may be taken, and
// takes prefixes away. The line is the client's own, in our buffer.
func (s *httpSession) readCookieLine(line []byte, c *spec.Cookie, force bool) []byte {
	for at := 0; ; {
		p, ok := cookie.Next(line, at)
		if !ok {
			return line
		}
		at = p.End
		if !p.Is(line, c.Name) {
			continue
		}
		value := line[p.Value:p.To]
		if c.Mode != spec.CookiePrefix {
			s.assignByCookie(value, c, force)
			continue
		}
		id, _, prefixed := bytes.Cut(value, tilde)
		s.assignByCookie(id, c, force)
		if prefixed {
			n := len(id) + len(tilde)
			line = append(line[:p.Value], line[p.Value+n:]...)
			at -= n
		}
	}
}

var tilde = []byte{'~'} // between a server's value and the application's (prefix)

// assignByCookie takes a cookie's value into account, unless an earlier cookie has
// found its server.
func (s *httpSession) assignByCookie(value []byte, c *spec.Cookie, force bool) {
	x := s.x
	a := &x.affinity
	switch {
	case a.named != nil:
		return
	case a.ignored:
		a.request = 'U'
		return
	}
	if c.Mode != spec.CookiePrefix {
		value, a.dates = cookie.Cut(value)
	}
	if c.Mode != spec.CookiePrefix && (c.MaxIdle > 0 || c.MaxLife > 0) {
		now := s.w.Loop.Now().Wall().Unix()
		switch {
		case a.dates.Old(now, seconds(c.MaxLife)):
			a.request, a.dates = 'O', cookie.Dates{}
			return
		case a.dates.Idle(now, seconds(c.MaxIdle)):
			a.request, a.dates = 'E', cookie.Dates{}
			return
		}
	}
	if a.request != 'D' {
		a.request = 'I'
	}
	for _, srv := range x.backend.Servers {
		if v := srv.Cookie(); v == "" || string(value) != v {
			continue
		}
		switch {
		case srv.Usable():
			a.request, a.named = 'V', srv
			return
		case force || x.backend.Spec.PersistDown:
			a.request, a.named = 'D', srv
			return
		}
		a.request = 'D'
	}
}

// giveCookie deals with the cookies that the server sets, and adds one for a client
// that has none for this server.
func (s *httpSession) giveCookie() {
	x := s.x
	c := x.backend.Spec.Cookie
	if c == nil || x.affinity.ignored {
		return
	}
	a, srv := &x.affinity, x.link.server
	kept := s.serverCookies(c)
	if c.Mode != spec.CookieInsert || kept || c.PostOnly && x.req.Method != http1.MethodPost {
		return
	}
	if x.link.pinned == srv { // as HAProxy: a use-server rule will say so again
		return
	}
	now := s.w.Loop.Now().Wall().Unix()
	value := srv.Cookie()
	switch {
	case a.named != srv:
		a.response = 'I'
	case !a.dates.Stale(now, seconds(c.MaxIdle), seconds(c.MaxLife)):
		return
	default:
		a.response = 'U'
	}
	v := append(append(s.w.value[:0], c.Name...), '=')
	if value == "" {
		v = append(v, "; Expires=Thu, 01-Jan-1970 00:00:01 GMT"...)
	} else {
		v = append(v, value...)
		if c.MaxIdle > 0 || c.MaxLife > 0 {
			v = cookie.AppendDate(v, now)
		}
		if c.MaxLife > 0 {
			first := a.dates.First
			if first == 0 {
				first = now
			}
			v = cookie.AppendDate(v, first)
		}
	}
	s.addResponseLine("set-cookie", append(v, c.Suffix...))
	if c.NoCache && s.cacheable(x.res, x.down.buf.B[:]) {
		s.addResponseLine("cache-control", append(s.w.value[:0], "private"...))
	}
}

// serverCookies strikes out, rewrites or keeps the server's own cookies of the name; it
// reports whether one was kept.
func (s *httpSession) serverCookies(c *spec.Cookie) (kept bool) {
	x := s.x
	m, b, srv := x.res, x.down.buf.B[:], x.link.server
	for i := m.FindKnown(http1.SetCookie, 0); i >= 0; i = m.FindKnown(http1.SetCookie, i+1) {
		f := &m.Fields[i]
		line := f.Value.Of(b)
		p, ok := cookie.First(line)
		if !ok || !p.Is(line, c.Name) {
			continue
		}
		id := srv.Cookie()
		switch {
		case c.Preserve:
			x.affinity.response, kept = 'P', true
		case c.Mode == spec.CookieInsert, c.Indirect && x.affinity.named == srv:
			x.affinity.response = 'D'
			f.Known = http1.Removed
		case c.Mode == spec.CookieRead || id == "":
			x.affinity.response = 'P'
		default:
			x.affinity.response = 'R'
			f.Known = http1.Removed
			v := append(s.w.value[:0], line[:p.Value]...)
			v = append(v, id...)
			if c.Mode == spec.CookiePrefix {
				v = append(append(v, tilde...), line[p.Value:p.To]...)
			}
			s.addResponseLine("set-cookie", append(v, line[p.To:]...))
		}
	}
	return kept
}

// addResponseLine appends a header line; value was made in the worker's buffer.
func (s *httpSession) addResponseLine(name string, value []byte) {
	s.w.value = value
	e := &s.x.resEdits
	e.added = append(e.added, e.line(name, value))
}

// cacheable reports whether a cache might keep the response: HAProxy was seen to look
// for a lifetime or a validator, and for a ban.
func (s *httpSession) cacheable(m *http1.Message, b []byte) bool {
	if s.x.req.Method != http1.MethodGet && s.x.req.Method != http1.MethodHead {
		return false
	}
	keep := m.Find(b, "expires", 0) >= 0 || m.Find(b, "etag", 0) >= 0 || m.Find(b, "last-modified", 0) >= 0
	for i := m.Find(b, "cache-control", 0); i >= 0; i = m.Find(b, "cache-control", i+1) {
		v := m.Fields[i].Value.Of(b)
		if bytes.Contains(v, []byte("no-store")) || bytes.Contains(v, []byte("no-cache")) || bytes.Contains(v, []byte("private")) ||
			bytes.Contains(v, []byte("max-age=0")) || bytes.Contains(v, []byte("s-maxage=0")) {
			return false
		}
		keep = keep || bytes.Contains(v, []byte("max-age")) || bytes.Contains(v, []byte("s-maxage"))
	}
	return keep
}

// letters are the last two of the termination state. A cookie that is only looked at has
// none; one whose server was left counts as that of a server that is down.
func (x *exchange) letters() (request, response byte) {
	a := &x.affinity
	if a.request == 0 {
		return '-', '-'
	}
	if c := x.backend.Spec.Cookie; c.Mode == spec.CookieRead && !c.Indirect {
		return '-', '-'
	}
	if a.request == 'V' && x.link.redispatched && x.link.server != a.named {
		return 'D', a.response
	}
	return a.request, a.response
}
