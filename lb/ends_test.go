package lb_test

import (
	"fmt"
	"testing"
)

// Sessions that the end of the balancer cuts off leave no coroutine behind (TestMain
// looks), nor anything counted, in whatever state they are.
func TestCutSessions(t *testing.T) {
	r := start(t, `
defaults
 timeout client 5s
 timeout server 5s
 timeout connect 5s
frontend fe
 bind {fe}
 mode http
 default_backend be
frontend fetcp
 mode tcp
 bind {fetcp}
 default_backend tcp
backend be
 mode http
 server s1 {s1} maxconn 1
backend tcp
 mode tcp
 server s2 {s2}
`)
	r.client("fe") // says nothing
	served := r.client("fe")
	served.get("1")
	r.accept("s1").asked()
	waits := r.client("fe")
	waits.get("2")
	r.await("a queue", func() bool { return r.backend("be").Queued == 1 })
	tunnel := r.client("fetcp")
	tunnel.send("x")
	r.accept("s2").bytes(1)
	r.halt()
	r.balanced()
	served.ends()
	tunnel.ends()
}

// Loops that accept at the same time do not exceed maxconn together.
func TestMaxconnIsExact(t *testing.T) {
	t.Parallel()
	for _, where := range []string{"global\n maxconn 5\n", "global\n"} {
		limit := ""
		if where == "global\n" {
			limit = " maxconn 5\n"
		}
		r := start(t, where+fmt.Sprintf(` nbthread 4
defaults
 timeout client 5s
 timeout server 5s
 timeout connect 5s
frontend fe
 bind {fe}
%s default_backend be
backend be
 server s1 {s1}
`, limit))
		var all []*wire
		for range 40 {
			all = append(all, r.client("fe"))
		}
		for left := len(all); left > 0; left -= 5 {
			r.await("five connections", func() bool { return r.lb.Status().Connections == 5 })
			if got := r.lb.Status().Frontends[0].Sessions; got > uint64(len(all)-left+5) {
				t.Fatalf("%d sessions of which %d have ended: more than 5 at a time", got, len(all)-left)
			}
			for range 5 {
				r.accept("s1").reset()
			}
		}
		for _, c := range all {
			c.Close()
		}
	}
}
