package haproxycli

import (
	"net"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"baton/internal/sys"
)

func TestKeysOfSockets(t *testing.T) {
	dir := t.TempDir()
	padded := "\x00takeover-padded"
	padded += strings.Repeat("\x00", sys.UnixName-len(padded))
	for _, c := range []struct{ network, addr, want string }{
		{"tcp4", "127.0.0.1:0", "127.0.0.1:"},
		{"tcp6", "[::1]:0", "[::1]:"},
		{"unix", filepath.Join(dir, "web.sock"), "unix@" + filepath.Join(dir, "web.sock")},
		{"unix", filepath.Join(dir, "web.sock.4711.tmp"), "unix@" + filepath.Join(dir, "web.sock")},
		{"unix", filepath.Join(dir, "web.tmp"), "unix@" + filepath.Join(dir, "web.tmp")},
		{"unix", "\x00takeover", "abnsz@takeover"},
		{"unix", padded, "abns@takeover-padded"},
	} {
		l, err := net.Listen(c.network, c.addr)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := l.(syscall.Conn).SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		got := make(Sockets)
		_ = raw.Control(func(fd uintptr) {
			dup, err := sys.FD(fd).Dup()
			if err != nil {
				t.Fatal(err)
			}
			got.add(dup)
		})
		for key := range got {
			if !strings.HasPrefix(key, c.want) {
				t.Errorf("%q: got %q, want %q", c.addr, key, c.want)
			}
		}
		if len(got) != 1 {
			t.Errorf("%q: %v", c.addr, got)
		}
		got.Close()
		l.Close()
	}
}
