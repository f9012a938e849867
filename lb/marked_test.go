package lb_test

import (
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
)

// killed are the states of a session whose server s1 goes down, with on-marked-down
// shutdown-sessions: what both ends see of that and what the log tells must be as with
// HAProxy.
var killed = []struct {
	name string
	mode string
	more string // lines of the backend
	s1   string // its address; "": {s1}
	want string // where we differ from HAProxy 2.6
	play func(r *rig) (client, server *wire)
}{
	{name: "tcp data", mode: "tcp", play: func(r *rig) (*wire, *wire) {
		c := r.client("fe")
		o := r.accept("s1")
		c.send("a")
		o.bytes(1)
		o.send("b")
		c.bytes(1)
		return c, o
	}},
	{name: "tcp nothing", mode: "tcp", play: func(r *rig) (*wire, *wire) {
		c := r.client("fe")
		return c, r.accept("s1")
	}},
	{name: "tcp client takes nothing", mode: "tcp", play: func(r *rig) (*wire, *wire) {
		c := r.client("fe")
		o := r.accept("s1")
		c.send("a")
		o.bytes(1)
		r.players.Go(func() { _, _ = o.Write(make([]byte, 99999999)) })
		c.bytes(1)
		return c, nil
	}},
	// HAProxy goes on, though the manual says that all sessions end.
	{name: "tcp half closed", mode: "tcp", want: "client: \nD- be/s1 0", play: func(r *rig) (*wire, *wire) {
		c := r.client("fe")
		o := r.accept("s1")
		c.send("a")
		_ = c.CloseWrite()
		_, _ = o.rest()
		return c, nil
	}},
	{name: "request", mode: "http", play: func(r *rig) (*wire, *wire) {
		c := r.ask("fe")
		o := r.accept("s1")
		o.head()
		return c, o
	}},
	{name: "upload", mode: "http", play: func(r *rig) (*wire, *wire) {
		c := r.client("fe")
		c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nab")
		o := r.accept("s1")
		o.head()
		return c, o
	}},
	{name: "response head", mode: "http", play: func(r *rig) (*wire, *wire) {
		c := r.ask("fe")
		o := r.accept("s1")
		o.head()
		o.send("HTTP/1.1 200 OK\r\nContent")
		return c, o
	}},
	{name: "body", mode: "http", play: func(r *rig) (*wire, *wire) {
		c := r.exchange("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok")
		c.head()
		return c, r.conns[1]
	}},
	{name: "chunks", mode: "http", play: func(r *rig) (*wire, *wire) {
		c := r.exchange("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n")
		c.head()
		return c, r.conns[1]
	}},
	// The end of the connection would make a part pass for the whole: we reset it.
	{name: "until close", mode: "http", want: "server: \nclient: ok reset\nD--- 200 be/s1 0", play: func(r *rig) (*wire, *wire) {
		c := r.exchange("HTTP/1.1 200 OK\r\n\r\nok")
		c.head()
		return c, r.conns[1]
	}},
	{name: "body and upload", mode: "http", play: func(r *rig) (*wire, *wire) {
		c := r.client("fe")
		c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nab")
		o := r.accept("s1")
		o.head()
		o.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok")
		c.head()
		return c, o
	}},
	{name: "tunnel", mode: "http", play: func(r *rig) (*wire, *wire) { r.tunnel(); return r.conns[0], r.conns[1] }},
	// HAProxy closes the client's connection too, and logs nothing at all.
	{name: "reused", mode: "http", want: "server: \nclient: \nDH-- -1 be/s1 0", play: func(r *rig) (*wire, *wire) {
		c := r.exchange("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		c.message()
		r.rawLog()
		c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
		r.conns[1].head()
		return c, r.conns[1]
	}},
	{name: "retries elsewhere", mode: "http", more: " retry-on all-retryable-errors\n retries 3\n option redispatch 1\n balance first\n", play: func(r *rig) (*wire, *wire) {
		c := r.ask("fe")
		o := r.accept("s1")
		o.head()
		r.players.Go(func() { o := r.accept("s2"); o.head(); o.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok") })
		return c, o
	}},
	{name: "connecting", mode: "http", s1: "{full}", play: func(r *rig) (*wire, *wire) { return r.ask("fe"), nil }},
	{name: "tcp connecting", mode: "tcp", s1: "{full}", play: func(r *rig) (*wire, *wire) { return r.client("fe"), nil }},
}

// TestKilledLikeHAProxy plays every state to both balancers.
func TestKilledLikeHAProxy(t *testing.T) {
	if _, err := exec.LookPath("haproxy"); err != nil {
		t.Skip("haproxy is not installed")
	}
	for _, e := range killed {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			s1 := e.s1
			if s1 == "" {
				s1 = "{s1}"
			}
			config := markedPreset(e.mode) + e.more + " server s1 " + s1 +
				" check addr 127.0.0.1 port {port} inter 500ms fall 1 on-marked-down shutdown-sessions\n server s2 {s2}\n"
			ours, theirs := playKilled(t, config, false, e.play), e.want
			if theirs == "" {
				theirs = playKilled(t, config, true, e.play)
			}
			if ours != theirs {
				t.Errorf("%s\nwant\n%s", ours, theirs)
			}
		})
	}
}

// markedPreset is what goes before the servers of backend be.
func markedPreset(mode string) string {
	format := "%tsc %ST %b/%s %rc"
	if mode == "tcp" {
		format = "%ts %b/%s %rc"
	}
	return logPreset + " retries 0\n timeout http-keep-alive 100ms\n mode " + mode + "\nfrontend fe\n bind {fe}\n log-format \"" + format + "\"\n" +
		" default_backend be\nbackend be\n balance first\n"
}

// playKilled brings a session into its state and takes the server down. It returns what
// both ends saw and what was logged.
func playKilled(t *testing.T, config string, haproxy bool, play func(r *rig) (client, server *wire)) string {
	r := startAs(t, config, haproxy)
	c, o := play(r)
	r.origins["port"].Close() // its checks are refused from now on
	seen := ""
	if o != nil {
		seen = "server: " + o.ending() + "\n"
		o.Close()
	}
	return seen + "client: " + c.ending() + "\n" + r.sessionLog()
}

// ending is what a wire still reads, and how that ends.
func (w *wire) ending() string {
	text, err := w.rest()
	if len(text) > 1000 {
		text = "much"
	}
	switch {
	case errors.Is(err, syscall.ECONNRESET):
		text += " reset"
	case err != nil:
		text += " " + err.Error()
	}
	return text
}

// sessionLog is the next line of the log that tells of a session.
func (r *rig) sessionLog() string {
	for {
		line := r.rawLog()
		if !isOfServers(line) {
			return line
		}
	}
}

func isOfServers(line string) bool {
	for _, s := range []string{"Server ", "Backup Server ", "backend "} {
		if strings.HasPrefix(line, s) {
			return true
		}
	}
	return false
}

// standIns are changes of a server's state, as its agent asks for them, while a session
// goes on with s1.
var standIns = []struct {
	name    string
	servers string
	words   [2]string // of the agent: before the session, and then
	ends    bool      // the session ends
}{
	{"down", " server s1 {s1} on-marked-down shutdown-sessions agent-check agent-port {port} agent-inter 100ms\n", [2]string{"up", "down"}, true},
	{"maintenance", " server s1 {s1} on-marked-down shutdown-sessions agent-check agent-port {port} agent-inter 100ms\n", [2]string{"ready", "maint"}, true},
	{"drain", " server s1 {s1} on-marked-down shutdown-sessions agent-check agent-port {port} agent-inter 100ms\n", [2]string{"ready", "drain"}, false},
	{"no action", " server s1 {s1} agent-check agent-port {port} agent-inter 100ms\n", [2]string{"up", "down"}, false},
	{"tracking", " server s1 {s1} on-marked-down shutdown-sessions track other/s3\nbackend other\n server s3 {s3} agent-check agent-port {port} agent-inter 100ms\n", [2]string{"up", "down"}, true},
	{"up", " server s1 {s1} backup\n server s2 {s2} on-marked-up shutdown-backup-sessions agent-check agent-port {port} agent-inter 100ms\n", [2]string{"down", "up"}, true},
	{"ready", " server s1 {s1} backup\n server s2 {s2} on-marked-up shutdown-backup-sessions agent-check agent-port {port} agent-inter 100ms\n", [2]string{"maint", "ready"}, true},
	{"drained before", " server s1 {s1} backup\n server s2 {s2} on-marked-up shutdown-backup-sessions agent-check agent-port {port} agent-inter 100ms\n", [2]string{"drain", "ready"}, false},
	{"up without weight", " server s1 {s1} backup\n server s2 {s2} weight 0 on-marked-up shutdown-backup-sessions agent-check agent-port {port} agent-inter 100ms\n", [2]string{"down", "up"}, false},
	{"backup up", " server s1 {s1} backup\n server s2 {s2} backup on-marked-up shutdown-backup-sessions agent-check agent-port {port} agent-inter 100ms\n", [2]string{"down", "up"}, false},
	{"up with no backup", " server s1 {s1}\n server s2 {s2} on-marked-up shutdown-backup-sessions agent-check agent-port {port} agent-inter 100ms\n", [2]string{"down", "up"}, false},
}

// TestMarkedLikeHAProxy plays every change to both balancers.
func TestMarkedLikeHAProxy(t *testing.T) {
	if _, err := exec.LookPath("haproxy"); err != nil {
		t.Skip("haproxy is not installed")
	}
	for _, e := range standIns {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			config := markedPreset("tcp") + e.servers
			ours, theirs := playMarked(t, config, false, e.words, e.ends), playMarked(t, config, true, e.words, e.ends)
			if ours != theirs {
				t.Errorf("%s\nwant\n%s", ours, theirs)
			}
		})
	}
}

func playMarked(t *testing.T, config string, haproxy bool, words [2]string, ends bool) string {
	r := startAs(t, config, haproxy)
	var word atomic.Pointer[string]
	word.Store(&words[0])
	r.players.Go(func() {
		for ln := r.origins["port"]; ; {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			fmt.Fprintln(c, *word.Load())
			c.Close()
		}
	})
	if words[0] != "up" && words[0] != "ready" {
		r.rawLog() // of that change
	}
	c, o := r.session("s1", "s2")
	o.send("a")
	c.bytes(1)
	word.Store(&words[1])
	var lines []string
	if ends {
		lines = append(lines, "client: "+c.ending())
	} else {
		for line := ""; !isOfServers(line); line = r.rawLog() {
		}
		o.send("b")
		c.bytes(1)
		c.Close()
		o.Close()
	}
	line := r.sessionLog()
	for !strings.Contains(line, "be/s1 ") {
		line = r.sessionLog()
	}
	return strings.Join(append(lines, line), "\n")
}

// session is one with a server that others give way to: the loops learn that a little
// after the log does.
func (r *rig) session(server, other string) (client, origin *wire) {
	for origin == nil {
		client = r.client("fe")
		r.await("a connection to a server", func() bool {
			origin = r.tryAccept(server)
			return origin != nil || r.origins[other] != nil && r.tryAccept(other) != nil
		})
		if origin == nil {
			client.Close()
		}
	}
	return client, origin
}

// Every event loop has sessions of its own to end.
func TestKillReachesAllLoops(t *testing.T) {
	r := start(t, "global\n nbthread 3\ndefaults\n timeout connect 5s\n timeout client 1m\n timeout server 1m\nfrontend fe\n bind {fe}\n default_backend be\nbackend be\n"+
		" server s1 {s1} check addr 127.0.0.1 port {port} inter 500ms fall 1 on-marked-down shutdown-sessions\n")
	var clients []*wire
	for range 24 {
		c := r.client("fe")
		o := r.accept("s1")
		o.send("a")
		c.bytes(1)
		clients = append(clients, c)
	}
	r.origins["port"].Close()
	for _, c := range clients {
		c.ends()
	}
}
