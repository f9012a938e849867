package sample

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"

	"baton/lb/hash"
	"baton/lb/http1"
)

// httpFetches are the fetches of chapter 7.3.6 that look at requests. header args:
// a name, then the occurrence.
var httpFetches = []fetch{
	{"base", nil, 0, Str, request, func(c *Ctx, _ []Arg, s *Sample) bool { return c.base(s, false) }, nil, "Host and path of the request"},
	{"base32", nil, 0, Int, request, runBase32, nil, "hash of base: base,sdbm(1)"},
	{"base32+src", nil, 0, Bin, request, withSrc(runBase32), nil, "base32 and the client's address"},
	{"baseq", nil, 0, Str, request, func(c *Ctx, _ []Arg, s *Sample) bool { return c.base(s, true) }, nil, "Host, path and query of the request"},
	{"capture.req.hdr", []argKind{argInt}, 1, Str, persistent, runCapture(true), checkSlot, "value that a capture slot of the request holds"},
	{"capture.req.method", nil, 0, Str, persistent, runMethodText, nil, "method of the request, also later"},
	{"capture.req.uri", nil, 0, Str, persistent, runCapturedURI, nil, "path and query of the request, also later"},
	{"capture.req.ver", nil, 0, Str, persistent, runCapturedVersion, nil, "HTTP/1.0 or HTTP/1.1, also later"},
	{"cook", []argKind{argStr}, 0, Str, request, runCookie(reqMessage, "cookie"), nil, "req.cook"},
	{"cook_cnt", []argKind{argStr}, 0, Int, request, runCookieCount(reqMessage, "cookie"), nil, "req.cook_cnt"},
	{"cook_val", []argKind{argStr}, 0, Int, request, toNumber(runCookie(reqMessage, "cookie")), nil, "req.cook_val"},
	{"cookie", []argKind{argStr}, 0, Str, requestOrIn, runEitherCookie, nil, "req.cook, or res.cook while the response is processed"},
	{"hdr", []argKind{argStr, argInt}, 0, Str, requestOrIn, runHdr((*Ctx).message), checkHdr, "req.hdr, or res.hdr while the response is processed"},
	{"hdr_cnt", []argKind{argStr}, 0, Int, request, runHdrCount(reqMessage), checkHeaderName, "req.hdr_cnt"},
	{"hdr_ip", []argKind{argStr, argInt}, 0, Addr, request, toAddress(runHdr(reqMessage)), checkHdr, "req.hdr_ip"},
	{"hdr_val", []argKind{argStr, argInt}, 0, Int, request, toNumber(runHdr(reqMessage)), checkHdr, "req.hdr_val"},
	{"http_auth", []argKind{argUserlist}, 1, Bool, request, runAuth, nil, "the Basic authorization is that of a user of the userlist"},
	{"http_auth_bearer", []argKind{argStr}, 0, Str, request, runBearer, checkHeaderName, "token of a Bearer authorization"},
	{"http_auth_group", []argKind{argUserlist}, 1, Str, request, runAuthGroup, nil, "user of a valid Basic authorization; as a criterion the user's groups"},
	{"http_auth_pass", nil, 0, Str, request, func(c *Ctx, _ []Arg, s *Sample) bool { _, pass, ok := c.basicAuth(); return s.setStr(pass) && ok }, nil, "password of a Basic authorization"},
	{"http_auth_type", nil, 0, Str, request, runAuthType, nil, "scheme of the authorization"},
	{"http_auth_user", nil, 0, Str, request, func(c *Ctx, _ []Arg, s *Sample) bool { user, _, ok := c.basicAuth(); return s.setStr(user) && ok }, nil, "user of a Basic authorization"},
	{"http_first_req", nil, 0, Bool, persistent, func(c *Ctx, _ []Arg, s *Sample) bool { return s.setBool(c.FirstRequest) }, nil, "the request is the first one of its connection"},
	{"method", nil, 0, Meth, persistent, runMethod, nil, "request method"},
	{"path", nil, 0, Str, request, runPath, nil, "request path without the query"},
	{"pathq", nil, 0, Str, request, runPathQuery, nil, "request path with the query"},
	{"query", nil, 0, Str, request, runQuery, nil, "what follows the first ? of the request target"},
	{"req.body", nil, 0, Bin, request, runBody(reqMessage), nil, "what is here of the request's body"},
	{"req.body_len", nil, 0, Int, request, runBodyLen(reqMessage), nil, "bytes that are here of the request's body"},
	{"req.body_param", []argKind{argStr}, 0, Str, request, runBodyParam, nil, "parameter of a form in the request's body"},
	{"req.body_size", nil, 0, Int, request, runBodySize(reqMessage), nil, "length of the request's body as advertised"},
	{"req.cook", []argKind{argStr}, 0, Str, request, runCookie(reqMessage, "cookie"), nil, "cookie of the request: the last of that name"},
	{"req.cook_cnt", []argKind{argStr}, 0, Int, request, runCookieCount(reqMessage, "cookie"), nil, "number of cookies of that name"},
	{"req.cook_val", []argKind{argStr}, 0, Int, request, toNumber(runCookie(reqMessage, "cookie")), nil, "req.cook as a number"},
	{"req.fhdr", []argKind{argStr, argInt}, 0, Str, request, runFullHdr(reqMessage), checkHdr, "value of a request header's last line"},
	{"req.fhdr_cnt", []argKind{argStr}, 0, Int, request, runFullHdrCount(reqMessage), checkHeaderName, "number of lines of a request header"},
	{"req.hdr", []argKind{argStr, argInt}, 0, Str, request, runHdr(reqMessage), checkHdr, "last comma-separated value of a request header"},
	{"req.hdr_cnt", []argKind{argStr}, 0, Int, request, runHdrCount(reqMessage), checkHeaderName, "number of comma-separated values of a request header"},
	{"req.hdr_ip", []argKind{argStr, argInt}, 0, Addr, request, toAddress(runHdr(reqMessage)), checkHdr, "req.hdr as an address"},
	{"req.hdr_names", []argKind{argStr}, 0, Str, request, runHdrNames(reqMessage), nil, "names of all request headers, with commas or another delimiter"},
	{"req.hdr_val", []argKind{argStr, argInt}, 0, Int, request, toNumber(runHdr(reqMessage)), checkHdr, "req.hdr as a number"},
	{"req.hdrs", nil, 0, Str, request, runHdrs(reqMessage), nil, "all request headers as text"},
	{"req.hdrs_bin", nil, 0, Bin, request, runHdrsBin(reqMessage), nil, "all request headers, each name and value with its length before it"},
	{"req.proto_http", nil, 0, Bool, persistent, runProtoHTTP, nil, "what has come is an HTTP request"},
	{"req.ver", nil, 0, Str, request, runVersion(reqMessage), nil, "HTTP version of the request, 1.0 or 1.1"},
	{"req_proto_http", nil, 0, Bool, persistent, runProtoHTTP, nil, "req.proto_http"},
	{"req_ver", nil, 0, Str, request, runVersion(reqMessage), nil, "req.ver"},
	{"unique-id", nil, 0, Str, anywhere, func(c *Ctx, _ []Arg, s *Sample) bool { return c.UniqueID != nil && s.setStr(c.UniqueID) }, nil, "the request's unique-id"},
	{"url", nil, 0, Str, request, runURL, nil, "request target as it came"},
	{"url32", nil, 0, Int, request, runURL32, nil, "hash of Host and request target"},
	{"url32+src", nil, 0, Bin, request, withSrc(runURL32), nil, "url32 and the client's address"},
	{"url_ip", nil, 0, IPv4, request, runURLAddr, nil, "IPv4 address in an absolute request target"},
	{"url_param", []argKind{argStr, argStr}, 0, Str, request, runParam, checkDelim, "parameter of the query"},
	{"url_port", nil, 0, Int, request, runURLPort, nil, "port beside an address in an absolute request target"},
	{"urlp", []argKind{argStr, argStr}, 0, Str, request, runParam, checkDelim, "url_param"},
	{"urlp_val", []argKind{argStr, argStr}, 0, Int, request, toNumber(runParam), checkDelim, "url_param as a number"},
}

// responseFetches are those of chapter 7.3.6 that look at responses.
var responseFetches = []fetch{
	{"capture.res.hdr", []argKind{argInt}, 1, Str, server, runCapture(false), checkSlot, "value that a capture slot of the response holds"},
	{"capture.res.ver", nil, 0, Str, persistent, runCapturedResVersion, nil, "HTTP/1.0 or HTTP/1.1 of the response, also later"},
	{"res.body", nil, 0, Bin, response, runBody(resMessage), nil, "what is here of the response's body"},
	{"res.body_len", nil, 0, Int, response, runBodyLen(resMessage), nil, "bytes that are here of the response's body"},
	{"res.body_size", nil, 0, Int, response, runBodySize(resMessage), nil, "length of the response's body as advertised"},
	{"res.cook", []argKind{argStr}, 0, Str, response, runCookie(resMessage, "set-cookie"), nil, "cookie that the response sets: the last of that name"},
	{"res.cook_cnt", []argKind{argStr}, 0, Int, response, runCookieCount(resMessage, "set-cookie"), nil, "number of cookies of that name that the response sets"},
	{"res.cook_val", []argKind{argStr}, 0, Int, response, toNumber(runCookie(resMessage, "set-cookie")), nil, "res.cook as a number"},
	{"res.fhdr", []argKind{argStr, argInt}, 0, Str, response, runFullHdr(resMessage), checkHdr, "value of a response header's last line"},
	{"res.fhdr_cnt", []argKind{argStr}, 0, Int, response, runFullHdrCount(resMessage), checkHeaderName, "number of lines of a response header"},
	{"res.hdr", []argKind{argStr, argInt}, 0, Str, response, runHdr(resMessage), checkHdr, "last comma-separated value of a response header"},
	{"res.hdr_cnt", []argKind{argStr}, 0, Int, response, runHdrCount(resMessage), checkHeaderName, "number of comma-separated values of a response header"},
	{"res.hdr_ip", []argKind{argStr, argInt}, 0, Addr, response, toAddress(runHdr(resMessage)), checkHdr, "res.hdr as an address"},
	{"res.hdr_names", []argKind{argStr}, 0, Str, response, runHdrNames(resMessage), nil, "names of all response headers, with commas or another delimiter"},
	{"res.hdr_val", []argKind{argStr, argInt}, 0, Int, response, toNumber(runHdr(resMessage)), checkHdr, "res.hdr as a number"},
	{"res.hdrs", nil, 0, Str, response, runHdrs(resMessage), nil, "all response headers as text"},
	{"res.hdrs_bin", nil, 0, Bin, response, runHdrsBin(resMessage), nil, "all response headers, each name and value with its length before it"},
	{"res.ver", nil, 0, Str, response, runVersion(resMessage), nil, "HTTP version of the response, 1.0 or 1.1"},
	{"resp_ver", nil, 0, Str, response, runVersion(resMessage), nil, "res.ver"},
	{"scook", []argKind{argStr}, 0, Str, response, runCookie(resMessage, "set-cookie"), nil, "res.cook"},
	{"scook_cnt", []argKind{argStr}, 0, Int, response, runCookieCount(resMessage, "set-cookie"), nil, "res.cook_cnt"},
	{"scook_val", []argKind{argStr}, 0, Int, response, toNumber(runCookie(resMessage, "set-cookie")), nil, "res.cook_val"},
	{"set-cookie", []argKind{argStr}, 0, Str, response, runCookie(resMessage, "set-cookie"), nil, "res.cook"},
	{"shdr", []argKind{argStr, argInt}, 0, Str, response, runHdr(resMessage), checkHdr, "res.hdr"},
	{"shdr_cnt", []argKind{argStr}, 0, Int, response, runHdrCount(resMessage), checkHeaderName, "res.hdr_cnt"},
	{"shdr_ip", []argKind{argStr, argInt}, 0, Addr, response, toAddress(runHdr(resMessage)), checkHdr, "res.hdr_ip"},
	{"shdr_val", []argKind{argStr, argInt}, 0, Int, response, toNumber(runHdr(resMessage)), checkHdr, "res.hdr_val"},
	{"status", nil, 0, Int, server, func(c *Ctx, _ []Arg, s *Sample) bool { return s.setInt(int64(c.Res.Status)) && c.Res.Status > 0 }, nil, "status of the response"},
}

func reqMessage(c *Ctx) *Message { return c.request() }
func resMessage(c *Ctx) *Message { return &c.Res }

func checkHdr(a []Arg) string { return checkHeaderName(a[:1]) }

func runHdr(of func(*Ctx) *Message) func(*Ctx, []Arg, *Sample) bool { return runAnyHdr(of, false) }

func runFullHdr(of func(*Ctx) *Message) func(*Ctx, []Arg, *Sample) bool { return runAnyHdr(of, true) }

func runAnyHdr(of func(*Ctx) *Message, full bool) func(*Ctx, []Arg, *Sample) bool {
	return func(c *Ctx, a []Arg, s *Sample) bool {
		m := of(c)
		if c.iterate && a[1].Int == 0 {
			v, ok := m.next(&c.cur, a[0].Str, full)
			c.more = ok
			return s.setStr(v) && ok
		}
		v, ok := m.occurrence(a[0].Str, a[1].Int, full)
		return s.setStr(v) && ok
	}
}

// next gives full lines or comma-separated values.
func (m *Message) next(cur *cursor, name string, full bool) ([]byte, bool) {
	if !full {
		return m.nextValue(cur, name)
	}
	v, ok := m.nextLine(cur, name)
	cur.field++
	return v, ok
}

// occurrence gives the nth value, the last one for 0, counted from the end when n
// is negative.
func (m *Message) occurrence(name string, n int64, full bool) (v []byte, ok bool) {
	var cur cursor
	if n <= 0 {
		count := int64(0)
		for _, ok := m.next(&cur, name, full); ok; _, ok = m.next(&cur, name, full) {
			count++
		}
		if n += count + 1; n > count { // it was 0
			n = count
		}
		if n <= 0 {
			return nil, false
		}
	}
	cur = cursor{}
	for range n {
		if v, ok = m.next(&cur, name, full); !ok {
			return nil, false
		}
	}
	return v, true
}

func runHdrCount(of func(*Ctx) *Message) func(*Ctx, []Arg, *Sample) bool {
	return func(c *Ctx, a []Arg, s *Sample) bool {
		m := of(c)
		var cur cursor
		n := int64(0)
		for _, ok := m.nextValue(&cur, a[0].Str); ok; _, ok = m.nextValue(&cur, a[0].Str) {
			n++
		}
		return s.setInt(n) && m.Head != nil
	}
}

func runFullHdrCount(of func(*Ctx) *Message) func(*Ctx, []Arg, *Sample) bool {
	return func(c *Ctx, a []Arg, s *Sample) bool {
		m := of(c)
		n := int64(0)
		for cur := (cursor{}); ; cur.field++ {
			if _, ok := m.nextLine(&cur, a[0].Str); !ok {
				return s.setInt(n) && m.Head != nil
			}
			n++
		}
	}
}

// toNumber and toAddress change what another fetch gives.
func toNumber(run func(*Ctx, []Arg, *Sample) bool) func(*Ctx, []Arg, *Sample) bool {
	return func(c *Ctx, a []Arg, s *Sample) bool {
		return run(c, a, s) && s.setInt(LeadingInt(s.B))
	}
}

// toAddress accepts the forms of RFC 7239 section 6, an IPv4 address also with a port.
func toAddress(run func(*Ctx, []Arg, *Sample) bool) func(*Ctx, []Arg, *Sample) bool {
	return func(c *Ctx, a []Arg, s *Sample) bool {
		if !run(c, a, s) {
			return false
		}
		b := s.B
		if len(b) > 0 && b[0] == '[' {
			end := bytes.IndexByte(b, ']')
			if end < 0 || end+1 < len(b) && !isPort(b[end+1:]) {
				return false
			}
			b = b[1:end]
		} else if colon := bytes.IndexByte(b, ':'); colon >= 0 && bytes.IndexByte(b[:colon], '.') >= 0 {
			if !isPort(b[colon:]) {
				return false
			}
			b = b[:colon]
		}
		ip, ok := ParseAddr(b)
		return ok && s.setIP(ip)
	}
}

// isPort tells whether b is a colon and a port.
func isPort(b []byte) bool {
	if len(b) < 2 || b[0] != ':' {
		return false
	}
	n, length := leadingInt(b[1:])
	return length == len(b)-1 && 0 <= n && n <= 65535
}

func runCookie(of func(*Ctx) *Message, header string) func(*Ctx, []Arg, *Sample) bool {
	return func(c *Ctx, a []Arg, s *Sample) bool {
		m := of(c)
		if c.iterate {
			v, ok := m.cookie(&c.cur, header, a[0].Str)
			c.more = ok
			return s.setStr(v) && ok
		}
		var cur cursor
		v, ok := m.cookie(&cur, header, a[0].Str)
		for again := ok && a[0].Str != ""; again; { // the last one of that name
			var later []byte
			if later, again = m.cookie(&cur, header, a[0].Str); again {
				v = later
			}
		}
		return s.setStr(v) && ok
	}
}

func runEitherCookie(c *Ctx, a []Arg, s *Sample) bool {
	if c.Res.Head != nil {
		return runCookie(resMessage, "set-cookie")(c, a, s)
	}
	return runCookie(reqMessage, "cookie")(c, a, s)
}

func runCookieCount(of func(*Ctx) *Message, header string) func(*Ctx, []Arg, *Sample) bool {
	return func(c *Ctx, a []Arg, s *Sample) bool {
		m := of(c)
		var cur cursor
		n := int64(0)
		for _, ok := m.cookie(&cur, header, a[0].Str); ok; _, ok = m.cookie(&cur, header, a[0].Str) {
			n++
		}
		return s.setInt(n) && m.Head != nil
	}
}

func runHdrNames(of func(*Ctx) *Message) func(*Ctx, []Arg, *Sample) bool {
	return func(c *Ctx, a []Arg, s *Sample) bool {
		m := of(c)
		delim := byte(',')
		if a[0].Str != "" {
			delim = a[0].Str[0]
		}
		out := c.room()
		return m.eachField(func(name, _ []byte) {
			if len(out) > 0 {
				out = appendFit(out, delim)
			}
			for _, ch := range name {
				out = appendFit(out, lowerByte(ch))
			}
		}) && s.setStr(out)
	}
}

// eachField calls f for every header line; false when there is no message.
func (m *Message) eachField(f func(name, value []byte)) bool {
	if m.Head == nil {
		return false
	}
	for i := range m.Head.N {
		if h := &m.Head.Fields[i]; h.Known != http1.Removed {
			f(h.Name.Of(m.Buf), h.Value.Of(m.Buf))
		}
	}
	for _, l := range m.Added {
		f(bytesOf(l.Name), bytesOf(l.Value))
	}
	return true
}

func runHdrs(of func(*Ctx) *Message) func(*Ctx, []Arg, *Sample) bool {
	return func(c *Ctx, _ []Arg, s *Sample) bool {
		out := c.room()
		found := of(c).eachField(func(name, value []byte) {
			for _, ch := range name {
				out = appendFit(out, lowerByte(ch))
			}
			out = appendFit(out, ':', ' ')
			out = appendFit(out, value...)
			out = appendFit(out, '\r', '\n')
		})
		return found && s.setStr(appendFit(out, '\r', '\n'))
	}
}

// runHdrsBin writes lengths as varints of the SPOE protocol.
func runHdrsBin(of func(*Ctx) *Message) func(*Ctx, []Arg, *Sample) bool {
	return func(c *Ctx, _ []Arg, s *Sample) bool {
		out := c.room()
		found := of(c).eachField(func(name, value []byte) {
			out = appendVarint(out, len(name))
			for _, ch := range name {
				out = appendFit(out, lowerByte(ch))
			}
			out = appendVarint(out, len(value))
			out = appendFit(out, value...)
		})
		return found && s.setBin(appendFit(out, 0, 0))
	}
}

// appendVarint: below 240 one byte; above, four bits and then seven bits a byte.
func appendVarint(dst []byte, n int) []byte {
	if n < 240 {
		return appendFit(dst, byte(n))
	}
	dst = appendFit(dst, byte(n)|240)
	for n = (n - 240) >> 4; n >= 128; n = (n - 128) >> 7 {
		dst = appendFit(dst, byte(n)|128)
	}
	return appendFit(dst, byte(n))
}

// appendFit appends what fits into the scratch area.
func appendFit(dst []byte, b ...byte) []byte {
	return append(dst, b[:min(len(b), cap(dst)-len(dst))]...)
}

// body tells whether what is here of the body can be looked at.
func (m *Message) body() bool {
	return m.Head != nil && (m.Body != nil || m.Head.Framing == http1.NoBody)
}

// payload is what is here of the body, without the framing of its chunks.
func (m *Message) payload(c *Ctx) []byte {
	if m.Head.Framing != http1.Chunked {
		return m.Body
	}
	out := c.room()
	for rest, more := m.Body, true; more; {
		var data []byte
		data, rest, more = http1.CutChunk(rest)
		out = append(out, data...)
	}
	return out
}

func runBody(of func(*Ctx) *Message) func(*Ctx, []Arg, *Sample) bool {
	return func(c *Ctx, _ []Arg, s *Sample) bool {
		m := of(c)
		return m.body() && s.setBin(m.payload(c))
	}
}

func runBodyLen(of func(*Ctx) *Message) func(*Ctx, []Arg, *Sample) bool {
	return func(c *Ctx, _ []Arg, s *Sample) bool {
		m := of(c)
		return m.body() && s.setInt(int64(len(m.payload(c))))
	}
}

func runBodySize(of func(*Ctx) *Message) func(*Ctx, []Arg, *Sample) bool {
	return func(c *Ctx, _ []Arg, s *Sample) bool {
		m := of(c)
		return m.body() && s.setInt(max(m.Size, int64(len(m.payload(c)))))
	}
}

func runBodyParam(c *Ctx, a []Arg, s *Sample) bool {
	m := c.request()
	if !m.body() {
		return false
	}
	var one cursor
	cur := &one
	if c.iterate {
		cur = &c.cur
	}
	v, ok := nextParam(m.payload(c), cur, a[0].Str, '&')
	c.more = c.iterate && ok
	return s.setStr(v) && ok
}

func checkDelim(a []Arg) string {
	if len(a[1].Str) > 1 {
		return "the delimiter is one character, not '" + a[1].Str + "'"
	}
	a[1].Int = '?'
	if a[1].Str != "" {
		a[1].Int = int64(a[1].Str[0])
	}
	return ""
}

func runParam(c *Ctx, a []Arg, s *Sample) bool {
	m := c.request()
	if m.Head == nil {
		return false
	}
	target := m.Head.Target.Of(m.Buf)
	delim := byte(a[1].Int)
	start := bytes.IndexByte(target, delim)
	if start < 0 {
		return false
	}
	if delim == '?' {
		delim = '&' // a further ? is part of a value
	}
	var one cursor
	cur := &one
	if c.iterate {
		cur = &c.cur
	}
	v, ok := nextParam(target[start+1:], cur, a[0].Str, delim)
	c.more = c.iterate && ok
	return s.setStr(v) && ok
}

func runVersion(of func(*Ctx) *Message) func(*Ctx, []Arg, *Sample) bool {
	return func(c *Ctx, _ []Arg, s *Sample) bool {
		m := of(c)
		return m.Head != nil && s.setStr(append(c.room(), '1', '.', '0'+m.Head.Minor))
	}
}

func runMethod(c *Ctx, _ []Arg, s *Sample) bool {
	m := c.request()
	s.Type, s.B = Meth, m.Method
	if m.Head != nil {
		s.B = m.Head.MethodSpan.Of(m.Buf)
	}
	return len(s.B) > 0
}

func runMethodText(c *Ctx, a []Arg, s *Sample) bool {
	ok := runMethod(c, a, s)
	s.Type = Str
	return ok
}

func runCapturedURI(c *Ctx, a []Arg, s *Sample) bool {
	if c.request().Head != nil {
		return runPathQuery(c, a, s)
	}
	return s.setStr(c.Req.URI) && len(c.Req.URI) > 0
}

func runCapturedVersion(c *Ctx, _ []Arg, s *Sample) bool {
	m := c.request()
	minor := byte(m.Minor)
	if m.Head != nil {
		minor = m.Head.Minor
	} else if len(m.Method) == 0 {
		return false
	}
	return s.setStr(append(append(c.room(), "HTTP/1."...), '0'+minor))
}

func runCapturedResVersion(c *Ctx, _ []Arg, s *Sample) bool {
	minor := byte(c.Res.Minor)
	if c.Res.Head != nil {
		minor = c.Res.Head.Minor
	}
	return c.Res.Status > 0 && s.setStr(append(append(c.room(), "HTTP/1."...), '0'+minor))
}

func checkSlot(a []Arg) string {
	if a[0].Int < 0 {
		return "slots count from 0"
	}
	return ""
}

func runCapture(ofRequest bool) func(*Ctx, []Arg, *Sample) bool {
	return func(c *Ctx, a []Arg, s *Sample) bool {
		caps := c.ResCaps
		if ofRequest {
			caps = c.ReqCaps
		}
		if a[0].Int >= int64(len(caps)) || caps[a[0].Int] == nil {
			return false
		}
		return s.setStr(caps[a[0].Int])
	}
}

func runProtoHTTP(c *Ctx, _ []Arg, s *Sample) bool {
	if c.request().Head != nil {
		return s.setBool(true)
	}
	if len(c.In.B) == 0 && !c.In.End && !c.Final {
		c.Undecided = true
	}
	return s.setBool(false) && !c.Undecided
}

// runPath: absent in `OPTIONS *`, in CONNECT, and, as in HAProxy, in an absolute form
// that ends with its authority.
func runPath(c *Ctx, _ []Arg, s *Sample) bool {
	m := c.request()
	return m.Head != nil && m.Head.Path.Len > 0 && s.setStr(m.Head.Path.Of(m.Buf))
}

func runPathQuery(c *Ctx, _ []Arg, s *Sample) bool {
	m := c.request()
	return m.Head != nil && m.Head.Path.Len > 0 && s.setStr(m.Head.PathAndQuery(m.Buf))
}

func runQuery(c *Ctx, _ []Arg, s *Sample) bool {
	m := c.request()
	if m.Head == nil {
		return false
	}
	_, query, ok := bytes.Cut(m.Head.Target.Of(m.Buf), question)
	return s.setStr(query) && ok
}

var question = []byte{'?'}

func runURL(c *Ctx, _ []Arg, s *Sample) bool {
	m := c.request()
	return m.Head != nil && s.setStr(m.Head.Target.Of(m.Buf))
}

// base puts Host and path together; a request without either has none.
func (c *Ctx) base(s *Sample, query bool) bool {
	m := c.request()
	if m.Head == nil {
		return false
	}
	host, _ := m.first("host")
	out := appendFit(c.room(), host...)
	path := m.Head.Path.Of(m.Buf)
	if query {
		path = m.Head.PathAndQuery(m.Buf)
	}
	return s.setStr(appendFit(out, path...))
}

func runBase32(c *Ctx, _ []Arg, s *Sample) bool {
	return c.base(s, false) && s.setInt(int64(hash.Avalanche(hash.SDBM(s.B))))
}

// runURL32 leaves scheme and authority of an absolute target out, as HAProxy does.
func runURL32(c *Ctx, _ []Arg, s *Sample) bool {
	return c.base(s, true) && s.setInt(int64(hash.Avalanche(hash.SDBM(s.B))))
}

// withSrc appends the client's address to a hash: 8 or 20 bytes.
func withSrc(of func(*Ctx, []Arg, *Sample) bool) func(*Ctx, []Arg, *Sample) bool {
	return func(c *Ctx, a []Arg, s *Sample) bool {
		src := plain(c.Client.Src.Addr())
		if !src.IsValid() || !of(c, a, s) {
			return false
		}
		out := binary.BigEndian.AppendUint32(c.room(), uint32(s.Int))
		if src.Is4() {
			b := src.As4()
			return s.setBin(append(out, b[:]...))
		}
		b := src.As16()
		return s.setBin(append(out, b[:]...))
	}
}

// urlAuthority is the authority of an absolute request target that is an IPv4
// address, and its port, 80 when none is there.
func (c *Ctx) urlAuthority(s *Sample) (port int64, ok bool) {
	m := c.request()
	if m.Head == nil || m.Head.Authority.Len == 0 || m.Buf[m.Head.Target.Off] == '/' {
		return 0, false
	}
	host, rest, found := bytes.Cut(m.Head.Authority.Of(m.Buf), colon)
	port = 80
	if found {
		var n int
		if port, n = leadingInt(rest); n != len(rest) {
			return 0, false
		}
	}
	ip, ok := ParseAddr(host)
	s.setIP(ip)
	return port, ok && ip.Is4()
}

var colon = []byte{':'}

func runURLAddr(c *Ctx, _ []Arg, s *Sample) bool {
	_, ok := c.urlAuthority(s)
	return ok
}

func runURLPort(c *Ctx, _ []Arg, s *Sample) bool {
	port, ok := c.urlAuthority(s)
	return s.setInt(port) && ok
}

// authorization cuts the Authorization header (RFC 9110 section 11.6.2).
func (c *Ctx) authorization(header string) (scheme, rest []byte, ok bool) {
	v, ok := c.request().first(header)
	if !ok {
		return nil, nil, false
	}
	scheme, rest, ok = bytes.Cut(v, space)
	return scheme, trimBlanks(rest), ok && len(scheme) > 0
}

var space = []byte{' '}

// basicAuth decodes user and password (RFC 7617).
// credentials names the header that tells who the user is.
func (c *Ctx) credentials() string {
	if c.ForProxy {
		return "proxy-authorization"
	}
	return "authorization"
}

func (c *Ctx) basicAuth() (user, pass []byte, ok bool) {
	scheme, rest, ok := c.authorization(c.credentials())
	if !ok || !equalFold(scheme, "basic") || base64.StdEncoding.DecodedLen(len(rest)) > scratchSize {
		return nil, nil, false
	}
	out := c.room()[:scratchSize]
	n, err := base64.StdEncoding.Decode(out, rest)
	if err != nil {
		return nil, nil, false
	}
	return bytes.Cut(out[:n], colon)
}

func runAuthType(c *Ctx, _ []Arg, s *Sample) bool {
	scheme, rest, ok := c.authorization(c.credentials())
	switch {
	case !ok || len(rest) == 0:
		return false
	case equalFold(scheme, "basic"):
		_, _, ok = c.basicAuth()
		return s.setStr(basic) && ok
	case equalFold(scheme, "bearer"):
		return s.setStr(bearer)
	}
	return false
}

var (
	basic  = []byte("Basic")
	bearer = []byte("Bearer")
)

// runBearer: a header of the user's own holds the scheme or the token alone.
func runBearer(c *Ctx, a []Arg, s *Sample) bool {
	header := "authorization"
	if a[0].Str != "" {
		header = a[0].Str
	}
	scheme, token, ok := c.authorization(header)
	return ok && equalFold(scheme, "bearer") && s.setStr(token)
}
