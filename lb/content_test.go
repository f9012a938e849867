package lb_test

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
)

const routing = `global
 nbthread 1
defaults
 mode tcp
 log {log}
 option tcplog
 timeout connect 5s
 timeout client 5s
 timeout server 5s
frontend fe
 bind {fe}
 tcp-request inspect-delay 5s
 tcp-request connection reject if { src 127.0.0.2 }
 tcp-request content set-var(sess.name) req.ssl_sni
 tcp-request content accept if { req.ssl_hello_type 1 }
 tcp-request content reject
 use_backend two if { req.ssl_sni -i two.example } { req.ssl_alpn h2 }
 use_backend three if { var(sess.name) -m end .three.example }
 default_backend one
backend one
 server s {s1}
backend two
 server s {s2}
backend three
 server s {s3}
`

// A TLS client is routed by the names in its hello, whatever the pieces in which that
// comes, and what it sent reaches the server as it was.
func TestRoutingByServerName(t *testing.T) {
	r := start(t, routing)
	for _, c := range []struct{ name, proto, origin string }{
		{"one.example", "h2", "s1"},
		{"TWO.example", "h2", "s2"},
		{"two.example", "http/1.1", "s1"},
		{"www.three.example", "h2", "s3"},
		{"", "h2", "s1"},
	} {
		hello := clientHello(t, c.name, c.proto)
		client := r.client("fe")
		for at := 0; at < len(hello); at += 100 {
			client.send(string(hello[at:min(at+100, len(hello))]))
		}
		o := r.accept(c.origin)
		if got := o.bytes(len(hello)); got != string(hello) {
			t.Errorf("%s: the server got %q, the client sent %q", c.name, got, hello)
		}
		client.Close()
		o.Close()
		r.nextLog()
	}
}

// clientHello is what crypto/tls sends first.
func clientHello(t *testing.T, name, proto string) []byte {
	client, server := net.Pipe()
	defer server.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		// Its error is that of the pipe's end: nobody answers.
		_ = tls.Client(client, &tls.Config{ServerName: name, NextProtos: []string{proto}, InsecureSkipVerify: true}).Handshake()
	}()
	head := make([]byte, 5)
	if _, err := io.ReadFull(server, head); err != nil {
		t.Fatal(err)
	}
	body := make([]byte, int(head[3])<<8|int(head[4]))
	if _, err := io.ReadFull(server, body); err != nil {
		t.Fatal(err)
	}
	server.Close()
	<-done
	return append(head, body...)
}

// What is no TLS is refused before anything reaches a server, and a connection that a
// rule refuses as it comes is reset.
func TestContentRefuses(t *testing.T) {
	r := start(t, routing)
	c := r.client("fe")
	c.send("GET / HTTP/1.0\r\n\r\n")
	if got, err := c.rest(); got != "" || err != nil && err != io.EOF && !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("got %q, %v", got, err)
	}
	if got, want := r.nextLog(), "fe fe/<NOSRV> -1/-1/t 0 PR 1/1/0/0/0 0/0"; got != want {
		t.Errorf("log %q, want %q", got, want)
	}

	// The reset may come before the client knows that it was connected.
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}
	conn, err := d.DialContext(t.Context(), "tcp", r.names["fe"])
	if err == nil {
		defer conn.Close()
		_, err = conn.Read(make([]byte, 1))
	}
	if !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("got %v, not a reset", err)
	}
	if !r.untouched("s1") {
		t.Error("a server was connected to")
	}
}
