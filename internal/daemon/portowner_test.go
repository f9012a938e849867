package daemon

import (
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"baton/internal/diag"
	"baton/internal/sys"
	"baton/lb/spec"
)

func TestParseListeners(t *testing.T) {
	const tcp = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4242 1 0000000000000000 100 0 0 10 0
   1: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4243 1 0000000000000000 100 0 0 10 0
   2: 0100007F:1F90 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 4244 1 0000000000000000 20 4 30 10 -1
`
	const tcp6 = `   0: B80D01200000000000000000010000FE:01BB 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4245 1
   1: 0000000000000000FFFF00000100007F:0051 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4246 1
   2: garbage
   3: XY:0050 00000000:0000 0A 0 0 0 0 0 1 1
`
	var got []string
	for _, l := range append(parseListeners(tcp), parseListeners(tcp6)...) {
		got = append(got, l.addr.String()+"="+l.inode)
	}
	want := "127.0.0.1:8080=4242 0.0.0.0:80=4243 [2001:db8::fe00:1]:443=4245 127.0.0.1:81=4246"
	if strings.Join(got, " ") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, " "), want)
	}
}

// Both ways to list who listens find the same, of both families.
func TestListenersOfBothSources(t *testing.T) {
	for _, addr := range []string{"127.0.0.1:0", "[::1]:0", "[::]:0"} {
		l, err := net.Listen("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		at := netip.MustParseAddrPort(l.Addr().String())
		find := func(list []listener) int {
			return slices.IndexFunc(list, func(l listener) bool { return l.addr == at })
		}
		sockets, err := sys.ListeningSockets()
		if err != nil {
			t.Fatal(err)
		}
		proc := procListeners()
		i, j := slices.IndexFunc(sockets, func(s sys.Listening) bool { return s.Addr == at }), find(proc)
		if i < 0 || j < 0 || strconv.FormatUint(uint64(sockets[i].Inode), 10) != proc[j].inode {
			t.Errorf("%s: place %d in %v, %d in %v", at, i, sockets, j, proc)
		}
	}
}

func TestOverlap(t *testing.T) {
	for _, c := range []struct {
		bind string
		v4v6 bool
		used string
		want bool
	}{
		{"10.0.0.1:80", false, "10.0.0.1:80", true},
		{"10.0.0.1:80", false, "10.0.0.1:81", false},
		{"10.0.0.1:80", false, "10.0.0.2:80", false},
		{"0.0.0.0:80", false, "10.0.0.2:80", true},
		{"10.0.0.1:80", false, "0.0.0.0:80", true},
		{"[::]:80", false, "10.0.0.2:80", false},
		{"[::]:80", true, "10.0.0.2:80", true},
		{"[::1]:80", false, "[::]:80", true},
		{"10.0.0.1:80", false, "[::]:80", false},
	} {
		b := spec.Bind{Addr: netip.MustParseAddrPort(c.bind), V4V6: c.v4v6}
		if got := overlap(b, netip.MustParseAddrPort(c.used)); got != c.want {
			t.Errorf("bind %s (v4v6 %v) against %s: %v", c.bind, c.v4v6, c.used, got)
		}
	}
}

func TestPortInUseNamesItsOwner(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	b := spec.Bind{Addr: netip.MustParseAddrPort(l.Addr().String()), Text: l.Addr().String(), Pos: diag.Pos{File: "a.cfg", Line: 3, Col: 9}}
	err = bindable(b, 1, listeners())
	if err == nil || !strings.HasPrefix(err.Error(), "a.cfg:3: bind 127.0.0.1:") || !strings.Contains(err.Error(), "pid "+strconv.Itoa(os.Getpid())) {
		t.Errorf("error %v does not name the line and this process", err)
	}
	l.Close()
	if err := bindable(b, 1, listeners()); err != nil {
		t.Errorf("free port: %v", err)
	}
}
