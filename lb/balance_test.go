package lb_test

import (
	"fmt"
	"strings"
	"testing"
)

// echo has an origin answer every request with its name.
func (r *rig) echo(origin string) {
	ln := r.origins[origin]
	r.players.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			w := newWire(r.t, c.(stream))
			r.players.Go(func() {
				defer w.Close()
				for {
					for line := ""; line != "\r\n"; {
						var err error
						if line, err = w.in.ReadString('\n'); err != nil {
							return
						}
					}
					if _, err := fmt.Fprintf(w, "HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s", len(origin), origin); err != nil {
						return
					}
				}
			})
		}
	})
}

// servedBy sends a request and returns who answered.
func (w *wire) servedBy() string {
	w.t.Helper()
	w.get("")
	_, body, _ := strings.Cut(w.message(), "\r\n\r\n")
	return body
}

func TestBalance(t *testing.T) {
	t.Parallel()
	cfg := func(lines string) string {
		return "global\n nbthread 1\n" + strings.Replace(plainHTTP, " server s1 {s1}\n", lines, 1)
	}
	t.Run("roundrobin", func(t *testing.T) {
		t.Parallel()
		r := started(t, cfg(" balance roundrobin\n server s1 {s1} weight 3\n server s2 {s2}\n server s3 {s3} weight 0\n"), "s1", "s2", "s3")
		got := make(map[string]int)
		c := r.client("fe")
		for range 40 {
			got[c.servedBy()]++
		}
		if got["s1"] != 30 || got["s2"] != 10 {
			t.Errorf("served %v, want 30 and 10", got)
		}
	})
	t.Run("source", func(t *testing.T) {
		t.Parallel()
		r := started(t, cfg(" balance source\n server s1 {s1}\n server s2 {s2}\n server s3 {s3}\n"), "s1", "s2", "s3")
		used := make(map[string]bool)
		for i := range 12 {
			ip := fmt.Sprint("127.0.1.", i+1)
			first := r.clientFrom("fe", ip).servedBy()
			used[first] = true
			c := r.clientFrom("fe", ip)
			for range 3 {
				if got := c.servedBy(); got != first {
					t.Errorf("%s went to %s after %s", ip, got, first)
				}
			}
		}
		if len(used) != 3 {
			t.Errorf("12 clients used %v", used)
		}
	})
	t.Run("leastconn", func(t *testing.T) {
		t.Parallel()
		r := start(t, cfg(" balance leastconn\n server s1 {s1}\n server s2 {s2}\n"))
		// The first request stays at its server: all others go to the second.
		hold := r.client("fe")
		hold.get("hold")
		o1 := r.accept("s1")
		o1.asked()
		c := r.client("fe")
		var o2 *wire
		for range 5 {
			c.get("x")
			if o2 == nil {
				o2 = r.accept("s2")
			}
			o2.asked()
			o2.send(answer)
			c.head()
		}
		o1.send(answer)
		hold.head()
	})
}

// started is start with origins that echo their names.
func started(t testing.TB, text string, origins ...string) *rig {
	r := start(t, text)
	for _, o := range origins {
		r.echo(o)
	}
	return r
}

// Connections to servers are used again: one client and its keep-alive requests open
// one connection per server, and a second client's later requests take those.
func TestReuse(t *testing.T) {
	t.Parallel()
	r := started(t, "global\n nbthread 1\n"+plainHTTP, "s1")
	a := r.client("fe")
	for range 10 {
		a.servedBy()
	}
	s := r.backend("be").Servers[0]
	if s.Opened != 1 || s.Sessions != 10 {
		t.Errorf("%d connections for %d requests of one client, want 1 for 10", s.Opened, s.Sessions)
	}
	b := r.client("fe")
	for range 10 {
		b.servedBy()
		a.servedBy()
	}
	if s = r.backend("be").Servers[0]; s.Opened != 2 || s.Sessions != 30 {
		t.Errorf("%d connections for %d requests of two clients in turn, want 2 for 30", s.Opened, s.Sessions)
	}
	// Clients that send one request each leave no heap of idle connections behind.
	for range 50 {
		c := r.client("fe")
		c.servedBy()
		c.Close()
	}
	if s = r.backend("be").Servers[0]; s.Opened != 52 {
		t.Errorf("%d connections opened, want 52", s.Opened)
	}
}

// The counters of a status page after known traffic.
func TestCounters(t *testing.T) {
	t.Parallel()
	r := started(t, strings.Replace(plainHTTP, " default_backend be\n", " default_backend be\n http-request deny if { path /deny }\n", 1), "s1")
	c := r.client("fe")
	for range 3 {
		c.servedBy()
	}
	c.get("deny")
	c.message()
	c.Close()
	c = r.client("fe")
	c.send("bad\r\n\r\n")
	c.message()
	c.ends()
	c.Close()
	r.await("the sessions' ends", func() bool { return r.lb.Status().Connections == 0 })
	st := r.lb.Status()
	f, b := st.Frontends[0], st.Backends[0]
	type row struct{ sessions, requests, denied, bad, s2, s4, s5 uint64 }
	if got, want := (row{f.Sessions, f.Requests, f.Denied, f.BadRequests, f.Status2xx, f.Status4xx, f.Status5xx}), (row{2, 4, 1, 1, 3, 2, 0}); got != want {
		t.Errorf("frontend %+v, want %+v", got, want)
	}
	request := uint64(len("GET / HTTP/1.1\r\nhost: a\r\n\r\n"))
	response := uint64(len("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\ns1"))
	if b.BytesIn != 3*request || b.BytesOut != 3*response || b.Status2xx != 3 || b.Sessions != 3 {
		t.Errorf("backend %+v", b.Counters)
	}
	if s := b.Servers[0]; s.Sessions != 3 || s.Opened != 1 || s.State != "no check" || !s.Active {
		t.Errorf("server %+v", s)
	}
}
