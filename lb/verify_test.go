package lb_test

import (
	"io"
	"strings"
	"testing"
)

// While the hash of a password is computed the only event loop serves others, and a
// client that has gone does no harm.
func TestSlowPasswordsHoldNobody(t *testing.T) {
	r := start(t, `global
 nbthread 1
userlist l
 user u password $2b$11$abcdefghijklmnopqrstuuViuGI07N4McP9Kl.tD6XMEzyuvcY8LG
defaults
 mode http
 timeout client 10s
frontend fe
 bind {fe}
 http-request return status 204 if { path /quick }
 http-request auth unless { http_auth(l) }
 http-request return status 200
`)
	slow, quick, gone := r.client("fe"), r.client("fe"), r.client("fe")
	answers := make(chan string, 1)
	slow.send("GET / HTTP/1.1\r\nhost: a\r\nauthorization: Basic dTpzZWNyZXQ=\r\n\r\n")
	gone.send("GET / HTTP/1.1\r\nhost: a\r\nauthorization: Basic dTpndWVzcw==\r\n\r\n")
	gone.Close()
	go func() {
		b := make([]byte, len("HTTP/1.1 200"))
		_, _ = io.ReadFull(slow, b)
		answers <- string(b)
	}()
	quick.get("quick")
	if got := quick.head(); !strings.HasPrefix(got, "HTTP/1.1 204") {
		t.Errorf("the quick one got %q", got)
	}
	select {
	case got := <-answers:
		t.Errorf("the slow one was first, with %q", got)
	default:
		if got := <-answers; got != "HTTP/1.1 200" {
			t.Errorf("the slow one got %q", got)
		}
	}
}
