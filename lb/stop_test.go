package lb_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// A stop: nobody new is let in, who waits for nothing is sent away, who waits for an
// answer gets it, with the word that the connection ends, and Drain knows the moment.
func TestStop(t *testing.T) {
	t.Parallel()
	r := start(t, "global\n nbthread 2\n"+plainHTTP)
	fresh := r.client("fe") // has not asked for anything
	idle := r.client("fe")  // has been answered
	idle.get("idle")
	oi := r.accept("s1")
	oi.asked()
	oi.send(answer)
	idle.head()
	r.nextLog()
	half := r.client("fe") // has begun to ask
	half.send("GET /half HT")
	active := r.client("fe") // waits for its answer
	active.get("active")
	oa := r.accept("s1")
	oa.asked()
	streaming := r.client("fe") // has had half of it
	streaming.get("streaming")
	os := r.accept("s1")
	os.asked()
	os.send("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n12345")
	streaming.head()
	streaming.bytes(5)
	r.await("all connections", func() bool { return r.lb.Status().Connections == 5 })

	r.lb.StopListening()
	fresh.ends()
	idle.ends()
	oi.isReset() // the pooled connection
	r.await("the listener's end", func() bool {
		c, err := net.Dial("tcp", r.names["fe"])
		if err == nil {
			c.Close()
		}
		return errors.Is(err, syscall.ECONNREFUSED)
	})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := r.lb.Drain(ctx); err == nil || !strings.Contains(err.Error(), "3 connections were cut") {
		t.Errorf("Drain with three sessions: %v", err)
	}

	half.send("TP/1.1\r\nhost: a\r\n\r\n")
	oh := r.accept("s1")
	oh.asked()
	for o, c := range map[*wire]*wire{oh: half, oa: active} {
		o.send(answer)
		if got := c.head(); got != "HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n" {
			t.Errorf("got %q", got)
		}
		c.ends()
	}
	os.send("67890")
	streaming.bytes(5)
	streaming.ends()
	drain, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := r.lb.Drain(drain); err != nil {
		t.Error(err)
	}
	r.balanced()
}

// With option idle-close-on-response an idle connection has one more request.
func TestStopLeavesIdle(t *testing.T) {
	t.Parallel()
	r := start(t, "global\n nbthread 1\n"+strings.Replace(plainHTTP, "mode http\n", "mode http\n option idle-close-on-response\n", 1))
	idle := r.client("fe")
	ask := func() {
		idle.get("idle")
		o := r.accept("s1")
		o.asked()
		o.send(answer)
	}
	ask()
	idle.head()
	r.lb.StopListening()
	r.await("the listener's end", func() bool { return !r.lb.Serving() && !listens(t, r.names["fe"]) })
	ask()
	if got := idle.head(); got != "HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n" {
		t.Errorf("got %q", got)
	}
	idle.ends()
}

// TCP sessions run on after StopListening.
func TestStopTCP(t *testing.T) {
	t.Parallel()
	r := start(t, strings.Replace(plainHTTP, "mode http\n", "mode tcp\n", 1))
	c := r.client("fe")
	c.send("a")
	o := r.accept("s1")
	o.bytes(1)
	r.lb.StopListening()
	o.send("b")
	c.bytes(1)
	c.Close()
	o.ends()
	o.Close()
	if err := r.lb.Drain(t.Context()); err != nil {
		t.Error(err)
	}
}

// ProbeDial goes through a frontend also where its address is on another host.
func TestProbeDial(t *testing.T) {
	t.Parallel()
	r := start(t, strings.Replace(plainHTTP, "frontend fe\n", `
frontend vip
 bind 192.0.2.77:8080
 monitor-uri /m
 default_backend be
frontend fe
 monitor-uri /m
`, 1))
	for _, fe := range []string{"vip", "fe"} {
		c, err := r.lb.ProbeDial(t.Context(), fe)
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetDeadline(time.Now().Add(patience))
		if _, err := c.Write([]byte("GET /m HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")); err != nil {
			t.Fatal(err)
		}
		var b [12]byte
		if n, err := c.Read(b[:]); string(b[:n]) != "HTTP/1.1 200" {
			t.Errorf("%s: %q, %v", fe, b[:n], err)
		}
		c.Close()
	}
	if _, err := r.lb.ProbeDial(t.Context(), "nope"); err == nil {
		t.Error("a frontend that is not there was probed")
	}
}

// A frontend whose places are taken is alive: a probe gets its answer all the same.
func TestProbeDialFull(t *testing.T) {
	t.Parallel()
	r := start(t, strings.Replace(plainHTTP, " bind {fe}\n", " bind {fe}\n maxconn 1\n monitor-uri /m\n", 1))
	if r.lb.Full("fe") || r.lb.Full("nope") {
		t.Error("full without a connection")
	}
	r.client("fe")
	r.await("the only place is taken", func() bool { return r.lb.Full("fe") })
	c, err := r.lb.ProbeDial(t.Context(), "fe")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(patience))
	if _, err := c.Write([]byte("GET /m HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	var b [12]byte
	if n, err := c.Read(b[:]); string(b[:n]) != "HTTP/1.1 200" {
		t.Errorf("%q, %v", b[:n], err)
	}
}

// A port in use is named, and nothing stays open.
func TestListenOnAPortInUse(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	r := &rig{t: t, names: map[string]string{"fe": ln.Addr().String()}, origins: make(map[string]origin), usable: make(chan string, 10)}
	err = r.run(r.fill(strings.Replace(plainHTTP, " log {log}\n", "", 1)))
	r.origins["s1"].Close()
	if want := fmt.Sprintf("t.cfg:9:7: frontend fe: cannot listen on %s: address already in use", ln.Addr()); err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

// Everything goes back: descriptors and goroutines, after traffic of every kind, and
// with sessions that were cut.
func TestNothingIsLeft(t *testing.T) {
	running := goleak.IgnoreCurrent()
	before := descriptors(t)
	func() {
		r := &rig{}
		t.Run("traffic", func(t *testing.T) {
			r = start(t, `
global
 nbthread 2
defaults
 timeout client 5s
 timeout server 5s
 timeout connect 5s
 log {log}
frontend fe
 mode http
 bind {fe}
 default_backend be
frontend fetcp
 mode tcp
 bind {fetcp}
 default_backend tcp
backend be
 mode http
 option httpchk
 server s1 {s1} check inter 500ms fastinter 10ms downinter 10ms
 server s2 {no} check inter 500ms fastinter 10ms downinter 10ms
backend tcp
 mode tcp
 server s3 {s3} check inter 500ms fastinter 10ms downinter 10ms
`)
			for {
				if r.nextUsable() == "be 1" {
					break
				}
			}
			r.echo("s1")
			c := r.client("fe")
			for range 20 {
				c.servedBy()
			}
			ct := r.client("fetcp")
			var o *wire
			for o == nil { // checks come too
				w := r.accept("s3")
				_ = w.SetDeadline(time.Now().Add(50 * time.Millisecond))
				ct.send("x")
				if _, err := w.in.ReadByte(); err == nil {
					o = w
				}
			}
			_ = o.SetDeadline(time.Now().Add(patience))
			go func() { _, _ = o.Write(noise(1 << 20)) }() // spliced
			ct.bytes(1 << 20)
		})
	}()
	if err := goleak.Find(running); err != nil {
		t.Error(err)
	}
	if after := descriptors(t); after > before {
		t.Errorf("%d descriptors, %d before", after, before)
	}
}

func descriptors(t *testing.T) int {
	t.Helper()
	runtime.GC() // finalizers close what tests forgot
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}
