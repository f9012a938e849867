package lb_test

import (
	"net"
	"testing"
)

// A server that tracks another goes down and up with it, and so does one that tracks
// that; the lines are HAProxy's.
func TestTrack(t *testing.T) {
	t.Parallel()
	r := start(t, `
global
 nbthread 2
defaults
 timeout client 5s
 timeout server 5s
 timeout connect 5s
 log {log}
frontend fe
 bind {fe}
 default_backend b
backend a
 server s1 {s1} check inter 500ms fastinter 10ms downinter 10ms fall 1 rise 1
backend b
 server t1 {s2} track a/s1
 server t2 {s2} track t1
`)
	r.expectUsable("a 1")
	r.expectUsable("b 2")
	addr := r.names["s1"]
	r.origins["s1"].Close()
	for _, want := range []string{"a 0", "b 1", "b 0"} {
		r.expectUsable(want)
	}
	r.nextLog() // of a/s1: the reason may be a reset or a refusal
	for _, want := range []string{
		"backend a has no server available!",
		"Server b/t1 is DOWN via a/s1. 1 active and 0 backup servers left. 0 sessions active, 0 requeued, 0 remaining in queue.",
		"Server b/t2 is DOWN via b/t1. 0 active and 0 backup servers left. 0 sessions active, 0 requeued, 0 remaining in queue.",
		"backend b has no server available!",
	} {
		if got := r.nextLog(); got != want {
			t.Errorf("log: %s\nwant %s", got, want)
		}
	}
	if s := r.backend("b").Servers[1]; s.State != "DOWN" || s.Active {
		t.Errorf("t2: %+v", s)
	}
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	r.origins["s1"] = ln.(*net.TCPListener)
	for _, want := range []string{"a 1", "b 1", "b 2"} {
		r.expectUsable(want)
	}
	r.nextLog()
	if got, want := r.nextLog(), "Server b/t1 is UP via a/s1. 1 active and 0 backup servers online. 0 sessions requeued, 0 total in queue."; got != want {
		t.Errorf("log: %s\nwant %s", got, want)
	}
	if s := r.backend("b").Servers[1]; s.State != "UP" {
		t.Errorf("t2: %+v", s)
	}
}
