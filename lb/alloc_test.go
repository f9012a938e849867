//go:build !race

package lb_test

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A keep-alive request through the whole balancer allocates nothing: not parsing, not
// rules, not X-Forwarded-For, not the log line. Client and server are raw sockets that
// allocate nothing either, so the process's count of allocations tells.
func TestRequestsAllocateNothing(t *testing.T) {
	t.Run("plain", func(t *testing.T) { countAllocations(t, "", "", "") })
	t.Run("log steps", func(t *testing.T) {
		countAllocations(t, `log-profile p
 on any format "%OG %[fe_name] %[txn.timer.total] %[fc_rtt(us)] %[src,ipmask(24)]"
 on request format "%OG %[req.hdr(host)] %{+json}o %(rate)[fe_sess_rate(fe)]"
 on close sd "[x@1 y=\"%[txn.sess_term_state]\"]"
`, " profile p", ` log-steps all
 http-request do-log
 http-response do-log profile p
`)
	})
}

// countAllocations plays requests; sections go before the others, target into the log
// line, lines into the frontend.
func countAllocations(t *testing.T, sections, target, lines string) {
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	text := strings.NewReplacer("log {log}", fmt.Sprintf("log fd@%d format raw%s local0", null.Fd(), target),
		"{s1}", "{s1} on-marked-down shutdown-sessions").Replace(plainHTTP)
	r := start(t, "global\n nbthread 1\n expose-experimental-directives\n"+sections+strings.Replace(text, " default_backend be\n", ` default_backend be
 option forwardfor
 acl api path_beg /api
 http-request set-header X-Api yes if api
 http-request deny if { hdr(x-bad) 1 } or { src 10.0.0.0/8 }
 http-request set-header X-Client "%[src]:%[src_port] via %f"
 http-request set-var(txn.agent) req.hdr(user-agent),lower
 http-request set-path /v1%[path]
 http-request normalize-uri path-strip-dotdot full
 http-request set-map({pages}/names.map) /old "%[str(old value)]"
 http-request add-acl({pages}/names.acl) 192.0.2.1
 http-request del-map({pages}/names.map) %[path]
 http-request deny if { src -f {pages}/names.acl }
 http-request set-header X-Map %[path,map({pages}/names.map,none)]
 http-request set-timeout client int(5000)
 http-request set-priority-class int(5)
 http-request set-tos 0x20
 http-response set-header X-Served-By baton
 http-response set-header X-Agent %[var(txn.agent)]
 http-after-response set-header X-Status %[status]
`+lines, 1)+" use-server %[str(s1)] if { path -m beg /v1 }\n")
	r.countAllocations(t, "GET /other HTTP/1.1\r\nHost: a.example\r\nUser-Agent: test\r\nAccept: */*\r\nCookie: a=b\r\n\r\n")
}

// With the file of the benchmark: 20 conditions, 10 header rules, persistence by cookie
// and a map of 10,000 hosts.
func TestRealisticRequestsAllocateNothing(t *testing.T) {
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	text, err := os.ReadFile("../bench/testdata/realistic.cfg")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	var hosts strings.Builder
	for i := range 10_000 {
		fmt.Fprintf(&hosts, "www%d.example site%d\n", i, i%2)
	}
	if err := os.WriteFile(filepath.Join(dir, "hosts.map"), []byte(hosts.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	config := strings.NewReplacer(
		"${BENCH_DIR}/log.sock", fmt.Sprint("fd@", null.Fd()), "${BENCH_DIR}", dir, "127.0.0.1:${BENCH_HTTP}", "{fe}", "127.0.0.1:${BENCH_ORIGIN}", "{s1}",
	).Replace(string(text))
	const head = "GET /a/page?q=1 HTTP/1.1\r\nHost: WWW4711.example\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\nAccept: text/html\r\nCookie: SESSION=c0ffee; "
	t.Run("known client", func(t *testing.T) {
		start(t, config).countAllocations(t, head+"SRV=b; theme=dark\r\n\r\n")
	})
	t.Run("new client", func(t *testing.T) { // of one server, or its requests would take turns
		alone := strings.ReplaceAll(config, `    server b "{s1}" cookie b`, "")
		start(t, alone).countAllocations(t, head+"theme=dark\r\n\r\n")
	})
}

// countAllocations plays a request of the same client again and again.
func (r *rig) countAllocations(t *testing.T, head string) {
	t.Helper()
	request := []byte(head)
	c := r.client("fe")
	c.send(head)
	o := r.accept("s1")
	o.head()
	o.send(answer)
	c.message()

	client, server := blocking(t, c), blocking(t, o)
	response := []byte("HTTP/1.1 200 OK\r\nServer: x\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello")
	buf := make([]byte, 4096)
	end := []byte("hello")
	round := func() {
		if _, err := syscall.Write(client, request); err != nil {
			t.Fatal(err)
		}
		readTo(t, server, buf, request[len(request)-4:])
		if _, err := syscall.Write(server, response); err != nil {
			t.Fatal(err)
		}
		readTo(t, client, buf, end)
	}
	for range 500 {
		round()
	}
	const n = 10_000
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	began := time.Now()
	for range n {
		round()
	}
	runtime.ReadMemStats(&after)
	// The log's writer allocates a timer for each batch, every five milliseconds, and
	// the runtime something now and then.
	rest := int64(after.Mallocs-before.Mallocs) - 4*int64(time.Since(began)/(5*time.Millisecond))
	if per := float64(rest) / n; per > 0.02 {
		t.Errorf("%.3f allocations per request", per)
	}
}

// blocking takes a connection's descriptor out of Go's poller.
func blocking(t *testing.T, w *wire) int {
	t.Helper()
	f, err := w.stream.(*net.TCPConn).File() // a copy, in blocking mode
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return int(f.Fd())
}

// readTo reads until what has come ends with end.
func readTo(t *testing.T, fd int, buf, end []byte) {
	got := 0
	for got < len(end) || string(buf[got-len(end):got]) != string(end) {
		n, err := syscall.Read(fd, buf[got:])
		if err != nil || n == 0 {
			t.Fatalf("read: %d, %v after %q", n, err, buf[:got])
		}
		got += n
	}
}
