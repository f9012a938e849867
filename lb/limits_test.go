package lb_test

import (
	"fmt"
	"io"
	"strings"
	"testing"
)

const answer = "HTTP/1.1 204 No Content\r\n\r\n"

// get sends a request whose path is name.
func (w *wire) get(name string) {
	w.t.Helper()
	w.send("GET /" + name + " HTTP/1.1\r\nhost: a\r\n\r\n")
}

// asked returns the path of the next request that an origin gets, without its slash.
func (w *wire) asked() string {
	w.t.Helper()
	_, rest, _ := strings.Cut(w.head(), " /")
	path, _, _ := strings.Cut(rest, " ")
	return path
}

func queued(loops int) string {
	return fmt.Sprintf(`
global
 nbthread %d
defaults
 mode http
 timeout client 5s
 timeout server 5s
 timeout connect 5s
 option httplog
 log {log}
frontend fe
 bind {fe}
 default_backend be
frontend feshort
 bind {feshort}
 default_backend short
backend be
 server s1 {s1} maxconn 1
backend short
 timeout queue 300ms
 server s2 {s2} maxconn 1
 server s3 {s3} maxconn 1
`, loops)
}

// A server at its maxconn: the others wait and are served in the order in which they
// came, whatever loop they are on.
func TestQueueOrder(t *testing.T) {
	t.Parallel()
	for _, loops := range []int{1, 3} {
		t.Run(fmt.Sprint(loops), func(t *testing.T) {
			t.Parallel()
			r := start(t, queued(loops))
			const n = 12
			var clients []*wire
			for i := range n {
				c := r.client("fe")
				c.get(fmt.Sprint(i))
				clients = append(clients, c)
				want := i // the first is at the server
				r.await("the queue", func() bool { b := r.backend("be"); return b.Queued == want && b.Servers[0].Current == 1 })
			}
			var o *wire
			for i, c := range clients {
				// Each client's first request comes on a connection of its own.
				o = r.accept("s1")
				if got := o.asked(); got != fmt.Sprint(i) {
					t.Fatalf("request %s was served as number %d", got, i)
				}
				if !r.untouched("s1") {
					t.Fatal("more than one request at a server with maxconn 1")
				}
				o.send(answer)
				c.head()
				want := fmt.Sprintf(" 0/%d ", i)
				if line := r.nextLog(); !strings.Contains(line, want) {
					t.Errorf("log of request %d: %s", i, line)
				}
			}
			if b := r.backend("be"); b.Servers[0].Sessions != n || b.Servers[0].Opened != n {
				t.Errorf("%d sessions, %d connections, want %d", b.Servers[0].Sessions, b.Servers[0].Opened, n)
			}
		})
	}
}

// timeout queue: 503, sQ. Who leaves the queue does not get in the way of the others.
func TestQueueTimeout(t *testing.T) {
	t.Parallel()
	r := start(t, queued(1))
	var at []*wire
	var holders []*wire
	for i, s := range []string{"s2", "s3"} {
		c := r.client("feshort")
		c.get(fmt.Sprint("hold", i))
		o := r.accept(s)
		o.asked()
		at, holders = append(at, o), append(holders, c)
	}
	c := r.client("feshort")
	c.get("late")
	if got := c.message(); !strings.HasPrefix(got, "HTTP/1.1 503 ") {
		t.Errorf("got %q", got)
	}
	if got, want := r.nextLog(), `feshort short/<NOSRV> t/t/-1/-1/t 503 214 - - sQ-- 3/3/2/0/0 0/1 "GET /late HTTP/1.1"`; got != want {
		t.Errorf("log: %s\nwant %s", got, want)
	}
	// The connection goes on; so does the queue.
	c.get("again")
	r.await("the queue", func() bool { return r.backend("short").Queued == 1 })
	at[1].send(answer)
	holders[1].head()
	// This client's server connections may be shared: it has asked before.
	if got := at[1].asked(); got != "again" {
		t.Errorf("s3 was asked for %q", got)
	}
	at[1].send(answer)
	c.head()
	at[0].send(answer)
	holders[0].head()
}

// maxconn of a frontend, and of the process: further connections wait in the kernel's
// backlog and are served when others end, on every loop.
func TestMaxconn(t *testing.T) {
	t.Parallel()
	for name, limits := range map[string][2]string{
		"frontend": {"", " maxconn 2\n"},
		"global":   {" maxconn 2\n", ""},
	} {
		for _, loops := range []int{1, 3} {
			t.Run(fmt.Sprint(name, loops), func(t *testing.T) {
				t.Parallel()
				r := start(t, fmt.Sprintf("global\n nbthread %d\n%s", loops, limits[0])+strings.Replace(plainHTTP, " default_backend be\n", " default_backend be\n monitor-uri /m\n"+limits[1], 1))
				// Which clients come first is the kernel's choice: each loop has a backlog.
				over := 2
				if loops > 1 {
					over += loops - 1 // each may have accepted one in the same moment
				}
				errs := make(chan error, 8)
				for range cap(errs) {
					c := r.client("fe")
					go func() {
						defer c.Close()
						if _, err := io.WriteString(c, "GET /m HTTP/1.1\r\nhost: a\r\n\r\n"); err != nil {
							errs <- err
							return
						}
						if _, err := c.in.ReadString('\n'); err != nil {
							errs <- err
							return
						}
						var err error
						if n := r.lb.Status().Connections; n > over {
							err = fmt.Errorf("%d connections at once", n)
						}
						errs <- err
					}()
				}
				for range cap(errs) {
					if err := <-errs; err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
}

// The connections beyond maxconn are not accepted at all.
func TestMaxconnKeepsOthersWaiting(t *testing.T) {
	t.Parallel()
	r := start(t, "global\n nbthread 1\n"+strings.Replace(plainHTTP, " default_backend be\n", " default_backend be\n monitor-uri /m\n maxconn 2\n", 1))
	var clients []*wire
	for range 5 {
		c := r.client("fe")
		c.get("m")
		clients = append(clients, c)
	}
	for i, c := range clients {
		want := min(2, len(clients)-i)
		r.await("connections up to maxconn", func() bool { return r.lb.Status().Connections == want })
		c.message()
		c.Close()
	}
}

// A server that does not answer to a connection: 503, sC. Its backlog is full, so the
// kernel drops our SYN.
func TestConnectTimeout(t *testing.T) {
	t.Parallel()
	r := start(t, strings.Replace(plainHTTP, " server s1 {s1}\n", " timeout connect 30ms\n retries 1\n server s1 {full}\n", 1))
	c := r.client("fe")
	c.get("x")
	if got := c.message(); !strings.HasPrefix(got, "HTTP/1.1 503 ") {
		t.Errorf("got %q", got)
	}
	if got, want := r.nextLog(), `fe be/s1 t/t/-1/-1/t 503 214 - - sC-- 1/1/0/0/1 0/0 "GET /x HTTP/1.1"`; got != want {
		t.Errorf("log: %s\nwant %s", got, want)
	}
}
