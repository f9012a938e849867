package sample

import (
	"crypto/tls"
	"net"
	"testing"
)

// evalText gives an expression's sample as text, or - and whether more may come.
func evalText(t testing.TB, c *Ctx, text string) string {
	t.Helper()
	e, err := Parse(text, testOptions)
	if err != nil {
		t.Fatalf("%s: %s", text, err.Msg)
	}
	c.Undecided = false
	s, ok := e.Eval(c)
	switch {
	case ok:
		return string(c.AsText(s))
	case c.Undecided:
		return "wait"
	}
	return "-"
}

// clientHello is the first flight of Go's own TLS client.
func clientHello(t testing.TB, cfg *tls.Config) []byte {
	t.Helper()
	ours, theirs := net.Pipe()
	defer theirs.Close()
	go func() {
		tls.Client(ours, cfg).Handshake()
		ours.Close()
	}()
	b := make([]byte, 16384)
	n, err := theirs.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	return b[:n]
}

func TestClientHello(t *testing.T) {
	b := clientHello(t, &tls.Config{ServerName: "www.example.com", NextProtos: []string{"h2", "http/1.1"}})
	whole := &Ctx{In: Channel{B: b}}
	for _, c := range []struct{ expr, want string }{
		{"req.ssl_sni", "www.example.com"},
		{"req.ssl_sni,field(1,.)", "www"},
		{"req.ssl_alpn", "h2"},
		{"req.ssl_hello_type", "1"},
		{"req_ssl_ver", "196611"}, // 3.3, which stands in hellos of TLS 1.3, too
		{"req.ssl_ec_ext", "1"},
		{"req.ssl_st_ext", "0"},
	} {
		if got := evalText(t, whole, c.expr); got != c.want {
			t.Errorf("%s: %s, want %s", c.expr, got, c.want)
		}
		for n := range len(b) {
			part := &Ctx{In: Channel{B: b[:n]}}
			if got := evalText(t, part, c.expr); got != "wait" {
				t.Fatalf("%s of %d of %d bytes: %s", c.expr, n, len(b), got)
			}
			part.In.End = true
			if got := evalText(t, part, c.expr); got != "-" {
				t.Fatalf("%s of the only %d of %d bytes: %s", c.expr, n, len(b), got)
			}
		}
	}
	e, _ := Parse("req.ssl_alpn", Options{})
	var offered []string
	e.Any(whole, func(_ *Ctx, s *Sample) bool { offered = append(offered, string(s.B)); return false })
	if len(offered) != 2 || offered[0] != "h2" || offered[1] != "http/1.1" {
		t.Errorf("ALPN offers %q", offered)
	}
	bare := &Ctx{In: Channel{B: clientHello(t, &tls.Config{InsecureSkipVerify: true, SessionTicketsDisabled: true, MinVersion: tls.VersionTLS12, MaxVersion: tls.VersionTLS12})}}
	for _, c := range []struct{ expr, want string }{{"req.ssl_sni", "-"}, {"req.ssl_alpn", "-"}, {"req.ssl_hello_type", "1"}} {
		if got := evalText(t, bare, c.expr); got != c.want {
			t.Errorf("%s of a bare hello: %s, want %s", c.expr, got, c.want)
		}
	}
}

func TestPayload(t *testing.T) {
	const rdp = "\x03\x00\x00\x25\x20\xe0\x00\x00\x00\x00\x00Cookie: mstshash=user1\r\n\x01\x00"
	for _, c := range []struct{ bytes, expr, want, atEnd string }{
		{"abcdef", "req.len", "6", "6"},
		{"abcdef", "req.payload(1,2)", "bc", "bc"},
		{"abcdef", "req.payload(1,0)", "bcdef", "bcdef"},
		{"abcdef", "req.payload(4,3)", "wait", "-"},
		{"abcdef", "req.payload(7,0)", "wait", "-"},
		{"\x00\x03abcdef", "req.payload_lv(0,2)", "abc", "abc"},
		{"\x00\x03abcdef", "req.payload_lv(0,2,4)", "cde", "cde"},
		{"\x00\x03abcdef", "req.payload_lv(0,2,+1)", "bcd", "bcd"},
		{"\x00\x09abcdef", "req.payload_lv(0,2)", "wait", "-"},
		{"\x00\x00abcdef", "req.payload_lv(0,2)", "-", "-"},
		{rdp, "req.rdp_cookie", "user1", "user1"},
		{rdp, "req.rdp_cookie(MSTSHASH)", "user1", "user1"},
		{rdp, "req.rdp_cookie(msts)", "-", "-"},
		{rdp, "rdp_cookie_cnt", "1", "1"},
		{rdp[:20], "rdp_cookie_cnt", "wait", "0"},
		{"\x04" + rdp[1:], "rdp_cookie_cnt", "0", "0"},
		{"GET /a HTTP/1.1\r\nHost: h\r\n\r\nbody", "path", "/a", "/a"},
		{"GET /a HTTP/1.1\r\nHost: h\r\n\r\nbody", "req.proto_http", "1", "1"},
		{"GET /a HTTP/1.1\r\nHo", "req.proto_http", "wait", "0"},
		{"SSH-2.0-x\r\n", "req.proto_http", "0", "0"},
		{"SSH-2.0-x\r\n", "req.ssl_hello_type", "-", "-"},
		{"", "wait_end", "wait", "wait"},
	} {
		x := &Ctx{In: Channel{B: []byte(c.bytes)}}
		if got := evalText(t, x, c.expr); got != c.want {
			t.Errorf("%s of %q: %s, want %s", c.expr, c.bytes, got, c.want)
		}
		x.In.End = true
		if got := evalText(t, x, c.expr); got != c.atEnd {
			t.Errorf("%s of all of %q: %s, want %s", c.expr, c.bytes, got, c.atEnd)
		}
	}
	if got := evalText(t, &Ctx{Final: true}, "wait_end"); got != "1" {
		t.Errorf("wait_end at the end: %s", got)
	}
}
