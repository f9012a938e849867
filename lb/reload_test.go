package lb_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// reload puts another configuration in force.
func (r *rig) reload(text string) {
	r.t.Helper()
	next, err := r.lb.Prepare(r.load(r.fill(text)))
	if err != nil {
		r.t.Fatal(err)
	}
	next.Serve()
}

// settled waits until no client is left with an older configuration.
func (r *rig) settled() {
	r.t.Helper()
	r.await("the end of older configurations", func() bool { return len(r.lb.Status().Older) == 0 })
}

// A client uses a connection as long as it was not told that it ends, and takes nothing
// else than an answer to each request.
func request(addr string, keep bool, until *atomic.Bool) (n int, err error) {
	for !until.Load() {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			return n, err
		}
		for told := false; !told && !until.Load(); n++ {
			w := newWire(nil, c.(*net.TCPConn))
			head := "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n" // nobody may send it a second time
			if !keep {
				head = "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
			}
			if _, err := io.WriteString(c, head); err != nil {
				return n, fmt.Errorf("request: %w", err)
			}
			status, err := w.in.ReadString('\n')
			for line := status; err == nil && line != "\r\n"; line, err = w.in.ReadString('\n') {
				told = told || line == "connection: close\r\n"
			}
			if err == nil {
				_, err = w.in.Discard(2) // s1 or s2
			}
			if err != nil || status != "HTTP/1.1 200 OK\r\n" {
				return n, fmt.Errorf("%d requests, then %q: %w", n, status, err)
			}
		}
		c.Close()
	}
	return n, nil
}

// Under load twenty reloads, each with other listeners, threads and servers, fail no
// request, and leave no descriptor behind. (That they leave no goroutine TestMain sees.)
func TestReloadUnderLoad(t *testing.T) {
	text := func(n int) string {
		more := ""
		if n%2 == 1 {
			more = " bind {feother}\n"
		}
		return fmt.Sprintf(`
global
 nbthread %d
defaults
 mode http
 timeout client 5s
 timeout server 5s
 timeout connect 5s
frontend fe
 bind {fe}
%s default_backend be
backend be
 server s%d {s1} check inter 100ms
 server t {s2}
`, 1+n/2%3, more, n%3)
	}
	r := start(t, text(0))
	r.echo("s1")
	r.echo("s2")
	r.reload(text(5)) // the most listeners that there will be: a port keeps its sockets
	r.reload(text(0))
	r.settled()
	before := descriptors(t)
	idle := r.client("fe") // asks once, and again when all is over
	idle.servedBy()
	var stop atomic.Bool
	var served atomic.Int64
	errs := make(chan error, 12)
	for i := range cap(errs) {
		go func() {
			n, err := request(r.names["fe"], i%3 > 0, &stop)
			served.Add(int64(n))
			errs <- err
		}()
	}
	for n := range 20 {
		r.reload(text(n + 1))
		for seen := r.lb.Status().Frontends[0].Requests; r.lb.Status().Frontends[0].Requests < seen+50; {
			time.Sleep(time.Millisecond) // until the new one has worked
		}
	}
	stop.Store(true)
	for range cap(errs) {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if got := r.lb.Status().Frontends[0].Requests; int64(got) != served.Load()+1 {
		t.Errorf("%d requests were counted over all generations, %d made", got, served.Load()+1)
	}
	idle.get("last")
	got := idle.head()
	idle.bytes(2)
	if !strings.HasSuffix(got, "\r\nconnection: close\r\n\r\n") {
		t.Errorf("got %q", got)
	}
	idle.ends()
	idle.Close()
	r.reload(text(0))
	r.settled()
	r.await("all descriptors to be closed", func() bool { return descriptors(t) == before })
}

// What clients have begun with the configuration before is finished by it: requests get
// their answers, a connection ends with the response that says so, tunnels go on until
// hard-stop-after.
func TestReloadFinishes(t *testing.T) {
	t.Parallel()
	text := strings.NewReplacer("frontend fe\n", "frontend fe\n http-response set-header x-by GEN\n use_backend slow if { path /slow }\n",
		"\nbackend be\n", "\nbackend slow\n server s2 {s2}\nbackend be\n").Replace(plainHTTP)
	r := start(t, "global\n nbthread 2\n hard-stop-after 300ms\n"+strings.ReplaceAll(text, "GEN", "old"))
	r.echo("s1")
	fresh, idle, active, tunnel := r.client("fe"), r.client("fe"), r.client("fe"), r.client("fe")
	r.await("all connections", func() bool { return r.lb.Status().Connections == 4 })
	idle.get("idle")
	if got := idle.message(); strings.Contains(got, "close") {
		t.Errorf("got %q", got)
	}
	active.get("slow")
	oa := r.accept("s2")
	oa.asked()
	tunnel.send("GET /slow HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n")
	ot := r.accept("s2")
	ot.head()
	ot.send("HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n")
	tunnel.head()

	r.reload(strings.ReplaceAll(text, "GEN", "new"))
	// Awaited: a loop that asks for a connection has reserved its place already.
	r.await("four connections of the older configuration and none of the new one", func() bool {
		st := r.lb.Status()
		return st.Connections == 0 && len(st.Older) == 1 && st.Older[0].Connections == 4
	})
	oa.send("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\ns2")
	idle.get("again")
	fresh.get("first")
	for c, by := range map[*wire]string{active: "s2", idle: "s1", fresh: "s1"} {
		if got, want := c.message(), "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nx-by: old\r\nconnection: close\r\n\r\n"+by; got != want {
			t.Errorf("got  %q\nwant %q", got, want)
		}
		c.ends()
	}
	c := r.client("fe")
	c.get("new")
	if got := c.message(); got != "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nx-by: new\r\n\r\ns1" {
		t.Errorf("got %q", got)
	}
	if _, err := tunnel.in.ReadByte(); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the tunnel after hard-stop-after: %v", err)
	}
	r.settled()
	if n := r.backend("be").Sessions; n != 4 {
		t.Errorf("%d sessions counted over both generations", n)
	}
}

// Listeners come and go with the files. One whose options have changed is opened anew.
func TestReloadListeners(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "web.sock")
	text := func(binds string) string {
		return "frontend fe\n mode http\n timeout client 5s\n monitor-uri /alive\n" + binds
	}
	r := start(t, text(" bind {fe}\n bind unix@"+path+" mode 600\n bind {fegoes}\n"))
	r.reload(text(" bind {fe} mss 1400\n bind unix@" + path + " mode 660\n bind {fecomes}\n"))
	for _, name := range []string{"fe", "fecomes"} {
		if got := ask(t, "tcp", r.names[name]); got != ready {
			t.Errorf("%s: got %q", name, got)
		}
	}
	if got := ask(t, "unix", path); got != ready {
		t.Errorf("got %q", got)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o660 {
		t.Errorf("%v %v", info, err)
	}
	r.await("the removed listener's end", func() bool {
		c, err := net.Dial("tcp", r.names["fegoes"])
		if err == nil {
			c.Close()
		}
		return errors.Is(err, syscall.ECONNREFUSED)
	})
}

// Where a listener cannot be opened nothing changes.
func TestReloadFails(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	text := "frontend fe\n mode http\n timeout client 5s\n monitor-uri /alive\n bind {fe}\n"
	r := start(t, text)
	_, err = r.lb.Prepare(r.load(r.fill(text + " bind " + taken.Addr().String() + "\n")))
	if want := "frontend fe: cannot listen on " + taken.Addr().String() + ": address already in use"; err == nil || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	next, err := r.lb.Prepare(r.load(r.fill(text)))
	if err != nil {
		t.Fatal(err)
	}
	next.Close()
	if got := ask(t, "tcp", r.names["fe"]); got != ready {
		t.Errorf("got %q", got)
	}
}

// A server that is down stays down until its checks pass, and those that track it with
// it; variables of the process and counters stay; what the files change, changes.
func TestReloadInherits(t *testing.T) {
	t.Parallel()
	text := `
defaults
 mode http
 timeout client 5s
 timeout server 5s
 timeout connect 5s
 option redispatch 1
frontend fe
 bind {fe}
 http-request set-var(proc.n) str(kept) if { path /set }
 http-request return status 200 hdr x-n %[var(proc.n)] if { path /get }
 use_backend local if { path /local }
 default_backend be
backend be
 server s1 {s1} check inter 50ms fastinter 10ms downinter 10ms fall 1 weight 7
 server s2 {s2}
backend tracks
 server t {s2} track be/s1
backend local
 server u {unix}
`
	r := start(t, text)
	r.origins["s1"].Close()
	for r.nextUsable() != "be 1" {
	}
	c := r.client("fe")
	c.get("set")
	o := r.accept("s2")
	o.asked()
	o.send(answer)
	c.head()
	was := r.backend("be")

	r.reload(strings.NewReplacer("server s2 {s2}", "server s3 {s2}", "weight 7", "weight 9", "downinter 10ms", "downinter 1h").Replace(text))
	now := r.backend("be")
	s := now.Servers[0]
	if s.State != "DOWN" || s.Active || s.Since.Sub(was.Servers[0].Since).Abs() > time.Millisecond || s.CheckStatus != was.Servers[0].CheckStatus || s.Weight != 9 {
		t.Errorf("s1 was %+v, is %+v", was.Servers[0], s)
	}
	if now.Sessions != was.Sessions || now.Servers[1].Sessions != 0 {
		t.Errorf("counters were %+v, are %+v", was, now)
	}
	if s := r.backend("tracks").Servers[0]; s.State != "DOWN" {
		t.Errorf("the server that tracks it is %s", s.State)
	}
	d := r.client("fe")
	d.get("get")
	if got := d.head(); !strings.Contains(got, "x-n: kept\r\n") {
		t.Errorf("got %q", got)
	}
	e := r.client("fe")
	e.get("local")
	o = r.accept("unix")
	o.asked()
	o.send(answer)
	if got := e.head(); !strings.HasPrefix(got, "HTTP/1.1 204 ") {
		t.Errorf("a server on a unix socket answered %q", got)
	}
}

// Draining of an address reaches a generation that comes in the middle of it.
func TestReloadWhileQuiescing(t *testing.T) {
	t.Parallel()
	r := start(t, plainHTTP)
	c := r.client("fe")
	c.get("x")
	o := r.accept("s1")
	o.asked()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan func())
	go func() { done <- r.lb.Quiesce(ctx) }()
	r.await("the beginning", func() bool { return r.lb.Status().Draining })
	r.reload(plainHTTP)
	if !r.lb.Status().Draining {
		t.Error("the new generation keeps connections alive")
	}
	cancel()
	(<-done)()
	if r.lb.Status().Draining {
		t.Error("the new generation does not keep connections alive after it")
	}
}
