package compat

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"baton/conf"
	"baton/conf/haproxy"
	"baton/lb"
)

// patience bounds every wait; only a failing test spends it.
const patience = 20 * time.Second

// origins are servers that answer every request with their names, kept alive. They read
// as little of HTTP as GET needs: most of these tests' time would be theirs.
func origins(t *testing.T, n int) []string {
	var addrs []string
	for i := range n {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		answer := fmt.Sprintf("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\ns%d", i)
		go func() {
			for {
				c, err := ln.Accept()
				if err != nil {
					return
				}
				go answerAll(c, answer)
			}
		}()
		t.Cleanup(func() { ln.Close() })
		addrs = append(addrs, ln.Addr().String())
	}
	return addrs
}

// answerAll answers each request on a connection, until its peer closes it.
func answerAll(c net.Conn, answer string) {
	defer c.Close()
	in, out := bufio.NewReader(c), bufio.NewWriter(c)
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return
		}
		if len(line) > len("\r\n") {
			continue
		}
		_, _ = out.WriteString(answer) // an error stays and shows in Flush
		if in.Buffered() == 0 && out.Flush() != nil {
			return
		}
	}
}

// free returns an address where nobody listens.
func free(t *testing.T) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

// runHAProxy starts the haproxy of this host; it listens when this returns.
func runHAProxy(t *testing.T, text, addr string) {
	path, err := exec.LookPath("haproxy")
	if err != nil {
		t.Skip("haproxy is not installed")
	}
	file := filepath.Join(t.TempDir(), "haproxy.cfg")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, "-q", "-db", "-f", file)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); ; <-tick.C {
		if c, err := net.Dial("tcp", addr); err == nil {
			c.Close()
			return
		}
		if time.Now().After(end) {
			t.Fatal("haproxy does not listen")
		}
	}
}

// runBaton starts a balancer in this process.
func runBaton(t *testing.T, text string) {
	tree, errs := conf.Parse(conf.Source{FS: fstest.MapFS{"t.cfg": {Data: []byte(text)}}, Dir: "/"}, []string{"t.cfg"})
	cfg, more := haproxy.Lower(tree)
	errs = append(errs, more...)
	if errs.Errors() == 0 {
		errs = append(errs, lb.Resolve(t.Context(), cfg)...)
	}
	if errs.Errors() > 0 {
		t.Fatal(errs)
	}
	b, err := lb.New(cfg, lb.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Listen(); err != nil {
		b.Close()
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = b.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	<-b.Ready()
}

// served sends requests over one connection, some at a time, and returns who answered.
func served(t *testing.T, addr string, requests []string) []string {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(3 * patience))
	in := bufio.NewReader(c)
	var got []string
	for some := range slices.Chunk(requests, 50) {
		if _, err := io.WriteString(c, strings.Join(some, "")); err != nil {
			t.Fatal(err)
		}
		for range some {
			got = append(got, readAnswer(t, in))
		}
	}
	return got
}

// readAnswer reads a response that tells its length, and returns status and body.
func readAnswer(t *testing.T, in *bufio.Reader) string {
	t.Helper()
	status, length := "", 0
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			t.Fatal(err)
		}
		line = bytes.TrimSuffix(line, []byte("\r\n"))
		switch name, value, ok := bytes.Cut(line, []byte(": ")); {
		case status == "":
			status = string(line[len("HTTP/1.1 "):][:3])
		case ok && string(name) == "content-length":
			if length, err = strconv.Atoi(string(value)); err != nil {
				t.Fatal(err)
			}
		case len(line) == 0:
			body := make([]byte, length)
			if _, err := io.ReadFull(in, body); err != nil {
				t.Fatal(err)
			}
			return status + " " + string(body)
		}
	}
}

// balances are what is compared, each with every list of servers.
var balances = []string{
	"balance hdr(k)",
	"balance hash req.hdr(k),lower",
	"balance hash req.hdr(k)\n hash-type consistent wt6",
	"balance hdr(k)\n hash-type map-based wt6 avalanche",
	"balance hdr(k)\n hash-type consistent",
	"balance hdr(k) use_domain_only\n hash-type consistent djb2",
	"balance uri whole\n hash-type map-based crc32",
	"balance uri depth 1 len 9\n hash-type consistent wt6",
	"balance url_param id\n hash-type map-based djb2 avalanche",
	"balance url_param id\n hash-type consistent crc32 avalanche",
	"balance roundrobin",
	"balance static-rr",
	"balance leastconn",
}

// serverLists are the options of each server: weights, identifiers, servers that are
// not there and backups.
var serverLists = [][]string{
	{"", "", ""},
	{"weight 3", "weight 1", "disabled", "weight 7"},
	{"id 9", "id 4 weight 20", "", "id 300 weight 5", "weight 2"},
	{"disabled", "backup", "disabled", "backup"},
	{"weight 256", "weight 0", "weight 13", "weight 101", "backup", "weight 64"},
}

// Both choose the same server for 10,000 keys of every algorithm, 2,000 with each
// list of servers.
func TestSameServers(t *testing.T) {
	const keys = 2000
	addrs := origins(t, 6)
	var frontend, backends strings.Builder
	var names []string
	for i, b := range balances {
		for j, list := range serverLists {
			name := fmt.Sprintf("b%d-%d", i, j)
			names = append(names, name)
			fmt.Fprintf(&frontend, " use_backend %s if { hdr(x-be) %s }\n", name, name)
			fmt.Fprintf(&backends, "backend %s\n %s\n", name, b)
			for n, options := range list {
				fmt.Fprintf(&backends, " server s%d %s %s\n", n, addrs[n], options)
			}
		}
	}
	config := func(addr string) string {
		return "global\n nbthread 1\ndefaults\n mode http\n http-reuse always\n timeout client 30s\n timeout server 30s\n timeout connect 5s\nfrontend fe\n bind " +
			addr + "\n" + frontend.String() + backends.String()
	}
	theirs, ours := free(t), free(t)
	runHAProxy(t, config(theirs), theirs)
	runBaton(t, config(ours))
	for n, name := range names {
		var requests []string
		for i := range keys {
			key := fmt.Sprintf("%x.k%d.example%d", i*7919, i, i%97)
			requests = append(requests, fmt.Sprintf("GET /%s/x?id=%s HTTP/1.1\r\nhost: a\r\nx-be: %s\r\nk: %s\r\n\r\n", key, key, name, key))
		}
		want, got := served(t, theirs, requests), served(t, ours, requests)
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("%s, servers %q: request %d is served by %q, HAProxy's by %q", balances[n/len(serverLists)], serverLists[n%len(serverLists)], i, got[i], want[i])
				break
			}
		}
	}
}
