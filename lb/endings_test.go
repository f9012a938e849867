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
	{name: "return", mode: "http", config: " http-request return status 200\n", play: func(r *rig) { r.ask("fe").message() }},
	{name: "auth", mode: "http", config: " http-request auth if TRUE\n", play: func(r *rig) { r.ask("fe").message() }},
	{name: "reject", mode: "http", config: " http-request reject\n", play: func(r *rig) { r.ask("fe").rest() }},
	{name: "silent drop", mode: "http", config: " http-request silent-drop\n", play: func(r *rig) { r.ask("fe") }},
	{name: "return for a response", mode: "http", config: " http-response return status 200\n", play: func(r *rig) { r.exchange("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").message() }},
	{name: "redirect of a response", mode: "http", config: " http-response redirect location /x\n", play: func(r *rig) { r.exchange("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").message() }},
	{name: "content reject", mode: "http", config: " tcp-request content reject\n", play: func(r *rig) { r.ask("fe").rest() }},
	{name: "tarpit", mode: "http", config: " timeout tarpit 100ms\n http-request tarpit\n", play: func(r *rig) { r.ask("fe").message() }},
	{name: "client aborts in the tarpit", mode: "http", config: " timeout tarpit 500ms\n http-request tarpit\n", play: func(r *rig) { r.ask("fe").reset() }},
	{name: "connect timeout", mode: "http", config: " use_backend busy if TRUE\n", play: func(r *rig) { r.ask("fe").message() }},
	{name: "client aborts while connecting", mode: "http", config: " use_backend busy if TRUE\n", play: func(r *rig) { r.ask("fe").reset() }},
	{name: "client aborts while waiting", mode: "http", more: " timeout server 1s\n", play: func(r *rig) { c := r.ask("fe"); r.accept("s1").head(); c.reset() }},
	{name: "client leaves while waiting", mode: "http", more: " timeout server 500ms\n", play: func(r *rig) { c := r.ask("fe"); r.accept("s1").head(); c.Close() }},
	{name: "client aborts in the queue", mode: "http", server: " maxconn 1", more: " timeout queue 500ms\n", play: func(r *rig) {
		r.ask("fe")
		r.accept("s1").head()
		r.ask("fe").reset()
	}},
	{name: "body timeout", mode: "http", config: " option http-buffer-request\n timeout http-request 200ms\n", play: func(r *rig) {
		c := r.client("fe")
		c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nab")
		c.message()
	}},
	// HAProxy goes on to choose a backend before it ends these two.
	{name: "client aborts its body", mode: "http", want: "CR-- -1 fe/<NOSRV> 0", config: " option http-buffer-request\n", play: func(r *rig) {
		c := r.client("fe")
		c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nab")
		c.reset()
	}},
	{name: "wait for a body", mode: "http", config: " http-request wait-for-body time 200ms\n", play: func(r *rig) {
		c := r.client("fe")
		c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nab")
		c.message()
	}},
	{name: "bad chunk of a request", mode: "http", play: func(r *rig) {
		c := r.client("fe")
		c.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n")
		r.accept("s1").head()
		c.send("nonsense\r\n")
		c.message()
	}},
	{name: "tunnel", mode: "http", play: func(r *rig) { r.tunnel(); r.conns[1].Close(); r.conns[0].rest(); r.conns[0].Close() }},
	{name: "tunnel timeout after an answer", mode: "http", more: " timeout tunnel 200ms\n", play: func(r *rig) { r.tunnel(); r.conns[1].send("b"); r.conns[0].bytes(1); r.conns[0].rest() }},
	{name: "client ends its body early", mode: "http", want: "CR-- -1 fe/<NOSRV> 0", config: " option http-buffer-request\n", play: func(r *rig) {
		c := r.client("fe")
		c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nab")
		_ = c.CloseWrite()
		c.rest()
	}},
	{name: "tunnel reset by the client", mode: "http", play: func(r *rig) { r.tunnel(); r.conns[0].reset() }},
	{name: "tunnel reset by the server", mode: "http", play: func(r *rig) { r.tunnel(); r.conns[1].reset() }},
	{name: "no source address", mode: "http", server: " source 203.0.113.9", play: func(r *rig) { r.ask("fe").message() }},
	{name: "bad name of a head", mode: "http", play: func(r *rig) { r.exchange("HTTP/1.1 200 OK\r\nb@d name: x\r\n\r\n").message() }},
	{name: "head too large", mode: "http", play: func(r *rig) { r.exchange("HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 20000) + "\r\n\r\n").message() }},
	{name: "request too large", mode: "http", play: func(r *rig) {
		c := r.client("fe")
		c.send("GET / HTTP/1.1\r\nX: " + strings.Repeat("x", 20000))
		c.message()
	}},
	{name: "client takes nothing", mode: "http", config: " timeout client 300ms\n", play: func(r *rig) {
		r.exchange("HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n")
		go func() { _, _ = r.conns[1].Write(make([]byte, 99999999)) }()
	}},

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
	{name: "tcp connect timeout", mode: "tcp", config: " use_backend busy if TRUE\n", play: func(r *rig) { r.client("fe").rest() }},
	{name: "tcp queue timeout", mode: "tcp", server: " maxconn 1", more: " timeout queue 200ms\n", play: func(r *rig) {
		r.client("fe").send("a")
		r.accept("s1").bytes(1)
		r.client("fe").rest()
	}},
	{name: "tcp content reject", mode: "tcp", config: " tcp-request content reject\n", play: func(r *rig) { r.client("fe").rest() }},
	{name: "tcp client leaves its inspection", mode: "tcp", config: " tcp-request inspect-delay 300ms\n tcp-request content accept if { req.len gt 9 }\n", play: func(r *rig) {
		c := r.client("fe")
		c.send("a")
		c.Close()
		o := r.accept("s1")
		o.bytes(1)
		o.Close()
	}},
	{name: "tcp client timeout in its inspection", mode: "tcp", config: " timeout client 200ms\n tcp-request inspect-delay 1s\n tcp-request content accept if { req.len gt 9 }\n", play: func(r *rig) { c := r.client("fe"); c.rest() }},
	{name: "tcp response reject", mode: "tcp", more: " tcp-response inspect-delay 1s\n tcp-response content reject if { res.len gt 0 }\n", play: func(r *rig) { c := r.client("fe"); c.send("a"); r.accept("s1").send("x"); c.rest() }},
	{name: "tcp no source address", mode: "tcp", server: " source 203.0.113.9", play: func(r *rig) { r.client("fe").rest() }},
	{name: "tcp client takes nothing", mode: "tcp", config: " timeout client 300ms\n", more: " timeout server 2s\n", play: func(r *rig) {
		r.client("fe").send("a")
		o := r.accept("s1")
		o.bytes(1)
		go func() { _, _ = o.Write(make([]byte, 99999999)) }()
	}},
	{name: "tcp tunnel timeout after an answer", mode: "tcp", more: " timeout tunnel 200ms\n", play: func(r *rig) { c := r.client("fe"); o := r.accept("s1"); o.send("a"); c.bytes(1); c.rest() }},
	{name: "tcp equal timeouts", mode: "tcp", config: " timeout client 200ms\n", more: " timeout server 200ms\n", play: func(r *rig) { c := r.client("fe"); r.accept("s1"); c.rest() }},
	{name: "tcp client timeout", mode: "tcp", config: " timeout client 200ms\n", play: func(r *rig) { c := r.client("fe"); o := r.accept("s1"); o.send("a"); c.bytes(1); c.rest() }},
	{name: "tcp server timeout", mode: "tcp", more: " timeout server 200ms\n", play: func(r *rig) { c := r.client("fe"); o := r.accept("s1"); c.send("a"); o.bytes(1); c.rest() }},
}

// ask sends a plain request.
func (r *rig) ask(fe string) *wire {
	c := r.client(fe)
	c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	return c
}

// tunnel is a connection that has changed to another protocol.
func (r *rig) tunnel() {
	c := r.client("fe")
	c.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n")
	o := r.accept("s1")
	o.head()
	o.send("HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n")
	c.head()
	c.send("a")
	o.bytes(1)
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
				" default_backend be\nbackend be\n" + e.more + " server s1 {s1}" + e.server + "\nbackend empty\nbackend refusing\n server n {no}\nbackend busy\n timeout connect 300ms\n server n {full}\n"
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
	line := r.rawLog()
	for strings.HasPrefix(line, "Cannot ") { // HAProxy says so of a connection before its session's line
		line = r.rawLog()
	}
	return line
}
