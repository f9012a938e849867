package sample

import (
	"bytes"
	"strings"
	"unsafe"

	"baton/lb/http1"
)

// cursor is where an iteration over headers, cookies or parameters goes on.
type cursor struct {
	field int // header line
	off   int // in its value, in the query or in the body
}

// request is the request's message. In mode tcp it is read from what has come, so
// that content rules can look at HTTP before anything is forwarded.
func (c *Ctx) request() *Message {
	if c.Req.Head != nil || len(c.In.B) == 0 {
		return &c.Req
	}
	if c.probe == nil {
		c.probe = new(probe)
	}
	p := c.probe
	p.head.Reset()
	switch p.head.ParseRequest(c.In.B) {
	case http1.Done:
		p.m = Message{Head: &p.head, Buf: c.In.B, Body: c.In.B[p.head.HeadLen:], Size: p.head.ContentLength}
	case http1.NeedMore:
		c.Undecided = c.Undecided || !c.In.End && !c.Final
		return &c.Req
	default:
		return &c.Req
	}
	return &p.m
}

// probe is a request found in raw bytes.
type probe struct {
	head http1.Message
	m    Message
}

// message is the one that a fetch of either direction means: the response while it
// is processed.
func (c *Ctx) message() *Message {
	if c.Res.Head != nil {
		return &c.Res
	}
	return c.request()
}

// nextLine gives the header lines called name (all when it is empty, which is in
// lower case) one after the other.
func (m *Message) nextLine(cur *cursor, name string) ([]byte, bool) {
	if m.Head == nil {
		return nil, false
	}
	for ; cur.field < m.Head.N; cur.field++ {
		f := &m.Head.Fields[cur.field]
		if f.Known != http1.Removed && (name == "" || equalFold(f.Name.Of(m.Buf), name)) {
			return f.Value.Of(m.Buf), true
		}
	}
	for ; cur.field-m.Head.N < len(m.Added); cur.field++ {
		if l := m.Added[cur.field-m.Head.N]; name == "" || l.Name == name {
			return bytesOf(l.Value), true
		}
	}
	return nil, false
}

// bytesOf is s as bytes that must not be written.
func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }

// nextValue gives the values of nextLine's lines; commas outside quotes separate them.
func (m *Message) nextValue(cur *cursor, name string) ([]byte, bool) {
	line, ok := m.nextLine(cur, name)
	if !ok {
		return nil, false
	}
	rest := line[cur.off:]
	n := valueEnd(rest)
	if n == len(rest) {
		cur.field, cur.off = cur.field+1, 0
	} else {
		cur.off += n + 1
	}
	return trimBlanks(rest[:n]), true
}

// first is the first line of a header.
func (m *Message) first(name string) ([]byte, bool) {
	var cur cursor
	return m.nextLine(&cur, name)
}

// valueEnd returns the index of the comma that ends the first value of b, or len(b).
func valueEnd(b []byte) int {
	quoted := false
	for i := 0; i < len(b); i++ {
		switch ch := b[i]; {
		case quoted && ch == '\\':
			i++
		case ch == '"':
			quoted = !quoted
		case ch == ',' && !quoted:
			return i
		}
	}
	return len(b)
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }

func trimBlanks(b []byte) []byte {
	for len(b) > 0 && isBlank(b[0]) {
		b = b[1:]
	}
	for len(b) > 0 && isBlank(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	return b
}

func lowerByte(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// equalFold compares b with lower, which is in lower case. Only A-Z fold: bytes
// above 127 are never letters in the eyes of the protocols.
func equalFold(b []byte, lower string) bool {
	if len(b) != len(lower) {
		return false
	}
	for i, c := range b {
		if lowerByte(c) != lower[i] {
			return false
		}
	}
	return true
}

// cookies gives the cookies in a Cookie header (NAME=VALUE, separated by ; or ,) or,
// with attributes, in a Set-Cookie header, where only the first pair is one.
func nextCookie(rest []byte) (name, value, after []byte, ok bool) {
	for len(rest) > 0 {
		n := cookieEnd(rest)
		pair := rest[:n]
		rest = rest[min(n+1, len(rest)):]
		if eq := bytes.IndexByte(pair, '='); eq >= 0 {
			return trimBlanks(pair[:eq]), trimBlanks(pair[eq+1:]), rest, true
		}
	}
	return nil, nil, nil, false
}

func cookieEnd(b []byte) int {
	quoted := false
	for i := 0; i < len(b); i++ {
		switch ch := b[i]; {
		case quoted && ch == '\\':
			i++
		case ch == '"':
			quoted = !quoted
		case (ch == ';' || ch == ',') && !quoted:
			return i
		}
	}
	return len(b)
}

// cookie moves to the next cookie called name (any when it is empty).
func (m *Message) cookie(cur *cursor, header, name string) ([]byte, bool) {
	for {
		line, ok := m.nextLine(cur, header)
		if !ok {
			return nil, false
		}
		got, value, after, ok := nextCookie(line[min(cur.off, len(line)):])
		if !ok || header == "set-cookie" {
			cur.field, cur.off = cur.field+1, 0
		} else {
			cur.off = len(line) - len(after)
		}
		if ok && (name == "" || string(got) == name) {
			return value, true
		}
	}
}

// nextParam moves to the next parameter called name (any when it is empty) of a
// query string or form.
func nextParam(text []byte, cur *cursor, name string, delim byte) ([]byte, bool) {
	for cur.off < len(text) {
		rest := text[cur.off:]
		n := 0
		for n < len(rest) && rest[n] != '&' && rest[n] != ';' && rest[n] != delim {
			n++
		}
		cur.off += n + 1
		if key, value, ok := bytes.Cut(rest[:n], equals); ok && (name == "" || string(key) == name) {
			return value, true
		}
	}
	return nil, false
}

var equals = []byte{'='}

// checkHeaderName puts the name of a header into lower case.
func checkHeaderName(a []Arg) string {
	for i := range len(a[0].Str) {
		if c := a[0].Str[i]; !isAlnum(c) && !strings.ContainsRune("!#$%&'*+-.^_`|~", rune(c)) {
			return "'" + a[0].Str + "' is not a header name"
		}
	}
	a[0].Str = strings.ToLower(a[0].Str)
	return ""
}
