package logsink

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"baton/internal/sys"
	"baton/lb/spec"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var noon = time.Date(2026, 2, 6, 12, 0, 0, 0, time.UTC)

// open makes a sink for one target, closed (within 10 s) when the test ends.
func open(t testing.TB, o Options, targets ...spec.LogTarget) (*Sinks, *Group) {
	t.Helper()
	s := New(o)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := s.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	g, err := s.Group(targets)
	if err != nil {
		t.Fatal(err)
	}
	return s, g
}

func listenUDP(t testing.TB) *net.UDPConn {
	c, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func listenUnix(t testing.TB, path string) *net.UnixConn {
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// receive reads n datagrams.
func receive(t testing.TB, c net.Conn, n int) []string {
	t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	var out []string
	buf := make([]byte, 70000)
	for range n {
		m, err := c.Read(buf)
		if err != nil {
			t.Fatalf("after %q: %v", out, err)
		}
		out = append(out, string(buf[:m]))
	}
	return out
}

func TestUDP(t *testing.T) {
	c := listenUDP(t)
	target := spec.LogTarget{Kind: spec.LogUDP, Address: c.LocalAddr().String(), Facility: 16, Level: 7}
	short, errorsOnly, capped := target, target, target
	short.Format, short.Len = "raw", 80
	errorsOnly.Format, errorsOnly.Level = "short", 3
	capped.Format, capped.MinLevel = "priority", 4
	s, g := open(t, Options{Tag: "baton", PID: 7}, target, short, errorsOnly, capped)
	other, err := s.Group([]spec.LogTarget{{Kind: spec.LogUDP, Address: c.LocalAddr().String(), Format: "raw", Level: 6}})
	if err != nil {
		t.Fatal(err)
	}

	g.Send(6, noon, []byte("info"))
	g.Send(1, noon, []byte("alert"))
	other.Send(7, noon, []byte("too verbose"))
	other.Send(6, noon, bytes.Repeat([]byte("x"), 2000))
	g.Send(6, noon.Add(time.Second), bytes.Repeat([]byte("y"), 2000))

	const head, later = "<134>Feb  6 12:00:00 baton[7]: ", "<134>Feb  6 12:00:01 baton[7]: "
	want := []string{
		head + "info\n", "info\n", "<134>info\n",
		"<129>Feb  6 12:00:00 baton[7]: alert\n", "alert\n", "<1>alert\n", "<132>alert\n",
		strings.Repeat("x", 1024) + "\n",
		(later + strings.Repeat("y", 2000))[:1024] + "\n", strings.Repeat("y", 80) + "\n", ("<134>" + strings.Repeat("y", 2000))[:1024] + "\n",
	}
	if d := cmp.Diff(want, receive(t, c, len(want))); d != "" {
		t.Error(d)
	}
	if !g.Enabled(7) || other.Enabled(7) || new(Group).Enabled(0) || (*Group)(nil).Enabled(0) {
		t.Error("Enabled is wrong")
	}
	(*Group)(nil).Send(0, noon, nil)
}

// Many lines in one go take several sendmmsg calls; one that no datagram can carry
// is dropped alone.
func TestManyAndTooLong(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	c := listenUnix(t, path)
	s, g := open(t, Options{}, spec.LogTarget{Kind: spec.LogUnix, Address: path, Format: "raw", Level: 7, Len: 400 << 10})
	var want []string
	for i := range 500 {
		if i == 100 {
			g.Send(6, noon, make([]byte, 300<<10))
		}
		line := fmt.Sprintf("line %d", i)
		g.Send(6, noon, []byte(line))
		want = append(want, line+"\n")
	}
	if d := cmp.Diff(want, receive(t, c, len(want))); d != "" {
		t.Error(d)
	}
	if n := s.Dropped(); n != 1 {
		t.Errorf("%d lines dropped, want 1", n)
	}
}

// journal is a slog.Handler that passes messages on.
type journal struct {
	slog.Handler
	said chan string
}

func newJournal() journal { return journal{slog.DiscardHandler, make(chan string, 100)} }

func (j journal) Enabled(context.Context, slog.Level) bool { return true }

func (j journal) Handle(_ context.Context, r slog.Record) error {
	j.said <- r.Message
	return nil
}

// A log daemon that is not there yet, or starts again, gets what was said meanwhile.
func TestUnixReappears(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	j := newJournal()
	s, g := open(t, Options{Log: slog.New(j)}, spec.LogTarget{Kind: spec.LogUnix, Address: path, Format: "raw", Level: 7})
	g.Send(6, noon, []byte("before"))
	if got, want := <-j.said, "log target failed, lines wait or are dropped"; got != want {
		t.Errorf("said %q, want %q", got, want)
	}
	c := listenUnix(t, path)
	if got, want := <-j.said, "log target works again"; got != want {
		t.Errorf("said %q, want %q", got, want)
	}
	got := receive(t, c, 1)

	c.Close()
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	g.Send(6, noon, []byte("between"))
	<-j.said
	c = listenUnix(t, path)
	g.Send(6, noon, []byte("after"))
	got = append(got, receive(t, c, 2)...)
	if d := cmp.Diff([]string{"before\n", "between\n", "after\n"}, got); d != "" {
		t.Error(d)
	}
	<-j.said
	if n := s.Dropped(); n != 0 {
		t.Errorf("%d lines dropped", n)
	}
}

// pipe returns a pipe's ends; the writing one is left in the mode that a parent's
// pipe to our stdout has: blocking.
func pipe(t *testing.T) (r *os.File, w sys.FD) {
	pr, pw, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	fd := sys.FD(pw.Fd())
	dup, err := fd.Dup()
	if err != nil {
		t.Fatal(err)
	}
	pw.Close()
	t.Cleanup(func() { pr.Close() })
	return pr, dup
}

func fdTarget(fd sys.FD) spec.LogTarget {
	return spec.LogTarget{Kind: spec.LogFD, FD: int(fd), Format: "raw", Level: 7}
}

func TestDescriptor(t *testing.T) {
	r, w := pipe(t)
	_, g := open(t, Options{}, fdTarget(w))
	w.Close() // the sink has its own
	long := strings.Repeat("z", 3000)
	g.Send(6, noon, []byte("one"))
	g.Send(6, noon, []byte(long))
	in := bufio.NewReader(r)
	for _, want := range []string{"one\n", long + "\n"} {
		if got, err := in.ReadString('\n'); got != want || err != nil {
			t.Errorf("read %q, %v", got, err)
		}
	}
	if _, err := New(Options{}).Group([]spec.LogTarget{fdTarget(999)}); err == nil {
		t.Error("a descriptor that is not open is accepted")
	}
}

// A reader that stands still costs lines, never time; what it then reads is whole.
func TestFull(t *testing.T) {
	r, w := pipe(t)
	s, g := open(t, Options{}, fdTarget(w))
	w.Close()
	line := bytes.Repeat([]byte("a"), 200)
	sent := 0
	for ; s.Dropped() == 0; sent++ {
		g.Send(6, noon, line)
		if sent > 10*maxPending/len(line) {
			t.Fatal("nothing is dropped")
		}
	}
	read := make(chan int)
	go func() {
		n := 0
		for in := bufio.NewScanner(r); in.Scan(); n++ {
			if !bytes.Equal(in.Bytes(), line) {
				t.Errorf("line %q", in.Bytes())
			}
		}
		read <- n
	}()
	if err := s.Close(t.Context()); err != nil {
		t.Error(err)
	}
	g.Send(6, noon, line) // after Close: dropped
	// The sink's copy of the descriptor is closed with its writer, so the reader sees the end.
	if got, want := <-read, sent+1-int(s.Dropped()); got != want {
		t.Errorf("%d lines came of %d, %d were dropped", got, sent+1, s.Dropped())
	}
}

// When the reader has gone the process lives on, even with stdout as the target.
func TestBrokenPipe(t *testing.T) {
	r, w := pipe(t)
	j := newJournal()
	s, g := open(t, Options{Log: slog.New(j)}, fdTarget(w))
	w.Close()
	r.Close()
	g.Send(6, noon, []byte("lost"))
	<-j.said
	if err := s.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if n := s.Dropped(); n != 1 {
		t.Errorf("%d lines dropped, want 1", n)
	}
}

// Close gives up at its deadline: on a pipe that nobody reads, and on a unix socket
// whose receiver's queue is full.
func TestCloseDeadline(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	listenUnix(t, path)
	r, w := pipe(t)
	defer w.Close()
	for _, target := range []spec.LogTarget{fdTarget(w), {Kind: spec.LogUnix, Address: path, Format: "raw", Level: 7}} {
		s := New(Options{})
		g, err := s.Group([]spec.LogTarget{target})
		if err != nil {
			t.Fatal(err)
		}
		for range 1000 {
			g.Send(6, noon, bytes.Repeat([]byte("a"), 400))
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := s.Close(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v, want canceled", targetName(target), err)
		}
		if target.Kind == spec.LogUnix {
			<-s.writers[targetName(target)].done
			if s.Dropped() == 0 {
				t.Error("lines given up are not counted")
			}
		}
	}
	r.Close() // ends the write that was left behind
}

func TestManyProducers(t *testing.T) {
	r, w := pipe(t)
	s, g := open(t, Options{}, fdTarget(w))
	w.Close()
	const producers, lines = 4, 2000
	var wg sync.WaitGroup
	for p := range producers {
		wg.Go(func() {
			for i := range lines {
				g.Send(6, noon, fmt.Appendf(nil, "%d %d", p, i))
			}
		})
	}
	next := [producers]int{}
	in := bufio.NewScanner(r)
	for range producers * lines {
		if !in.Scan() {
			t.Fatal("lines are missing")
		}
		var p, i int
		if _, err := fmt.Sscanf(in.Text(), "%d %d", &p, &i); err != nil {
			t.Fatalf("line %q: %v", in.Text(), err)
		}
		if i != next[p] {
			t.Fatalf("producer %d: line %d after %d", p, i, next[p]-1)
		}
		next[p]++
	}
	wg.Wait()
	if n := s.Dropped(); n != 0 {
		t.Errorf("%d lines dropped", n)
	}
}

func TestSendAllocatesNothing(t *testing.T) {
	c := listenUDP(t)
	_, g := open(t, Options{Tag: "baton"}, spec.LogTarget{Kind: spec.LogUDP, Address: c.LocalAddr().String(), Level: 7})
	line := bytes.Repeat([]byte("a"), 150)
	for range 2 * maxPending / 150 { // both buffers reach their size
		g.Send(6, noon, line)
	}
	if n := testing.AllocsPerRun(1000, func() { g.Send(6, noon, line) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkSend(b *testing.B) {
	c := listenUDP(b)
	_, g := open(b, Options{Tag: "baton"}, spec.LogTarget{Kind: spec.LogUDP, Address: c.LocalAddr().String(), Level: 7})
	line := bytes.Repeat([]byte("a"), 150)
	for b.Loop() {
		g.Send(6, noon, line)
	}
}
