package compat

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"
)

// gate is where servers' checks go: it is open or shut, so its server is up or down.
type gate struct {
	t    *testing.T
	addr string
	ln   net.Listener // nil: shut
}

func newGate(t *testing.T) *gate {
	g := &gate{t: t, addr: free(t)}
	g.set(true)
	t.Cleanup(func() { g.set(false) })
	return g
}

// set opens or shuts the gate; it reports whether that changed it.
func (g *gate) set(open bool) bool {
	switch {
	case open == (g.ln != nil):
		return false
	case !open:
		g.ln.Close()
		g.ln = nil
		return true
	}
	ln, err := net.Listen("tcp", g.addr)
	if err != nil {
		g.t.Fatal(err)
	}
	g.ln = ln
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			c.Close()
		}
	}()
	return true
}

func (g *gate) port() string {
	_, port, _ := net.SplitHostPort(g.addr)
	return port
}

// changingBalances are what is compared while servers come and go: every hash function
// in every way it can be used, and the algorithms.
func changingBalances() []string {
	all := []string{
		"balance uri whole\n hash-type consistent crc32",
		"balance url_param id\n hash-type map-based wt6 avalanche",
		"balance hash req.hdr(k),lower\n hash-type consistent djb2 avalanche",
		"balance source\n hash-type consistent",
		"balance source\n hash-type map-based sdbm avalanche",
		"balance hdr(k)\n hash-type consistent\n hash-balance-factor 150",
		"balance roundrobin",
		"balance static-rr",
		"balance leastconn",
		"balance first",
	}
	for _, kind := range []string{"map-based", "consistent"} {
		for _, function := range []string{"sdbm", "djb2", "wt6", "crc32"} {
			for _, avalanche := range []string{"", " avalanche"} {
				all = append(all, "balance hdr(k)\n hash-type "+kind+" "+function+avalanche)
			}
		}
	}
	return all
}

// Both choose the same servers for 10,000 keys of every algorithm and every hash function,
// 2,000 after each change of the servers that are up. What weights do that change is
// compared by lists of servers, in TestSameServers: baton changes none by itself.
func TestSameServersAsTheyComeAndGo(t *testing.T) {
	const keys = 2000
	options := []string{"weight 3", "", "id 40 weight 20", "weight 7", "backup", "backup weight 2"}
	// Which servers are down, one state after the other.
	states := [][]int{{}, {1}, {1, 3}, {0, 1, 2, 3}, {3}}
	addrs := origins(t, len(options))
	var gates []*gate
	var base, backends strings.Builder
	base.WriteString("backend base\n")
	for i, o := range options {
		gates = append(gates, newGate(t))
		fmt.Fprintf(&base, " server s%d %s check port %s inter 100ms fall 4 rise 1 %s\n", i, addrs[i], gates[i].port(), o)
	}
	balances := changingBalances()
	for i, b := range balances {
		fmt.Fprintf(&backends, "backend b%d\n %s\n", i, b)
		for n, o := range options {
			fmt.Fprintf(&backends, " server s%d %s track base/s%d %s\n", n, addrs[n], n, o)
		}
	}
	var ups string // who is up; what those who follow are up to HAProxy 2.6 does not tell
	for n := range options {
		ups += fmt.Sprintf("%%[srv_is_up(base/s%d)]", n)
	}
	config := func(addr string) string {
		return "global\n nbthread 1\ndefaults\n mode http\n http-reuse always\n timeout client 60s\n timeout server 60s\n timeout connect 5s\nfrontend fe\n bind " + addr +
			"\n http-request set-src hdr(x-ip)\n http-request return status 200 content-type text/plain lf-string \"" + ups + "\" if { path /up }\n" +
			" use_backend %[hdr(x-be)]\n" + base.String() + backends.String()
	}
	theirs, ours := free(t), free(t)
	runHAProxy(t, config(theirs), theirs)
	runBaton(t, config(ours))
	for state, down := range states {
		for i, g := range gates {
			// One after the other: turns depend on who came first.
			if g.set(!slices.Contains(down, i)) {
				awaitUp(t, theirs, gates)
				awaitUp(t, ours, gates)
			}
		}
		for n, b := range balances {
			if state == 4 && b == "balance roundrobin" {
				continue // its turns go on at another place after the time of the backups (docs/balancing.md)
			}
			var requests []string
			for i := range keys {
				i += state * keys
				key := fmt.Sprintf("%x.k%d.example%d", i*7919, i, i%97)
				requests = append(requests, fmt.Sprintf("GET /%s/x?id=%s HTTP/1.1\r\nhost: a\r\nx-be: b%d\r\nk: %s\r\nx-ip: 10.%d.%d.%d\r\n\r\n", key, key, n, key, i%251, i/251%256, i%13))
			}
			want, got := served(t, theirs, requests), served(t, ours, requests)
			for i := range want {
				if got[i] != want[i] {
					t.Errorf("%s, without the servers %v: request %d is served by %q, HAProxy's by %q", b, down, i, got[i], want[i])
					break
				}
			}
		}
	}
}

// awaitUp waits until the servers of all backends are as their gates. It asks a second
// time then: the event loop has taken the change in.
func awaitUp(t *testing.T, addr string, gates []*gate) {
	t.Helper()
	want := ""
	for _, g := range gates {
		if g.ln != nil {
			want += "1"
		} else {
			want += "0"
		}
	}
	want = "200 " + want
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	ask := []string{"GET /up HTTP/1.1\r\nhost: a\r\nx-ip: 10.0.0.1\r\n\r\n"}
	for end := time.Now().Add(patience); ; <-tick.C {
		got := served(t, addr, ask)[0]
		if got == want {
			served(t, addr, ask)
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%s: %q, want %q", addr, got, want)
		}
	}
}
