package probe

import (
	"io"
	"net"
	"net/netip"
	"regexp"
	"testing"

	"baton/lb/health"
	"baton/lb/spec"
)

// What HAProxy 2.6 sent at the start of its checks.
func TestProxyHeader(t *testing.T) {
	for _, c := range []struct {
		proxy *spec.SendProxy
		want  string
	}{
		{nil, `^OPTIONS / `},
		{&spec.SendProxy{Version: 1}, `^PROXY TCP4 127\.0\.0\.1 127\.0\.0\.1 \d+ \d+\r\nOPTIONS / `},
		{&spec.SendProxy{Version: 2}, `^\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00OPTIONS / `},
		{&spec.SendProxy{Version: 2, CRC32C: true}, ""},
	} {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		got := make(chan []byte, 1)
		go func() {
			conn, err := ln.Accept()
			if err != nil {
				got <- nil
				return
			}
			defer conn.Close()
			b := make([]byte, 4096)
			n := 0
			for !regexp.MustCompile(`\r\n\r\n$`).Match(b[:n]) || n < 20 {
				m, err := conn.Read(b[n:])
				if err != nil {
					break
				}
				n += m
			}
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\n\r\n")
			got <- b[:n]
		}()
		target := Target{Addr: netip.MustParseAddrPort(ln.Addr().String()), Plan: web("OPTIONS"), Proxy: c.proxy}
		if r := target.Check(t.Context()); r.Status != health.L7OK {
			t.Errorf("%+v: %+v", c.proxy, r)
		}
		if b := <-got; c.proxy != nil && c.proxy.CRC32C {
			if want := "\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x07\x03\x00\x04\xa9\xb8~\x8fOPTIONS / "; string(b[:min(len(b), len(want))]) != want {
				t.Errorf("%+v: %q", c.proxy, b)
			}
		} else if !regexp.MustCompile(c.want).Match(b) {
			t.Errorf("%+v: %q", c.proxy, b)
		}
		ln.Close()
	}
}

func TestProxyOf(t *testing.T) {
	v2 := &spec.SendProxy{Version: 2}
	for _, c := range []struct {
		server spec.Server
		want   int
	}{
		{spec.Server{Check: &spec.Check{}}, 0},
		{spec.Server{Check: &spec.Check{}, SendProxy: v2}, 2},
		{spec.Server{Check: &spec.Check{Port: 1}, SendProxy: v2}, 0},
		{spec.Server{Check: &spec.Check{Port: 1}, SendProxy: v2, CheckProxy: true}, 2},
		{spec.Server{Check: &spec.Check{Port: 1}, CheckProxy: true}, 1},
	} {
		got := 0
		if p := ProxyOf(&c.server); p != nil {
			got = p.Version
		}
		if got != c.want {
			t.Errorf("%+v: version %d, want %d", c.server, got, c.want)
		}
	}
}
