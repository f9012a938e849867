package probe

import (
	"bytes"
	"strconv"
	"strings"
)

// response is a response head, read only as far as a check needs it.
type response struct {
	complete bool // the empty line has come
	size     int  // of the head
	status   int
	reason   string
	length   int64 // Content-Length; -1: none
	chunked  bool
	fields   []field
}

// field is a header line as it came, its value without the space round it.
type field struct{ name, value string }

// parse reads the head. ok is false once it can't become a response.
func parse(b []byte) (p response, ok bool) {
	p.length = -1
	line, rest, whole := cutLine(b)
	if !whole {
		const start = "HTTP/"
		n := min(len(b), len(start))
		return p, string(b[:n]) == start[:n]
	}
	if !p.statusLine(string(line)) {
		return p, false
	}
	for {
		line, rest, whole = cutLine(rest)
		switch {
		case !whole:
			return p, true
		case len(line) == 0:
			p.complete, p.size = true, len(b)-len(rest)
			return p, true
		}
		name, value, colon := strings.Cut(string(line), ":")
		value = strings.TrimSpace(value)
		p.fields = append(p.fields, field{name, value})
		switch {
		case !colon:
			return p, false
		case strings.EqualFold(name, "Content-Length"):
			n, err := strconv.ParseInt(value, 10, 64)
			if err != nil || n < 0 {
				return p, false
			}
			p.length = n
		case strings.EqualFold(name, "Transfer-Encoding"):
			p.chunked = strings.HasSuffix(strings.ToLower(value), "chunked")
		}
	}
}

// statusLine reads HTTP/1.1 200 OK, where the reason may be missing.
func (p *response) statusLine(s string) bool {
	version, rest, _ := strings.Cut(s, " ")
	if len(version) != len("HTTP/1.1") || version[:5] != "HTTP/" || !digit(version[5]) || version[6] != '.' || !digit(version[7]) {
		return false
	}
	status, reason, _ := strings.Cut(rest, " ")
	n, err := strconv.ParseUint(status, 10, 16)
	if err != nil || len(status) > 3 {
		return false
	}
	p.status, p.reason = int(n), reason
	return true
}

// body returns what has come of the body in b, and whether that is all of it. ok is
// false when it is not framed as the head says.
func (p *response) body(b []byte, head bool) (body []byte, ended, ok bool) {
	switch {
	case head, p.status < 200, p.status == 204, p.status == 304:
		return nil, true, true
	case p.chunked:
		return unchunk(b)
	case p.length >= 0 && int64(len(b)) >= p.length:
		return b[:p.length], true, true
	}
	return b, false, true
}

// unchunk joins the chunks in b.
func unchunk(b []byte) (body []byte, ended, ok bool) {
	for {
		line, rest, whole := cutLine(b)
		if !whole {
			return body, false, true
		}
		size, _, _ := strings.Cut(string(line), ";")
		n, err := strconv.ParseUint(strings.TrimSpace(size), 16, 31)
		switch {
		case err != nil:
			return body, false, false
		case n == 0:
			return body, true, true
		case int(n) > len(rest):
			return append(body, rest...), false, true
		}
		body = append(body, rest[:n]...)
		if line, b, whole = cutLine(rest[n:]); !whole {
			return body, false, true
		}
		if len(line) != 0 {
			return body, false, false
		}
	}
}

// cutLine returns the first line of b without its end, LF or CRLF.
func cutLine(b []byte) (line, rest []byte, whole bool) {
	line, rest, whole = bytes.Cut(b, []byte{'\n'})
	return bytes.TrimSuffix(line, []byte{'\r'}), rest, whole
}

func digit(c byte) bool { return '0' <= c && c <= '9' }
