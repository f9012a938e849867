package lb_test

import (
	"net"
	"testing"
)

// `source` of a backend and of a server, and binds with options of the socket.
func TestSource(t *testing.T) {
	t.Parallel()
	r := start(t, `
defaults
 timeout client 5s
 timeout server 5s
 timeout connect 5s
frontend fe
 bind {fe} interface lo mss 1300 tcp-ut 5s backlog 20 defer-accept tfo
 option tcpka
 clitcpka-idle 10s
 default_backend be
backend be
 source 127.0.0.5 interface lo
 option srvtcpka
 balance first
 server s1 {s1} maxconn 1 tcp-ut 5s
 server s2 {s2} source 127.0.0.6
`)
	for i, want := range []string{"127.0.0.5", "127.0.0.6"} {
		c := r.client("fe")
		c.send("x")
		o := r.accept([]string{"s1", "s2"}[i])
		if got := o.RemoteAddr().(*net.TCPAddr).IP.String(); got != want {
			t.Errorf("server %d is reached from %s, want %s", i+1, got, want)
		}
		if got := o.bytes(1); got != "x" {
			t.Errorf("server %d got %q", i+1, got)
		}
	}
}
