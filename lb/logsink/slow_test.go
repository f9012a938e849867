package logsink

import (
	"bytes"
	"context"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"baton/lb/spec"
)

// TestSlowTargets: a target that takes nothing costs lines, which are counted, and
// never time: Send goes on whatever it is. Closing does not wait for it either.
func TestSlowTargets(t *testing.T) {
	stream := func(t *testing.T, ln net.Listener) {
		t.Cleanup(func() { ln.Close() }) // nobody accepts: the kernel's buffers fill
	}
	line := bytes.Repeat([]byte("a"), 1000)
	for _, c := range []struct {
		name   string
		target func(t *testing.T) spec.LogTarget
		kernel bool // the kernel throws away what nobody reads: it never gets full
	}{
		{"pipe", func(t *testing.T) spec.LogTarget {
			_, w := pipe(t)
			return fdTarget(w)
		}, false},
		{"unix datagrams", func(t *testing.T) spec.LogTarget {
			path := filepath.Join(t.TempDir(), "s")
			listenUnix(t, path)
			return spec.LogTarget{Kind: spec.LogUnix, Address: path, Level: 7}
		}, false},
		{"udp", func(t *testing.T) spec.LogTarget {
			return spec.LogTarget{Address: listenUDP(t).LocalAddr().String(), Level: 7}
		}, true},
		{"tcp", func(t *testing.T) spec.LogTarget {
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			stream(t, ln)
			return spec.LogTarget{Kind: spec.LogStream, Address: ln.Addr().String(), Level: 7}
		}, false},
		{"ring", func(t *testing.T) spec.LogTarget {
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			stream(t, ln)
			return spec.LogTarget{
				Kind: spec.LogStream, Address: ln.Addr().String(), Level: 7, Len: 2000,
				Ring: &spec.Ring{Name: "r", Server: "s", Size: 10000, Connect: time.Second, Send: time.Second},
			}
		}, false},
		{"unix stream", func(t *testing.T) spec.LogTarget {
			path := filepath.Join(t.TempDir(), "s")
			ln, err := net.Listen("unix", path)
			if err != nil {
				t.Fatal(err)
			}
			stream(t, ln)
			return spec.LogTarget{Kind: spec.LogUnixStream, Address: path, Level: 7}
		}, false},
		{"nobody there", func(t *testing.T) spec.LogTarget {
			return spec.LogTarget{Kind: spec.LogUnix, Address: filepath.Join(t.TempDir(), "none"), Level: 7}
		}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := New(Options{})
			g, err := s.Group([]spec.LogTarget{c.target(t)})
			if err != nil {
				t.Fatal(err)
			}
			sent := 0
			for ; sent < 60000 && s.Dropped() == 0; sent++ {
				g.Send(6, noon, line)
			}
			if s.Dropped() == 0 && !c.kernel {
				t.Errorf("%d lines sent and none dropped", sent)
			}
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			_ = s.Close(ctx) // says that lines were given up
		})
	}
}

// TestStream: lines come over a stream whole and in order.
func TestStream(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	_, g := open(t, Options{Tag: "tag", PID: 7}, spec.LogTarget{Kind: spec.LogStream, Address: ln.Addr().String(), Level: 7, Facility: 16, Tag: "own"})
	g.Send(6, noon, []byte("one"))
	g.Send(3, noon, []byte("two"))
	c, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	const want = "<134>Feb  6 12:00:00 own[7]: one\n<131>Feb  6 12:00:00 own[7]: two\n"
	got := make([]byte, len(want))
	if _, err := io.ReadFull(c, got); err != nil || string(got) != want {
		t.Fatalf("%q, %v", got, err)
	}
}

// TestRing: lines begin with their lengths, rings of one server have connections of
// their own, and a line that does not fit into its ring is dropped.
func TestRing(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	to := spec.LogTarget{Kind: spec.LogStream, Address: ln.Addr().String(), Level: 7, Facility: 16, Format: "priority", Len: 290}
	legacy := to
	to.Ring = &spec.Ring{Name: "a", Server: "s", Size: 250, MaxLen: 200, Send: time.Minute, OctetCount: true}
	legacy.Len, legacy.Ring = 100, &spec.Ring{Name: "b", Server: "s", Size: 1000, MaxLen: 200}
	s, g := open(t, Options{}, to)
	other, err := s.Group([]spec.LogTarget{legacy})
	if err != nil {
		t.Fatal(err)
	}
	read := func(want string) {
		t.Helper()
		c, err := ln.Accept()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		got := make([]byte, len(want))
		if _, err := io.ReadFull(c, got); err != nil || string(got) != want {
			t.Errorf("%q, %v, want %q", got, err, want)
		}
	}
	g.Send(6, noon, bytes.Repeat([]byte("x"), 1001)) // its text alone does not fit
	g.Send(6, noon, []byte("one"))
	g.Send(3, noon, bytes.Repeat([]byte("y"), 220))
	read("8 <134>one200 <131>" + strings.Repeat("y", 195))
	other.Send(6, noon, bytes.Repeat([]byte("z"), 400))
	read("<134>" + strings.Repeat("z", 100) + "\n")
	want := []Target{{Name: "ring@a/s", Dropped: 1}, {Name: "ring@b/s"}}
	if d := cmp.Diff(want, s.Targets()); d != "" {
		t.Error(d)
	}
}

// TestSample: of each five lines the first, the third and the fourth.
func TestSample(t *testing.T) {
	c := listenUDP(t)
	_, g := open(t, Options{}, spec.LogTarget{
		Address: c.LocalAddr().String(), Level: 7, Format: "raw", Sample: &spec.LogSample{Size: 5, Ranges: [][2]int{{1, 1}, {3, 4}}},
	})
	for i := range 10 {
		g.Send(6, noon, []byte{'0' + byte(i)})
	}
	want := []string{"0\n", "2\n", "3\n", "5\n", "7\n", "8\n"}
	if d := cmp.Diff(want, receive(t, c, len(want))); d != "" {
		t.Error(d)
	}
}

// TestStructuredData stands in heads of RFC 5424 alone.
func TestStructuredData(t *testing.T) {
	c := listenUDP(t)
	to := spec.LogTarget{Address: c.LocalAddr().String(), Level: 7, Facility: 16, Format: "rfc5424"}
	raw := to
	raw.Format = "raw"
	_, g := open(t, Options{Tag: "tag", PID: 7}, to, raw)
	g.SendData(6, noon, []byte("line"), []byte(`[x@1 a="b"]`))
	g.SendData(6, noon, []byte("line"), nil)
	want := []string{
		"<134>1 2026-02-06T12:00:00.000000+00:00 - tag 7 - [x@1 a=\"b\"] line\n", "line\n",
		"<134>1 2026-02-06T12:00:00.000000+00:00 - tag 7 - - line\n", "line\n",
	}
	if d := cmp.Diff(want, receive(t, c, len(want))); d != "" {
		t.Error(d)
	}
}
