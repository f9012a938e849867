package lb_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"baton/internal/sys"
	"baton/lb"
	"baton/lb/spec"
)

// ask sends one request through any kind of stream socket.
func ask(t *testing.T, network, addr string) string {
	t.Helper()
	client := http.Client{Timeout: patience, Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, network, addr)
		},
	}}
	res, err := client.Get("http://x/alive")
	if err != nil {
		t.Fatalf("%s %s: %v", network, addr, err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.Status + " " + strings.Join(strings.Fields(string(body)), " ")
}

const ready = "200 OK <html><body><h1>200 OK</h1> Service ready. </body></html>"

// Every kind of listener serves: a file with its mode, both kinds of abstract names,
// and a socket that was open before.
func TestLocalListeners(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	inherited, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f, err := inherited.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	inherited.Close()
	defer f.Close()
	name := fmt.Sprintf("lb-test-%d", os.Getpid())
	path := filepath.Join(dir, "web.sock")
	r := start(t, fmt.Sprintf(`
global
    nbthread 2
frontend f
    mode http
    timeout client 5s
    option forwardfor
    monitor-uri /alive
    bind unix@%s mode 642
    bind abns@%s-padded
    bind abnsz@%s
    bind fd@%d
`, path, name, name, f.Fd()))
	for _, at := range [][2]string{
		{"unix", path},
		{"unix", "@" + name},
		{"unix", "@" + name + "-padded" + strings.Repeat("\x00", 107-len(name+"-padded"))},
		{"tcp", inherited.Addr().String()},
	} {
		for range 4 { // more than there are loops
			if got := ask(t, at[0], at[1]); got != ready {
				t.Errorf("%q answers %s", at, got)
			}
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o642 {
		t.Errorf("mode of the socket: %v, %v", info.Mode(), err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*.tmp")); left != nil {
		t.Errorf("left behind: %v", left)
	}
	_ = r
}

// A second balancer takes the sockets over and more loops than it has: connections
// that wait in the backlog of the first one are served, and the first one's loops
// forget the sockets though they live on.
func TestSocketsAreHandedOver(t *testing.T) {
	t.Parallel()
	const text = `
global
    nbthread %d
frontend f
    mode http
    timeout client 5s
    monitor-uri /alive
    bind {fe}
    bind unix@%s
`
	path := filepath.Join(t.TempDir(), "s")
	first := start(t, fmt.Sprintf(text, 3, path))
	fe := first.names["fe"]
	second := &rig{t: t, names: first.names, usable: make(chan string, 10), sockets: make(map[string][]sys.FD)}
	count := 0
	err := first.lb.HandOver(func(s lb.Socket) error {
		fd, err := s.FD.Dup()
		second.sockets[s.Key] = append(second.sockets[s.Key], fd)
		count++
		return err
	})
	if err != nil || count != 6 {
		t.Fatalf("%d sockets: %v", count, err)
	}
	if err := second.run(first.fill(fmt.Sprintf(text, 2, path))); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(second.halt)
	first.lb.Succeed()
	for range 50 {
		if got := ask(t, "tcp", fe); got != ready {
			t.Fatal(got)
		}
	}
	if got := ask(t, "unix", path); got != ready {
		t.Fatal(got)
	}
	if err := first.lb.HandOver(func(lb.Socket) error { return io.ErrUnexpectedEOF }); err != nil {
		t.Error("a balancer that stopped still hands sockets over")
	}
}

func TestCheckBinds(t *testing.T) {
	t.Parallel()
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	f, err := udp.(*net.UDPConn).File()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	for _, c := range []struct {
		bind spec.Bind
		want string
	}{
		{spec.Bind{Kind: spec.BindFD, FD: 99999}, "is not open"},
		{spec.Bind{Kind: spec.BindFD, FD: int(null.Fd())}, "is no socket"},
		{spec.Bind{Kind: spec.BindFD, FD: int(f.Fd())}, "is no stream socket"},
		{spec.Bind{Kind: spec.BindUnix, File: spec.SocketFile{User: "nobody-of-this-name"}}, "unknown user"},
		{spec.Bind{Kind: spec.BindUnix, File: spec.SocketFile{Group: "nobody-of-this-name"}}, "unknown group"},
		{spec.Bind{Kind: spec.BindUnix, File: spec.SocketFile{User: "root", Group: "0"}}, ""},
	} {
		found := lb.CheckBinds(&spec.Config{Frontends: []*spec.Frontend{{Binds: []spec.Bind{c.bind}}}})
		switch {
		case c.want == "" && len(found) > 0, c.want != "" && (len(found) != 1 || !strings.Contains(found[0].Msg, c.want)):
			t.Errorf("%+v: %v, want %q", c.bind, found, c.want)
		}
	}
}

// T9: the virtual address is on the other node, and the listener is ready for it.
func TestListenOnAForeignAddress(t *testing.T) {
	t.Parallel()
	start(t, "defaults\n mode tcp\n timeout client 1s\n timeout server 1s\n timeout connect 1s\nlisten l\n bind 192.0.2.77:8080\n server s1 {s1}\n")
}
