package proxy

import (
	"net/netip"

	"baton/lb/http1"
	"baton/lb/spec"
)

// The headers that baton adds by itself, and the names that it lets pass.

// appendAddress follows `option forwardfor` or `option originalto` of both sides: one
// new last line with an address. Either side may exclude addresses; the header's name
// is the backend's if it has one.
func (s *httpSession) appendAddress(dst []byte, fe, be *spec.ForwardFor, addr netip.Addr) []byte {
	if fe == nil && be == nil || !addr.IsValid() { // a client of a unix socket has no address
		return dst
	}
	name, ifNone := "", true
	for _, o := range [2]*spec.ForwardFor{fe, be} {
		if o == nil {
			continue
		}
		for _, net := range o.Except {
			if net.Contains(addr) {
				return dst
			}
		}
		name = o.Header
		ifNone = ifNone && o.IfNone
	}
	start := len(dst)
	dst = append(dst, name...)
	lower(dst[start:])
	if ifNone && s.x.edits.has(&s.x.req, s.in.B[:s.n], string(dst[start:])) {
		return dst[:start]
	}
	dst = append(dst, ": "...)
	dst = addr.AppendTo(dst)
	return append(dst, "\r\n"...)
}

func lower(b []byte) {
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
}

// appendServerName follows http-send-name-header; what the client sent under that name
// has been struck out.
func (s *httpSession) appendServerName(dst []byte) []byte {
	name := s.x.backend.Spec.HTTP.NameHeader
	if name == "" {
		return dst
	}
	dst = append(dst, name...)
	dst = append(dst, ": "...)
	dst = append(dst, s.x.link.server.Spec.Name...)
	return append(dst, "\r\n"...)
}

// strike removes all headers of a name (in lower case) from the request.
func (s *httpSession) strike(name string) {
	x, in := s.x, s.in.B[:s.n]
	for i := x.req.Find(in, name, 0); i >= 0; i = x.req.Find(in, name, i+1) {
		x.req.Fields[i].Known = http1.Removed
	}
	kept := x.edits.added[:0]
	for _, h := range x.edits.added {
		if h.Name != name {
			kept = append(kept, h)
		}
	}
	x.edits.added = kept
}

// plainNames applies option http-restrict-req-hdr-names; false: the request is to be
// rejected.
func (s *httpSession) plainNames(policy spec.HeaderNames) bool {
	if policy == spec.PreserveNames {
		return true
	}
	m, in := &s.x.req, s.in.B[:s.n]
	for i := range m.N {
		if f := &m.Fields[i]; f.Known == http1.Other && !plainName(f.Name.Of(in)) {
			if policy == spec.RejectNames {
				return false
			}
			f.Known = http1.Removed
		}
	}
	return true
}

func plainName(b []byte) bool {
	for _, c := range b {
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-') {
			return false
		}
	}
	return true
}

// adjustCase writes the header names of a head as bogus peers want them (h1-case-adjust).
func adjustCase(head []byte, names map[string]string) {
	for i := 0; i < len(head); {
		end := i
		for end < len(head) && head[end] != '\n' && head[end] != ':' {
			end++
		}
		if end < len(head) && head[end] == ':' {
			if to, ok := names[string(head[i:end])]; ok {
				copy(head[i:end], to)
			}
		}
		for end < len(head) && head[end] != '\n' {
			end++
		}
		i = end + 1
	}
}
