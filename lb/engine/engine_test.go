package engine_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"baton/internal/mono"
	"baton/internal/sys"
	"baton/lb/engine"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// job makes a session of a function.
type job struct {
	run     func(*engine.Task)
	aborted chan struct{}
}

func (j *job) Run(t *engine.Task) { j.run(t) }
func (j *job) Abort()             { close(j.aborted) }

// acceptor runs a session per connection.
type acceptor struct {
	loop *engine.Loop
	run  func(*engine.Task, *engine.Conn)
	full func() bool
}

func (a *acceptor) Reserve() (bool, time.Duration) { return a.full == nil || !a.full(), 0 }
func (a *acceptor) Release()                       {}
func (a *acceptor) Accept(c *engine.Conn, _ netip.AddrPort) {
	a.loop.Go(&job{run: func(t *engine.Task) { a.run(t, c) }})
}

// start runs a loop for the test's duration.
func start(t *testing.T, log io.Writer) *engine.Loop {
	t.Helper()
	l, err := engine.NewLoop(0, slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { l.Run(); close(done) }()
	t.Cleanup(func() { l.Stop(); <-done })
	return l
}

// serve listens on loopback and returns the address.
func serve(t *testing.T, l *engine.Loop, a *acceptor) (addr string, ln *engine.Listener) {
	t.Helper()
	fd, err := sys.ListenTCP(netip.MustParseAddrPort("127.0.0.1:0"), sys.ListenOptions{Backlog: 128})
	if err != nil {
		t.Fatal(err)
	}
	addr = fd.LocalAddr().String()
	a.loop = l
	on(l, func() { ln, err = l.Listen(fd, a) })
	if err != nil {
		t.Fatal(err)
	}
	return addr, ln
}

// on runs f on the loop and waits for it.
func on(l *engine.Loop, f func()) {
	done := make(chan struct{})
	l.Post(func() { f(); close(done) })
	<-done
}

// task runs f as a task on the loop and waits for it.
func task(t *testing.T, l *engine.Loop, f func(*engine.Task)) {
	t.Helper()
	done := make(chan struct{})
	l.Post(func() { l.Go(&job{run: func(t *engine.Task) { f(t); close(done) }}) })
	<-done
}

func echo(t *engine.Task, c *engine.Conn) {
	defer c.Close()
	buf := t.Loop().Get()
	defer t.Loop().Put(buf)
	for {
		n, err := c.Read(t, buf.B[:], mono.Never)
		if err != nil {
			return
		}
		if c.Write(t, buf.B[:n], nil, mono.Never) != nil {
			return
		}
	}
}

func TestEchoThroughFullSockets(t *testing.T) {
	l := start(t, io.Discard)
	addr, _ := serve(t, l, &acceptor{run: echo})
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	sent := make([]byte, 8<<20) // far more than the socket buffers: writes must wait for room
	_, _ = rand.Read(sent)
	go func() {
		_, _ = c.Write(sent)
		_ = c.(*net.TCPConn).CloseWrite()
	}()
	got, err := io.ReadAll(c)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, sent) {
		t.Fatalf("got %d bytes back that differ from the %d sent", len(got), len(sent))
	}
}

func TestReadDeadlineAndEOF(t *testing.T) {
	l := start(t, io.Discard)
	errs := make(chan error, 2)
	addr, _ := serve(t, l, &acceptor{run: func(t *engine.Task, c *engine.Conn) {
		defer c.Close()
		var b [10]byte
		_, err := c.Read(t, b[:], t.Now().Add(20*time.Millisecond))
		errs <- err
		_, err = c.Read(t, b[:], mono.Never)
		errs <- err
	}})
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	if err := <-errs; err != engine.ErrTimeout {
		t.Fatalf("a silent peer: %v, want ErrTimeout", err)
	}
	c.Close()
	if err := <-errs; err != io.EOF {
		t.Fatalf("a closed peer: %v, want EOF", err)
	}
}

func TestConnect(t *testing.T) {
	l := start(t, io.Discard)
	addr, _ := serve(t, l, &acceptor{run: echo})
	ap := netip.MustParseAddrPort(addr)
	task(t, l, func(tk *engine.Task) {
		to := sys.SockaddrOf(ap)
		c, err := tk.Connect(&to, nil, new(engine.Guard), mono.Never)
		if err != nil {
			t.Errorf("connect: %v", err)
			return
		}
		var b [5]byte
		if err := c.Write(tk, []byte("he"), []byte("llo"), mono.Never); err != nil {
			t.Errorf("write: %v", err)
		}
		n, err := c.Read(tk, b[:], mono.Never)
		if err != nil || string(b[:n]) != "hello" {
			t.Errorf("read %q, %v", b[:n], err)
		}
		c.Close()

		refused := sys.SockaddrOf(netip.MustParseAddrPort("127.0.0.1:1"))
		if _, err := tk.Connect(&refused, nil, new(engine.Guard), mono.Never); err == nil || !strings.Contains(err.Error(), "refused") {
			t.Errorf("connecting to a closed port: %v, want a refusal", err)
		}
	})
}

// A peer's bytes, its FIN and our short read may come in any order; none may be
// lost to the memory of readiness.
func TestShortReadThenEOF(t *testing.T) {
	l := start(t, io.Discard)
	result := make(chan string, 1)
	addr, _ := serve(t, l, &acceptor{run: func(t *engine.Task, c *engine.Conn) {
		defer c.Close()
		var got []byte
		for {
			var b [64]byte
			n, err := c.Read(t, b[:], mono.Never)
			got = append(got, b[:n]...)
			if err != nil {
				result <- string(got) + " " + err.Error()
				return
			}
		}
	}})
	for range 200 {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = c.Write([]byte("bye"))
		c.Close()
		if got := <-result; got != "bye EOF" {
			t.Fatalf("got %q", got)
		}
	}
}

func TestPanicEndsOnlyItsSession(t *testing.T) {
	var log bytes.Buffer
	l := start(t, &log)
	aborted := make(chan struct{})
	l.Post(func() { l.Go(&job{run: func(*engine.Task) { panic(errors.New("boom")) }, aborted: aborted}) })
	<-aborted
	task(t, l, func(*engine.Task) {}) // the loop and its coroutines still serve
	if !strings.Contains(log.String(), "boom") {
		t.Fatalf("the log does not name the panic: %s", log.String())
	}
}

func TestFullListenerPausesAndResumes(t *testing.T) {
	l := start(t, io.Discard)
	full := true
	asked := make(chan struct{}, 1)
	a := &acceptor{run: echo}
	a.full = func() bool {
		if full {
			select {
			case asked <- struct{}{}:
			default:
			}
		}
		return full
	}
	addr, ln := serve(t, l, a)
	c, err := net.Dial("tcp", addr) // the kernel's backlog takes it
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	<-asked
	on(l, func() { full = false; ln.Resume() })
	_, _ = c.Write([]byte("x"))
	var b [1]byte
	if _, err := c.Read(b[:]); err != nil || b[0] != 'x' {
		t.Fatalf("after Resume: %v", err)
	}
}

func TestWakeAndYield(t *testing.T) {
	l := start(t, io.Discard)
	var order []string
	var waiter *engine.Task
	done := make(chan struct{})
	l.Post(func() {
		l.Go(&job{run: func(t *engine.Task) {
			waiter = t
			for len(order) == 0 || order[0] != "woken" {
				if !t.Suspend(mono.Never) {
					order = append(order, "expired")
				}
			}
			order = append(order, "done")
			close(done)
		}})
		l.Go(&job{run: func(t *engine.Task) {
			waiter.Wake()
			order = append(order, "woken") // Wake only queues: it does not run the other task now
			t.Yield()
			order = append(order, "back")
		}})
	})
	<-done
	on(l, func() {})
	on(l, func() {})
	if got := strings.Join(order, " "); got != "woken done back" {
		t.Fatalf("order: %s", got)
	}
}

// A task that never stops yielding leaves the loop its mail, its sockets and its clock.
func TestYieldLeavesTheLoopItsTurn(t *testing.T) {
	l := start(t, io.Discard)
	stop := false
	done := make(chan struct{})
	l.Post(func() {
		l.Go(&job{run: func(t *engine.Task) {
			for began := t.Now(); !stop || t.Now() == began; {
				t.Yield()
			}
			close(done)
		}})
	})
	addr, _ := serve(t, l, &acceptor{run: echo})
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, _ = c.Write([]byte("x"))
	var b [1]byte
	if _, err := c.Read(b[:]); err != nil {
		t.Fatal(err)
	}
	on(l, func() { stop = true })
	<-done
}

// A client that comes after something was posted meets what that has changed, though the
// loop learns of both in one turn.
func TestPostsRunAheadOfClients(t *testing.T) {
	l := start(t, io.Discard)
	posted := false
	met := make(chan bool, 1)
	addr, _ := serve(t, l, &acceptor{run: func(_ *engine.Task, c *engine.Conn) {
		met <- posted
		c.Close()
	}})
	busy, goOn := make(chan struct{}), make(chan struct{})
	l.Post(func() {
		close(busy)
		<-goOn
	})
	<-busy
	l.Post(func() { posted = true })
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	close(goOn)
	if !<-met {
		t.Error("the client was served first")
	}
}

func TestPostAfterTheEndIsDropped(t *testing.T) {
	l, err := engine.NewLoop(0, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	l.Stop()
	l.Run()
	other, err := sys.NewEventFD() // takes the number that the loop's had
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	l.Post(func() { t.Error("ran") })
	if other.Drain() > 0 {
		t.Error("a loop that has ended wrote to a descriptor of somebody else's")
	}
}

func TestRequestPathAllocatesNothing(t *testing.T) {
	l := start(t, io.Discard)
	addr, _ := serve(t, l, &acceptor{run: echo})
	ap := netip.MustParseAddrPort(addr)
	task(t, l, func(tk *engine.Task) {
		to := sys.SockaddrOf(ap)
		c, err := tk.Connect(&to, nil, new(engine.Guard), mono.Never)
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		msg, tail := []byte("ping"), []byte("pong")
		var b [16]byte
		round := func() {
			_ = c.Write(tk, msg, tail, tk.Now().Add(time.Second))
			_, _ = c.Read(tk, b[:], tk.Now().Add(time.Second))
		}
		round()
		if n := testing.AllocsPerRun(200, round); n > 0 {
			t.Errorf("%v allocations per round trip", n)
		}
	})
}
