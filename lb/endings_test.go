package lb_test

import (
	"os/exec"
	"strings"
	"testing"
)

// endings are the ways in which a session can end: what the frontend logs of each as
// termination state, status and server must be what HAProxy logs (chapter 8.5).
var endings = []struct {
	name   string
	mode   string
	config string // lines of frontend fe, before its default_backend be
	server string // options of the server
	more   string // lines of the backend
	want   string // where we follow the manual and HAProxy 2.6 does not
	play   func(r *rig)
}{
	{name: "whole", mode: "http", play: func(r *rig) { r.exchange("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").message() }},
	{name: "deny", mode: "http", config: " http-request deny\n", play: func(r *rig) { r.ask("fe").message() }},
	{name: "deny of a response", mode: "http", config: " http-response deny\n", play: func(r *rig) { r.exchange("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").message() }},
	{name: "redirect", mode: "http", config: " http-request redirect location /x\n", play: func(r *rig) { r.ask("fe").message() }},
	{name: "no server", mode: "http", config: " use_backend empty if TRUE\n", play: func(r *rig) { r.ask("fe").message() }},
	{name: "refused", mode: "http", config: " use_backend refusing if TRUE\n", play: func(r *rig) { r.ask("fe").message() }},
	{name: "bad request", mode: "http", play: func(r *rig) { c := r.client("fe"); c.send("no http at all\r\n\r\n"); c.message() }},
	{name: "request cut short", mode: "http", play: func(r *rig) { c := r.client("fe"); c.send("GET / HTTP/1.1\r\n"); _ = c.CloseWrite(); c.rest() }},
	{name: "client aborts its request", mode: "http", play: func(r *rig) { c := r.client("fe"); c.send("GET / HTTP/1.1\r\n"); c.reset() }},
	{name: "request timeout", mode: "http", config: " timeout http-request 200ms\n", play: func(r *rig) { c := r.client("fe"); c.send("GET / HTTP/1.1\r\n"); c.message() }},
	{name: "bad response", mode: "http", play: func(r *rig) { r.exchange("garbage garbage\r\n\r\n").message() }},
	{name: "server closes before its response", mode: "http", play: func(r *rig) { c := r.ask("fe"); o := r.accept("s1"); o.head(); o.Close(); c.message() }},
	{name: "server closes in its head", mode: "http", play: func(r *rig) {
		c := r.ask("fe")
		o := r.accept("s1")
		o.head()
		o.send("HTTP/1.1 200 OK\r\nContent")
		o.Close()
		c.message()
	}},
	{name: "server timeout", mode: "http", more: " timeout server 200ms\n", play: func(r *rig) { c := r.ask("fe"); r.accept("s1").head(); c.message() }},
	{name: "server closes in its body", mode: "http", play: func(r *rig) {
		c := r.exchange("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok")
		c.head()
		r.conns[1].Close()
		c.rest()
	}},
	{name: "server resets in its body", mode: "http", play: func(r *rig) {
		c := r.exchange("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok")
		c.head()
		r.conns[1].reset()
		c.rest()
	}},
	{name: "server timeout in its body", mode: "http", more: " timeout server 200ms\n", play: func(r *rig) { c := r.exchange("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok"); c.head(); c.rest() }},
	{name: "bad chunk", mode: "http", want: "PD-- 200 be/s1 0", play: func(r *rig) {
		c := r.exchange("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n")
		c.head()
		r.conns[1].send("nonsense\r\n")
		c.rest()
	}},
	{name: "client aborts in the body", mode: "http", play: func(r *rig) {
		c := r.exchange("HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\nok")
		c.head()
		c.reset()
		r.conns[1].send(strings.Repeat("x", 5000))
	}},
	{name: "client aborts its upload", mode: "http", play: func(r *rig) {
		c := r.client("fe")
		c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nab")
		r.accept("s1").head()
		c.reset()
	}},
	{name: "client is silent in its upload", mode: "http", want: "cH-- 408 be/s1 0", config: " timeout client 200ms\n", play: func(r *rig) {
		c := r.client("fe")
		c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nab")
		r.accept("s1").head()
		c.message()
	}},
	{name: "queue timeout", mode: "http", server: " maxconn 1", more: " timeout queue 200ms\n", play: func(r *rig) {
		r.ask("fe")
		r.accept("s1").head()
		r.ask("fe").message()
	}},
	{name: "until close", mode: "http", play: func(r *rig) { c := r.exchange("HTTP/1.0 200 OK\r\n\r\nok"); r.conns[1].Close(); c.rest() }},
	{name: "tcp whole", mode: "tcp", play: func(r *rig) {
		c := r.client("fe")
		o := r.accept("s1")
		o.send("x")
		o.Close()
		c.rest()
		c.Close()
	}},
	{name: "tcp client closes", mode: "tcp", play: func(r *rig) {
		c := r.client("fe")
		o := r.accept("s1")
		o.send("a")
		c.bytes(1)
		c.Close()
		o.rest()
		o.Close()
	}},
	{name: "tcp refused", mode: "tcp", config: " use_backend refusing if TRUE\n", play: func(r *rig) { r.client("fe").rest() }},
	{name: "tcp no server", mode: "tcp", config: " use_backend empty if TRUE\n", play: func(r *rig) { r.client("fe").rest() }},
	{name: "tcp server resets", mode: "tcp", play: func(r *rig) {
		c := r.client("fe")
		o := r.accept("s1")
		c.send("a")
		o.bytes(1)
		o.reset()
		c.rest()
	}},
	{name: "tcp client resets", mode: "tcp", play: func(r *rig) {
		c := r.client("fe")
		o := r.accept("s1")
		c.send("a")
		o.bytes(1)
		c.reset()
		o.rest()
	}},
	{name: "tcp client timeout", mode: "tcp", config: " timeout client 200ms\n", play: func(r *rig) { c := r.client("fe"); o := r.accept("s1"); o.send("a"); c.bytes(1); c.rest() }},
	{name: "tcp server timeout", mode: "tcp", more: " timeout server 200ms\n", play: func(r *rig) { c := r.client("fe"); o := r.accept("s1"); c.send("a"); o.bytes(1); c.rest() }},
}

// ask sends a plain request.
func (r *rig) ask(fe string) *wire {
	c := r.client(fe)
	c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	return c
}

// exchange is ask with what the origin answers; its connection is the rig's second.
func (r *rig) exchange(answer string) *wire {
	c := r.ask("fe")
	o := r.accept("s1")
	o.head()
	o.send(answer)
	return c
}

// TestEndingsLikeHAProxy plays every ending to both balancers.
func TestEndingsLikeHAProxy(t *testing.T) {
	if _, err := exec.LookPath("haproxy"); err != nil {
		t.Skip("haproxy is not installed")
	}
	for _, e := range endings {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			format := "%tsc %ST %b/%s %rc"
			if e.mode == "tcp" {
				format = "%ts %b/%s %rc"
			}
			config := logPreset + " retries 0\n mode " + e.mode + "\nfrontend fe\n bind {fe}\n log-format \"" + format + "\"\n" + e.config +
				" default_backend be\nbackend be\n" + e.more + " server s1 {s1}" + e.server + "\nbackend empty\nbackend refusing\n server n {no}\n"
			ours, theirs := ending(t, config, false, e.play), ending(t, config, true, e.play)
			if e.want != "" {
				if theirs == e.want {
					t.Error("HAProxy follows the manual: compare with it")
				}
				theirs = e.want
			}
			if ours != theirs {
				t.Errorf("%s, want %s", ours, theirs)
			}
		})
	}
}

// ending is the first line that is logged.
func ending(t *testing.T, config string, haproxy bool, play func(r *rig)) string {
	r := startAs(t, config, haproxy)
	play(r)
	return r.rawLog()
}
