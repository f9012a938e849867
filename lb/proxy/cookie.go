package proxy

import (
	"bytes"

	"baton/lb/engine"
	"baton/lb/http1"
	"baton/lb/spec"
)

// Cookie persistence in the insert mode.

// affinity is what a request's persistence cookie came to, in the letters of the log
// (chapter 8.5).
type affinity struct {
	request, response byte    // 0: no cookie is looked at
	given             *Server // the one that the cookie names, until it is tried
	used              *Server // the same, once it was taken
}

// readCookie looks for the backend's cookie and for the server that it names. With
// `indirect` the server does not get to see it.
func (s *httpSession) readCookie() {
	x := s.x
	c := x.backend.Spec.Cookie
	if c == nil {
		return
	}
	x.affinity.request, x.affinity.response = 'N', 'N'
	b := s.inBytes()
	for i := x.req.FindKnown(http1.Cookie, 0); i >= 0; i = x.req.FindKnown(http1.Cookie, i+1) {
		f := &x.req.Fields[i]
		line := f.Value.Of(b)
		value, from, to, ok := findCookie(line, c.Name)
		if !ok {
			continue
		}
		s.assignByCookie(value)
		if c.Indirect {
			s.hideCookie(f, line, from, to)
		}
		return
	}
}

// findCookie finds NAME=VALUE in a Cookie line; line[from:to] is it with the separator
// that goes with it.
func findCookie(line []byte, name string) (value []byte, from, to int, ok bool) {
	for at := 0; at < len(line); {
		end := bytes.IndexByte(line[at:], ';')
		next := len(line)
		if end < 0 {
			end = len(line)
		} else {
			end += at
			next = end + 1
		}
		pair := bytes.Trim(line[at:end], " \t")
		if k, v, found := bytes.Cut(pair, equals); found && string(bytes.TrimRight(k, " \t")) == name {
			if at > 0 { // the separator before it goes, else the one behind it
				return v, at - 1, end, true
			}
			for next < len(line) && (line[next] == ' ' || line[next] == '\t') {
				next++
			}
			return v, 0, next, true
		}
		at = next
	}
	return nil, 0, 0, false
}

var equals = []byte{'='}

func (s *httpSession) assignByCookie(value []byte) {
	x := s.x
	x.affinity.request = 'I'
	for _, srv := range x.backend.Servers {
		if srv.Spec.Cookie == "" || string(value) != srv.Spec.Cookie {
			continue
		}
		x.affinity.request = 'D'
		if srv.Usable() {
			x.affinity.request, x.affinity.given = 'V', srv
			return
		}
	}
}

// hideCookie takes line[from:to] out of the request; a line of which nothing is left
// goes with it. The line is the client's own, in our buffer.
func (s *httpSession) hideCookie(f *http1.Field, line []byte, from, to int) {
	n := copy(line[from:], line[to:])
	rest := bytes.TrimRight(line[:from+n], " \t")
	if len(rest) == 0 {
		f.Known = http1.Removed
		return
	}
	// What is left behind the shortened value is no part of any field.
	f.Value.Len = uint32(len(rest))
}

// takeAffinity takes the server that the cookie names, if it has room.
func (s *httpSession) takeAffinity(t *engine.Task) bool {
	x := s.x
	srv := x.affinity.given
	if srv == nil || !srv.Usable() || !srv.take() {
		return false
	}
	x.affinity.given, x.affinity.used = nil, srv // a second try goes where the algorithm says
	srv.Sessions.Add(1)
	s.w.countRate(&srv.sessionRate)
	x.link.server, x.link.assigned = srv, t.Now()
	return true
}

// giveCookie adds the cookie to a response whose client has none for this server.
func (s *httpSession) giveCookie() {
	x := s.x
	c := x.backend.Spec.Cookie
	if c == nil {
		return
	}
	srv, m, b := x.link.server, x.res, x.down.buf.B[:]
	own := false
	for i := m.FindKnown(http1.SetCookie, 0); i >= 0; i = m.FindKnown(http1.SetCookie, i+1) {
		k, _, found := bytes.Cut(m.Fields[i].Value.Of(b), equals)
		if !found || string(bytes.TrimRight(k, " \t")) != c.Name {
			continue
		}
		own = true
		x.affinity.response = 'P'
		if !c.Preserve {
			x.affinity.response = 'D'
			m.Fields[i].Known = http1.Removed
		}
	}
	switch {
	case own && c.Preserve:
		return
	case x.affinity.request == 'V' && srv.Spec.Cookie != "" && x.affinity.used == srv:
		return
	case c.PostOnly && x.req.Method != http1.MethodPost:
		return
	}
	if srv.Spec.Cookie == "" {
		if x.affinity.request == 'N' {
			return // nothing to take back
		}
		s.addResponseLine("set-cookie", c.Name, "=; Expires=Thu, 01-Jan-1970 00:00:01 GMT", c.Suffix)
		x.affinity.response = 'I'
		return
	}
	s.addResponseLine("set-cookie", c.Name, "=", srv.Spec.Cookie, c.Suffix)
	x.affinity.response = 'I'
	if c.NoCache && s.cacheable(m, b) {
		s.addResponseLine("cache-control", "private")
	}
}

func (s *httpSession) addResponseLine(name string, parts ...string) {
	v := s.w.value[:0]
	for _, p := range parts {
		v = append(v, p...)
	}
	s.w.value = v
	e := &s.x.resEdits
	e.added = append(e.added, e.line(name, v))
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
		if bytes.Contains(v, []byte("no-store")) || bytes.Contains(v, []byte("no-cache")) || bytes.Contains(v, []byte("private")) {
			return false
		}
		keep = keep || bytes.Contains(v, []byte("max-age"))
	}
	return keep
}

// letters are the last two of the termination state.
func (a *affinity) letters(hasCookie *spec.Cookie) (byte, byte) {
	if hasCookie == nil || a.request == 0 {
		return '-', '-'
	}
	return a.request, a.response
}
