package lb_test

import (
	"net"
	"strings"
	"testing"
)

// A TCP check: the server goes down when its port closes, after fall failures, and up
// when it opens, after rise successes. Traffic, counts and lines follow.
func TestTCPCheck(t *testing.T) {
	t.Parallel()
	r := start(t, `
global
 nbthread 2
defaults
 mode http
 timeout client 5s
 timeout server 5s
 timeout connect 5s
 log {log}
frontend fe
 bind {fe}
 monitor-uri /m
 monitor fail if { nbsrv(be) lt 1 }
 default_backend be
backend be
 server s1 {s1} check inter 500ms fastinter 10ms downinter 10ms fall 2 rise 3
 server s2 {s2} disabled
`)
	r.expectUsable("be 1")
	c := r.client("fe")
	addr := r.names["s1"]
	r.origins["s1"].Close()
	r.expectUsable("be 0")
	// A check that was under way is reset, a later one refused.
	got := strings.Replace(r.nextLog(), "Connection reset by peer", "Connection refused", 1)
	if want := `Server be/s1 is DOWN, reason: Layer4 connection problem, info: "Connection refused", check duration: <t>ms. 0 active and 0 backup servers left. 0 sessions active, 0 requeued, 0 remaining in queue.`; got != want {
		t.Errorf("log: %s\nwant %s", got, want)
	}
	if got, want := r.nextLog(), "backend be has no server available!"; got != want {
		t.Errorf("log: %s\nwant %s", got, want)
	}
	c.get("m")
	if got := c.message(); !strings.HasPrefix(got, "HTTP/1.1 503 ") {
		t.Errorf("monitor: %q", got)
	}
	s := r.backend("be").Servers
	if s[0].State != "DOWN" || s[0].Active || s[0].CheckStatus != "L4CON" || s[1].State != "MAINT" {
		t.Errorf("status: %+v", s)
	}

	ln, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	r.origins["s1"] = ln.(*net.TCPListener)
	r.expectUsable("be 1")
	if got, want := r.nextLog(), `Server be/s1 is UP, reason: Layer4 check passed, check duration: <t>ms. 1 active and 0 backup servers online. 0 sessions requeued, 0 total in queue.`; got != want {
		t.Errorf("log: %s\nwant %s", got, want)
	}
	c.get("m")
	if got := c.message(); !strings.HasPrefix(got, "HTTP/1.1 200 ") {
		t.Errorf("monitor: %q", got)
	}
}

func (r *rig) expectUsable(want string) {
	r.t.Helper()
	if got := r.nextUsable(); got != want {
		r.t.Fatalf("told %q, want %q", got, want)
	}
}

// An HTTP check by status: who fails it gets no more requests, the backup takes over,
// and gives back. Requests under way go on.
func TestHTTPCheckAndBackup(t *testing.T) {
	t.Parallel()
	r := start(t, `
global
 nbthread 2
defaults
 mode http
 timeout client 5s
 timeout server 5s
 timeout connect 5s
frontend fe
 bind {fe}
 default_backend be
backend be
 log {log}
 option httpchk GET /health
 http-check expect status 200
 option log-health-checks
 server s1 {s1} check inter 500ms fastinter 10ms downinter 10ms fall 2 rise 2 port {port}
 server s2 {s2} backup
`)
	r.expectUsable("be 1")
	checks := r.origins["port"]
	statuses := make(chan string, 1)
	r.players.Go(func() {
		status := "200 OK"
		for {
			c, err := checks.Accept()
			if err != nil {
				return
			}
			w := newWire(t, c.(stream))
			_, _ = w.in.ReadString('\n')
			select {
			case status = <-statuses:
			default:
			}
			w.send("HTTP/1.0 " + status + "\r\n\r\n")
			w.Close()
		}
	})

	line := func(want string) {
		t.Helper()
		if got := r.nextLog(); got != want {
			t.Errorf("log: %s\nwant %s", got, want)
		}
	}
	line(`Health check for server be/s1 succeeded, reason: Layer7 check passed, code: 200, check duration: <t>ms, status: 2/2 UP.`)
	c := r.client("fe")
	c.get("1")
	o1 := r.accept("s1")
	o1.asked()

	statuses <- "503 Not Now"
	line(`Health check for server be/s1 failed, reason: Layer7 wrong status, code: 503, info: "Not Now", check duration: <t>ms, status: 1/2 UP.`)
	r.expectUsable("be 1") // s2 in the place of s1
	line(`Health check for server be/s1 failed, reason: Layer7 wrong status, code: 503, info: "Not Now", check duration: <t>ms, status: 0/2 DOWN.`)
	line(`Server be/s1 is DOWN. 0 active and 1 backup servers left. Running on backup. 1 sessions active, 0 requeued, 0 remaining in queue.`)
	o1.send(answer)
	c.head()
	// The loops hear of it within a turn.
	r.echo("s1")
	r.echo("s2")
	r.await("the backup to serve", func() bool { return c.servedBy() == "s2" })
	for range 5 {
		if got := c.servedBy(); got != "s2" {
			t.Errorf("%s served after its end", got)
		}
	}
	o1.isReset() // no request will come on a connection to a server that is down

	statuses <- "200 OK"
	line(`Health check for server be/s1 succeeded, reason: Layer7 check passed, code: 200, check duration: <t>ms, status: 1/2 DOWN.`)
	r.expectUsable("be 1")
	line(`Health check for server be/s1 succeeded, reason: Layer7 check passed, code: 200, check duration: <t>ms, status: 2/2 UP.`)
	line(`Server be/s1 is UP. 1 active and 1 backup servers online. 0 sessions requeued, 0 total in queue.`)
	r.await("the server to serve again", func() bool { return c.servedBy() == "s1" })
}

// When its server goes down, who waits in the queue is served by another that comes up.
func TestQueueSurvivesAServer(t *testing.T) {
	t.Parallel()
	r := start(t, `
defaults
 mode http
 timeout client 5s
 timeout server 5s
 timeout connect 5s
frontend fe
 bind {fe}
 default_backend be
backend be
 server s1 {s1} maxconn 1
 server s2 {s2} maxconn 1 check inter 500ms fastinter 10ms downinter 10ms fall 1 rise 1
`)
	r.expectUsable("be 2")
	addr := r.names["s2"]
	r.origins["s2"].Close()
	r.expectUsable("be 1")
	hold := r.client("fe")
	hold.get("hold")
	r.accept("s1").asked()
	c := r.client("fe")
	c.get("waits")
	r.await("the queue", func() bool { return r.backend("be").Queued == 1 })
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	r.origins["s2"] = ln.(*net.TCPListener)
	for { // checks connect too, and say nothing
		o := r.accept("s2")
		if line, err := o.in.ReadString('\n'); err == nil {
			if !strings.HasPrefix(line, "GET /waits ") {
				t.Errorf("s2 got %q", line)
			}
			break
		}
	}
}

// An agent's `maint` stops the checks of its server, `ready` begins them anew; its
// weight and maxconn hold meanwhile.
func TestAgentMaintenance(t *testing.T) {
	t.Parallel()
	r := start(t, `
defaults
 mode http
 timeout client 5s
 timeout server 5s
 timeout connect 5s
frontend fe
 bind {fe}
 default_backend be
backend be
 timeout check 20s
 server s1 {s1} weight 10 check inter 10ms agent-check agent-port {port} agent-inter 10ms
 server s2 {s2}
`)
	agent := r.origins["port"]
	words := make(chan string, 1)
	r.players.Go(func() {
		word := "up"
		for {
			c, err := agent.Accept()
			if err != nil {
				return
			}
			select {
			case word = <-words:
			default:
			}
			_, _ = c.Write([]byte(word + "\n"))
			c.Close()
		}
	})
	until := func(state, status string, weight int) {
		t.Helper()
		r.await(state, func() bool {
			s := r.backend("be").Servers[0]
			return s.State == state && s.CheckStatus == status && s.Weight == weight
		})
	}
	until("UP", "L4OK", 10)
	words <- "maint 50% maxconn:7"
	r.await("MAINT", func() bool { return r.backend("be").Servers[0].State == "MAINT" })
	words <- "drain"
	until("DRAIN (agent)", "L4OK", 5)
	words <- "ready down"
	until("DOWN (agent)", "L4OK", 5)
	words <- "up 100%"
	until("UP", "L4OK", 10)
}
