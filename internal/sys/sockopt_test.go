package sys

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// What a listening socket and a connection were asked for is what the kernel has.
func TestSocketOptions(t *testing.T) {
	alive := Keepalive{On: true, Probes: 3, Idle: 7 * time.Second, Each: 2 * time.Second}
	ln, err := ListenTCP(netip.MustParseAddrPort("127.0.0.1:0"), ListenOptions{Backlog: 10, TCP: TCPOptions{
		Interface: "lo", MSS: 1200, FastOpen: true, Defer: true, UserTimeout: 5 * time.Second, Keepalive: alive,
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	type option struct {
		level, name, want int
	}
	expect := func(fd FD, options ...option) {
		t.Helper()
		for _, o := range options {
			if got, err := unix.GetsockoptInt(int(fd), o.level, o.name); err != nil || got != o.want {
				t.Errorf("option %d of level %d: %d %v, want %d", o.name, o.level, got, err, o.want)
			}
		}
	}
	expect(ln,
		option{unix.IPPROTO_TCP, unix.TCP_MAXSEG, 1200}, option{unix.IPPROTO_TCP, unix.TCP_FASTOPEN, 10}, option{unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, 5000},
		option{unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1}, option{unix.IPPROTO_TCP, unix.TCP_KEEPCNT, 3},
		option{unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, 7}, option{unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, 2})
	if n, err := unix.GetsockoptInt(int(ln), unix.IPPROTO_TCP, unix.TCP_DEFER_ACCEPT); err != nil || n == 0 {
		t.Errorf("defer-accept: %d %v", n, err)
	}
	if name, err := unix.GetsockoptString(int(ln), unix.SOL_SOCKET, unix.SO_BINDTODEVICE); err != nil || name != "lo" {
		t.Errorf("interface %q: %v", name, err)
	}

	to, from := SockaddrOf(ln.LocalAddr()), SockaddrOf(netip.MustParseAddrPort("127.0.0.9:0"))
	fd, errno := Connect(&to, &ConnectOptions{Source: &from, Interface: "lo", UserTimeout: 3 * time.Second, Keepalive: alive})
	if errno != 0 && errno != EINPROGRESS {
		t.Fatal(errno)
	}
	defer fd.Close()
	expect(fd, option{unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, 3000}, option{unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1}, option{unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, 7})
	if got := fd.LocalAddr().Addr(); got != netip.MustParseAddr("127.0.0.9") {
		t.Errorf("connects from %s", got)
	}

	if _, err := ListenTCP(netip.MustParseAddrPort("127.0.0.1:0"), ListenOptions{TCP: TCPOptions{Interface: "none-such"}}); err == nil {
		t.Error("a missing interface is no error")
	}
	none := SockaddrOf(netip.MustParseAddrPort("192.0.2.1:0"))
	if fd, errno := Connect(&to, &ConnectOptions{Source: &none}); errno != EADDRNOTAVAIL {
		fd.Close()
		t.Errorf("a foreign source: %v", errno)
	}
}

// A name that fills the whole address, as abns@ makes it, is one of Linux too.
func TestUnixSockaddr(t *testing.T) {
	dir := t.TempDir()
	for name, listens := range map[string]func(string) (FD, error){
		dir + "/path": func(name string) (FD, error) { return ListenUnix(name, 0, -1, -1, 8) },
		"\x00" + dir:  func(name string) (FD, error) { return ListenAbstract(name[1:], false, 8) },
		"\x00" + dir + strings.Repeat("\x00", UnixName-1-len(dir)): func(string) (FD, error) { return ListenAbstract(dir, true, 8) },
	} {
		ln, err := listens(name)
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		to := UnixSockaddr(name)
		fd, errno := Connect(&to, nil)
		if errno != 0 {
			t.Errorf("connecting to %q: %v", name, errno)
			continue
		}
		defer fd.Close()
		from := Sockaddr{}
		if c, errno := ln.Accept(&from); errno != 0 || from.AddrPort().IsValid() {
			t.Errorf("%q: accepted %v from %v", name, errno, from.AddrPort())
		} else {
			c.Close()
		}
	}
	to := UnixSockaddr(dir + "/none")
	if _, errno := Connect(&to, nil); errno != unix.ENOENT {
		t.Errorf("a path where nobody listens: %v", errno)
	}
}

func TestSetTTL(t *testing.T) {
	for _, c := range []struct{ family, level, option int }{
		{unix.AF_INET, unix.IPPROTO_IP, unix.IP_TTL},
		{unix.AF_INET6, unix.IPPROTO_IPV6, unix.IPV6_UNICAST_HOPS},
	} {
		s, err := unix.Socket(c.family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Skipf("no socket of family %d: %v", c.family, err)
		}
		defer unix.Close(s)
		FD(s).SetTTL(3)
		if got, err := unix.GetsockoptInt(s, c.level, c.option); got != 3 || err != nil {
			t.Errorf("family %d: TTL %d, %v", c.family, got, err)
		}
	}
}
