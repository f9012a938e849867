package proxy

import (
	"bytes"
	"slices"
	"time"
	"unsafe"

	"baton/lb/engine"
	"baton/lb/http1"
)

// option checkcache: no cookie in a response that caches may keep.

const levelAlert = 1

// blocksCookie answers in the place of a response that option checkcache does not let
// pass; it tells the log, as in HAProxy.
func (s *httpSession) blocksCookie(t *engine.Task) bool {
	x, b := s.x, s.x.backend
	if !b.Spec.HTTP.CheckCache || !s.sharesCookie() {
		return false
	}
	b.Denied.Add(1)
	s.w.line = append(s.w.line[:0], "Blocking cacheable cookie in response from instance "...)
	s.w.line = append(s.w.line, b.Spec.Name...)
	s.w.line = append(s.w.line, ", server "...)
	s.w.line = append(s.w.line, x.link.server.Spec.Name...)
	s.w.line = append(s.w.line, '.')
	b.Logs.Send(levelAlert, time.Now(), s.w.line)
	x.link.closeConn()
	x.responded = 0
	s.reply(t, 502, termination{'P', 'H'})
	return true
}

// cachedStatuses are those that caches may keep unless told otherwise, as the manual
// lists them.
var cachedStatuses = []int{200, 203, 204, 206, 300, 301, 404, 405, 410, 414, 501}

// sharesCookie reports whether a cache may keep the response, which sets a cookie, for
// others. The manual's list of what is safe decides; as in HAProxy 2.6 a response that
// says nothing of its age is safe too.
func (s *httpSession) sharesCookie() bool {
	x := s.x
	m, buf := x.res, x.down.buf.B[:]
	c := caching{kept: slices.Contains(cachedStatuses, m.Status)}
	switch x.req.Method {
	case http1.MethodGet, http1.MethodHead, http1.MethodOptions, http1.MethodTrace:
	default:
		c.kept = false
	}
	for _, name := range cachingHeaders {
		for i := m.Find(buf, name, 0); i >= 0; i = m.Find(buf, name, i+1) {
			c.look(name, m.Fields[i].Value.Of(buf))
		}
	}
	for _, line := range x.resEdits.added {
		c.look(line.Name, unsafe.Slice(unsafe.StringData(line.Value), len(line.Value)))
	}
	return c.cookie && c.kept && c.lasts && !c.safe
}

// caching is what the headers of a response say to caches.
type caching struct {
	cookie bool // it sets a cookie
	kept   bool // caches may keep such responses
	lasts  bool // and are told something about how long
	safe   bool // but not the cookie, or not for others
}

var cachingHeaders = []string{"set-cookie", "expires", "etag", "last-modified", "pragma", "cache-control"}

func (c *caching) look(name string, value []byte) {
	switch name {
	case "set-cookie":
		c.cookie = true
	case "expires", "etag", "last-modified":
		c.lasts = true
	case "pragma", "cache-control":
		for more := true; more; {
			var one []byte
			one, value, more = cutValue(value)
			switch one = bytes.Trim(one, " \t"); {
			case name == "pragma":
				c.safe = c.safe || foldEqual(one, "no-cache")
			case foldEqual(one, "public"):
				c.kept = true
			case keepsCookie(one):
				c.safe = true
			case foldPrefix(one, "max-age="), foldPrefix(one, "s-maxage="):
				c.lasts = true
			}
		}
	}
}

// keepsCookie reports whether a directive of Cache-Control keeps the cookie, or the
// whole response, out of caches.
func keepsCookie(one []byte) bool {
	for _, d := range []string{"private", "no-store", "no-cache", "max-age=0", "s-maxage=0", `no-cache="set-cookie"`} {
		if foldEqual(one, d) {
			return true
		}
	}
	return foldPrefix(one, `no-cache="set-cookie,`)
}

func foldEqual(b []byte, s string) bool { return len(b) == len(s) && foldPrefix(b, s) }

func foldPrefix(b []byte, s string) bool {
	return len(b) >= len(s) && bytes.EqualFold(b[:len(s)], []byte(s))
}
