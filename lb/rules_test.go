package lb_test

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"baton/internal/dnsd"
	"baton/internal/sys"
)

const doResolve = `resolvers dns
  nameserver ns %s
  resolve_retries 1
  timeout retry 200ms
  hold valid %s
frontend fe
  mode http
  timeout client 5s
  timeout server 5s
  timeout connect 5s
  bind {fe}
  http-request do-resolve(txn.ip,dns,ipv4) req.hdr(host),host_only
  http-request return status 200 content-type text/plain lf-string "%%[var(txn.ip)] %%[path]"
frontend fe2
  mode tcp
  bind {fe2}
  timeout client 5s
  tcp-request inspect-delay 5s
  tcp-request content do-resolve(sess.ip,dns,ipv4) req.payload(0,6) if { req.len gt 5 }
  tcp-request content set-dst var(sess.ip) if { var(sess.ip) -m found }
  tcp-request content reject if { req.len gt 5 } !{ var(sess.ip) -m found }
  tcp-request content accept if { var(sess.ip) -m found }
  default_backend b
backend b
  mode tcp
  timeout server 5s
  timeout connect 5s
  server any 0.0.0.0:%s
`

// A rule resolves a name while its session waits; the answer serves again while it is
// held, and what cannot be resolved sets nothing.
func TestDoResolve(t *testing.T) {
	ns := nameserver(t)
	ns.Set(zone("web.example", "192.0.2.7", "192.0.2.8"))
	r := start(t, fmt.Sprintf(doResolve, ns.Addr(), "1h", "1"))
	c := r.client("fe")
	ask := func(host string) string {
		c.send("GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n")
		_, body, _ := strings.Cut(c.message(), "\r\n\r\n")
		return strings.TrimSpace(body)
	}
	for i, want := range []string{"192.0.2.7 /", "192.0.2.7 /"} {
		if got := ask("WEB.example:80"); got != want {
			t.Errorf("try %d: %q, want %q", i, got, want)
		}
	}
	if n := ns.Queries(); n != 1 {
		t.Errorf("%d queries, want 1: the answer is held", n)
	}
	for _, host := range []string{"nobody.example", "a..b", strings.Repeat("x", 70) + ".example"} {
		if got := ask(host); got != "/" {
			t.Errorf("%s: %q, want no address", host, got)
		}
	}
}

// An answer that is not held is asked for each time.
func TestDoResolveUnheld(t *testing.T) {
	ns := nameserver(t)
	ns.Set(zone("web.example", "192.0.2.7"))
	r := start(t, fmt.Sprintf(doResolve, ns.Addr(), "0", "1"))
	for _, want := range []string{"192.0.2.7", "192.0.2.9"} {
		ns.Set(zone("web.example", want))
		c := r.client("fe")
		c.send("GET / HTTP/1.1\r\nHost: web.example\r\nConnection: close\r\n\r\n")
		if m := c.message(); !strings.Contains(m, want) {
			t.Errorf("%q, want %s", m, want)
		}
	}
}

// In mode tcp the name comes in the client's first bytes, and leads to the server.
func TestDoResolveTCP(t *testing.T) {
	port := greeters(t, "127.0.0.21", "127.0.0.22")
	ns := nameserver(t)
	ns.Set(dnsd.Zone{Addrs: map[string][]netip.Addr{"a.test": {netip.MustParseAddr("127.0.0.21")}, "b.test": {netip.MustParseAddr("127.0.0.22")}}})
	r := start(t, fmt.Sprintf(doResolve, ns.Addr(), "10s", port))
	for name, want := range map[string]string{"a.test": "127.0.0.21", "b.test": "127.0.0.22", "c.test": ""} {
		c := r.client("fe2")
		c.send(name)
		if got, _ := c.rest(); got != want {
			t.Errorf("%s led to %q, want %q", name, got, want)
		}
	}
}

// set-fc-tos and set-bc-tos are seen on the sockets themselves, set-fc-mark and set-bc-mark
// where the process may set them. A connection with marks serves nobody else.
func TestMarks(t *testing.T) {
	r := start(t, `defaults
 mode http
 timeout client 5s
 timeout server 5s
 timeout connect 5s
frontend fe
 bind {fe}
 tcp-request connection set-fc-tos 0x60
 http-request set-tos 0x20 if { path /marked }
 http-request set-fc-mark 7 if { path /marked }
 default_backend be
backend be
 http-reuse always
 http-request set-bc-tos int(79) if { path /marked }
 http-request set-bc-mark 9 if { path /marked }
 server s1 {s1}
`)
	c := r.client("fe")
	exchange := func(path string, o *wire) *wire {
		c.get(path)
		if o == nil {
			o = r.accept("s1")
		}
		o.head()
		o.send("HTTP/1.1 204 No Content\r\n\r\n")
		c.head()
		return o
	}
	first := exchange("plain", nil)
	ours := func(theirs *wire) int { return otherEnd(t, theirs) }
	tos := func(fd int) int { return option(t, fd, syscall.IPPROTO_IP, syscall.IP_TOS) }
	if got := tos(ours(c)); got != 0x60 {
		t.Errorf("towards the client at first: %#x", got)
	}
	c.get("marked")
	marked := r.accept("s1")
	marked.head()
	if got := tos(ours(c)); got != 0x20 {
		t.Errorf("towards the client: %#x", got)
	}
	if got := tos(ours(marked)); got != 0x4C {
		t.Errorf("towards the server: %#x, want 0x4c without the bits of ECN", got)
	}
	if sys.CanMark() == nil {
		for want, fd := range map[int]int{7: ours(c), 9: ours(marked)} {
			if got := option(t, fd, syscall.SOL_SOCKET, syscall.SO_MARK); got != want {
				t.Errorf("mark %d, want %d", got, want)
			}
		}
	}
	marked.send("HTTP/1.1 204 No Content\r\n\r\n")
	c.head()
	marked.isReset()
	exchange("plain", first)
}

// otherEnd finds the balancer's socket of a connection: it is in this process.
func otherEnd(t *testing.T, theirs *wire) int {
	t.Helper()
	fds, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range fds {
		var fd int
		fmt.Sscan(filepath.Base(path), &fd)
		peer, err := syscall.Getpeername(fd)
		if err != nil || addrOf(peer) != theirs.LocalAddr().String() {
			continue
		}
		if local, err := syscall.Getsockname(fd); err == nil && addrOf(local) == theirs.RemoteAddr().String() {
			return fd
		}
	}
	t.Fatalf("no socket is connected to %s", theirs.LocalAddr())
	panic("unreachable")
}

func addrOf(sa syscall.Sockaddr) string {
	if in, ok := sa.(*syscall.SockaddrInet4); ok {
		return netip.AddrPortFrom(netip.AddrFrom4(in.Addr), uint16(in.Port)).String()
	}
	return ""
}

func option(t *testing.T, fd, level, name int) int {
	t.Helper()
	v, err := syscall.GetsockoptInt(fd, level, name)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// A change is seen by all event loops, while many change the same map.
func TestChangedMapsOnAllLoops(t *testing.T) {
	file := filepath.Join(t.TempDir(), "m")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	r := start(t, `global
 nbthread 3
defaults
 mode http
 timeout client 5s
frontend fe
 bind {fe}
 http-request set-map(`+file+`) %[path] %[req.hdr(x-v)] if { req.hdr(x-v) -m found }
 http-request return status 200 content-type text/plain lf-string "%[path,map(`+file+`,none)]"
`)
	const writers, keys = 4, 80 // more than join the bulk at once
	var wg sync.WaitGroup
	clients := make([]*wire, writers)
	for i := range clients {
		clients[i] = r.client("fe")
	}
	for i, c := range clients {
		wg.Go(func() {
			for k := range keys {
				c.send(fmt.Sprintf("GET /%d/%d HTTP/1.1\r\nHost: a\r\nX-V: v%d\r\n\r\n", i, k, k))
				if m := c.message(); !strings.HasSuffix(strings.TrimSpace(m), fmt.Sprintf("v%d", k)) {
					t.Errorf("key %d/%d: %q", i, k, m)
					return
				}
			}
		})
	}
	wg.Wait()
	for i, c := range clients {
		c.send(fmt.Sprintf("GET /%d/3 HTTP/1.1\r\nHost: a\r\n\r\n", (i+1)%writers))
		if m := c.message(); !strings.HasSuffix(strings.TrimSpace(m), "v3") {
			t.Errorf("what another client set: %q", m)
		}
	}
}
