package sample

import (
	"bytes"
	"encoding/binary"
	"strconv"
)

// payloadFetches are the fetches of chapter 7.3.5, from the raw bytes of a
// connection in mode tcp.
var payloadFetches = []fetch{
	{"payload", []argKind{argInt, argInt}, 2, Bin, requestOrIn, runPayload(either), checkPayload, "req.payload or res.payload"},
	{"payload_lv", []argKind{argInt, argInt, argStr}, 2, Bin, requestOrIn, runPayloadLV(either), checkPayloadLV, "req.payload_lv or res.payload_lv"},
	{"rdp_cookie", []argKind{argStr}, 0, Str, request, runRDPCookie, nil, "req.rdp_cookie"},
	{"rdp_cookie_cnt", []argKind{argStr}, 0, Int, request, runRDPCookieCount, nil, "req.rdp_cookie_cnt"},
	{"req.len", nil, 0, Int, request, runLen(reqChannel), nil, "bytes that have come from the client"},
	{"req.payload", []argKind{argInt, argInt}, 2, Bin, request, runPayload(reqChannel), checkPayload, "bytes that have come from the client: offset and length, 0 for all"},
	{"req.payload_lv", []argKind{argInt, argInt, argStr}, 2, Bin, request, runPayloadLV(reqChannel), checkPayloadLV, "bytes from the client whose length stands before them"},
	{"req.rdp_cookie", []argKind{argStr}, 0, Str, request, runRDPCookie, nil, "cookie of an RDP connection request"},
	{"req.rdp_cookie_cnt", []argKind{argStr}, 0, Int, request, runRDPCookieCount, nil, "1 if there is such a cookie of an RDP connection request"},
	{"req.ssl_alpn", nil, 0, Str, request, runHelloALPN, nil, "protocols that a TLS client hello offers"},
	{"req.ssl_ec_ext", nil, 0, Bool, request, runHelloCurves, nil, "a TLS client hello has the supported-groups extension"},
	{"req.ssl_hello_type", nil, 0, Int, request, runHelloType, nil, "1 for a complete TLS client hello"},
	{"req.ssl_sni", nil, 0, Str, request, runHelloSNI, nil, "server name in a TLS client hello"},
	{"req.ssl_st_ext", nil, 0, Int, request, runHelloTicket, nil, "session ticket extension of a TLS client hello: 0 none, 1 empty, 2 with a ticket"},
	{"req.ssl_ver", nil, 0, Int, request, runHelloVersion, nil, "TLS version of a client hello, major * 65536 + minor"},
	{"req_len", nil, 0, Int, request, runLen(reqChannel), nil, "req.len"},
	{"req_ssl_hello_type", nil, 0, Int, request, runHelloType, nil, "req.ssl_hello_type"},
	{"req_ssl_sni", nil, 0, Str, request, runHelloSNI, nil, "req.ssl_sni"},
	{"req_ssl_ver", nil, 0, Int, request, runHelloVersion, nil, "req.ssl_ver"},
	{"rep_ssl_hello_type", nil, 0, Int, response, runServerHelloType, nil, "res.ssl_hello_type"},
	{"res.len", nil, 0, Int, response, runLen(resChannel), nil, "bytes that have come from the server"},
	{"res.payload", []argKind{argInt, argInt}, 2, Bin, response, runPayload(resChannel), checkPayload, "bytes that have come from the server: offset and length, 0 for all"},
	{"res.payload_lv", []argKind{argInt, argInt, argStr}, 2, Bin, response, runPayloadLV(resChannel), checkPayloadLV, "bytes from the server whose length stands before them"},
	{"res.ssl_hello_type", nil, 0, Int, response, runServerHelloType, nil, "2 for a TLS server hello"},
	{"wait_end", nil, 0, Bool, running, runWaitEnd, nil, "the inspection delay is over"},
}

func reqChannel(c *Ctx) *Channel { return &c.In }
func resChannel(c *Ctx) *Channel { return &c.Out }

func either(c *Ctx) *Channel {
	if len(c.Out.B) > 0 || c.Out.End {
		return &c.Out
	}
	return &c.In
}

// wait says that what was looked for may still come.
func (c *Ctx) wait(ch *Channel) bool {
	if !ch.End && !c.Final {
		c.Undecided = true
	}
	return false
}

func runWaitEnd(c *Ctx, _ []Arg, s *Sample) bool {
	if !c.Final {
		c.Undecided = true
	}
	return c.Final && s.setBool(true)
}

// runLen never says no while more may come: `req.len lt 5` waits.
func runLen(of func(*Ctx) *Channel) func(*Ctx, []Arg, *Sample) bool {
	return func(c *Ctx, _ []Arg, s *Sample) bool {
		ch := of(c)
		c.wait(ch)
		return s.setInt(int64(len(ch.B)))
	}
}

func checkPayload(a []Arg) string {
	if a[0].Int < 0 || a[1].Int < 0 {
		return "offset and length cannot be negative"
	}
	return ""
}

func runPayload(of func(*Ctx) *Channel) func(*Ctx, []Arg, *Sample) bool {
	return func(c *Ctx, a []Arg, s *Sample) bool {
		ch := of(c)
		off, n := a[0].Int, a[1].Int
		have := int64(len(ch.B))
		if off > have || n > have-off || n == 0 && off == have {
			return c.wait(ch)
		}
		if n == 0 { // all of it: more may be more
			c.wait(ch)
			n = have - off
		}
		return s.setBin(ch.B[off : off+n])
	}
}

// checkPayloadLV reads the second offset; Aux says that it counts from the end of
// the length field, as it does with a sign.
func checkPayloadLV(a []Arg) string {
	if a[0].Int < 0 || a[1].Int < 1 || a[1].Int > 8 {
		return "an offset, then the number of bytes of the length (1 to 8) are expected"
	}
	if !a[2].Given {
		a[2].Aux = true
		return ""
	}
	n, err := strconv.ParseInt(a[2].Str, 10, 32)
	if err != nil {
		return "'" + a[2].Str + "' is not an offset"
	}
	a[2].Int = n
	if a[2].Str[0] == '+' || a[2].Str[0] == '-' {
		a[2].Aux = true
		if a[0].Int+a[1].Int+n < 0 {
			return "the second offset is before the buffer's start"
		}
	}
	return ""
}

func runPayloadLV(of func(*Ctx) *Channel) func(*Ctx, []Arg, *Sample) bool {
	return func(c *Ctx, a []Arg, s *Sample) bool {
		ch := of(c)
		at, have := a[0].Int+a[1].Int, int64(len(ch.B))
		if at > have {
			return c.wait(ch)
		}
		var size uint64
		for _, b := range ch.B[a[0].Int:at] {
			size = size<<8 | uint64(b)
		}
		start := a[2].Int
		if a[2].Aux != nil {
			start += at
		}
		if size == 0 || size > scratchSize {
			return false
		}
		if start+int64(size) > have {
			return c.wait(ch)
		}
		return s.setBin(ch.B[start : start+int64(size)])
	}
}

// RDPCookie finds the cookie of that name ("": of any), whatever its capitals, in an RDP connection request ([MS-RDPBCGR] 2.2.1.1):
// TPKT header, X.224 connection request, `Cookie: NAME=VALUE\r\n`.
func (c *Ctx) RDPCookie(name string) (value []byte, ok bool) {
	b := c.In.B
	const prefix = "Cookie:"
	if len(b) <= 11 {
		return nil, c.wait(&c.In)
	}
	if b[0] != 3 || b[1] != 0 || b[5] != 0xe0 && b[5] != 0xee {
		return nil, false
	}
	total := int(binary.BigEndian.Uint16(b[2:]))
	if total > 4 && int(b[4]) != total-5 {
		return nil, false
	}
	if len(b) < total {
		return nil, c.wait(&c.In)
	}
	b = b[11:total]
	if len(b) < len(prefix) || !equalFold(b[:len(prefix)], "cookie:") {
		return nil, false
	}
	line, _, ok := bytes.Cut(trimBlanks(b[len(prefix):]), crlf)
	if !ok {
		return nil, false
	}
	got, value, ok := bytes.Cut(line, equals)
	return value, ok && (name == "" || equalFoldBoth(got, name))
}

var crlf = []byte("\r\n")

func equalFoldBoth(b []byte, s string) bool {
	if len(b) != len(s) {
		return false
	}
	for i := range b {
		if lowerByte(b[i]) != lowerByte(s[i]) {
			return false
		}
	}
	return true
}

func runRDPCookie(c *Ctx, a []Arg, s *Sample) bool {
	v, ok := c.RDPCookie(a[0].Str)
	return s.setStr(v) && ok
}

func runRDPCookieCount(c *Ctx, a []Arg, s *Sample) bool {
	if _, ok := c.RDPCookie(a[0].Str); ok {
		return s.setInt(1)
	}
	return s.setInt(0) && !c.Undecided
}
