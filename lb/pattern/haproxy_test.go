package pattern

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// question is one list with samples: what does HAProxy find?
type question struct {
	o       Options // Output is what a map of HAProxy's would give; none: an ACL
	lines   []Line
	samples []string
}

// TestLikeHAProxy asks the installed haproxy the same as our sets: random lists and
// samples, as maps and as ACLs.
func TestLikeHAProxy(t *testing.T) {
	if _, err := exec.LookPath("haproxy"); err != nil {
		t.Skip("haproxy is not installed")
	}
	r := rand.New(rand.NewPCG(3, 4))
	var all []question
	for range 12 {
		for _, m := range append([]Method{Int, IP}, byteMethods...) {
			q := question{o: Options{Method: m, Output: OutputStr}, lines: randomLines(r, m, 1+r.IntN(12))}
			if m == Len || m == Bin || r.IntN(2) == 0 { // there is no map_len, and map_bin is not for strings
				q.o.Output = OutputNone
				q.o.FoldCase = r.IntN(2) == 0
			}
			for range 25 {
				q.samples = append(q.samples, randomSample(r, m))
			}
			all = append(all, q)
		}
	}
	for i := range all { // HAProxy takes no negative number for a lower or upper bound
		if m := all[i].o.Method; m == Int || m == Len {
			for j := range all[i].lines {
				all[i].lines[j].Pattern = strings.ReplaceAll(all[i].lines[j].Pattern, "-", "")
				if _, err := parseSpan(all[i].lines[j].Pattern, false); err != nil {
					all[i].lines[j].Pattern = "3:4"
				}
			}
		}
	}
	ask := startHAProxy(t, all)
	for i, q := range all {
		s := compile(t, q.o, q.lines)
		for _, sample := range q.samples {
			if got, want := ours(s, q, sample), ask(i, sample); got != want {
				t.Errorf("%v -i=%v %q in %v: %s, HAProxy says %s", q.o.Method, q.o.FoldCase, sample, q.lines, got, want)
			}
		}
	}
}

func randomSample(r *rand.Rand, m Method) string {
	switch m {
	case Int:
		return fmt.Sprint(r.IntN(30))
	case IP:
		return randomAddr(r).String()
	}
	return word(r, "abAB/.:?k", 9)
}

// ours is the value, or whether an ACL matches, as the configuration below says it.
func ours(s *Set, q question, sample string) string {
	var e *Entry
	switch q.o.Method {
	case Int:
		var n int64
		fmt.Sscan(sample, &n)
		e = s.Int(n)
	case IP:
		e = s.Addr(netip.MustParseAddr(sample))
	default:
		e = s.Bytes([]byte(sample))
	}
	switch {
	case e == nil:
		return "none"
	case q.o.Output == OutputNone:
		return "found"
	}
	return e.Value().Text
}

// startHAProxy runs one with a path for each question and returns who asks it.
func startHAProxy(t *testing.T, all []question) func(i int, sample string) string {
	dir, err := os.MkdirTemp("", "pattern") // a socket's path is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket := filepath.Join(dir, "s")
	var cfg strings.Builder
	fmt.Fprintf(&cfg, "defaults\n mode http\n timeout client 9s\nfrontend f\n bind unix@%s\n", socket)
	for i, q := range all {
		file := filepath.Join(dir, fmt.Sprint("f", i))
		var text strings.Builder
		for _, l := range q.lines {
			text.WriteString(" " + l.Pattern)
			if q.o.Output != OutputNone {
				text.WriteString(" " + l.Value)
			}
			text.WriteString("\n")
		}
		if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		answer := " http-request return status 200 content-type text/plain "
		if q.o.Output != OutputNone {
			fmt.Fprintf(&cfg, "%slf-string %%[req.fhdr(x),map_%v(%s,none)] if { path /%d }\n", answer, q.o.Method, file, i)
			continue
		}
		fold := ""
		if q.o.FoldCase {
			fold = "-i "
		}
		fetch := "req.fhdr(x)"
		switch q.o.Method {
		case IP:
			fetch = "req.hdr_ip(x)"
		case Int:
			fetch = "req.hdr_val(x)"
		}
		fmt.Fprintf(&cfg, "%sstring found if { path /%d } { %s -m %v %s-f %s }\n%sstring none if { path /%d }\n", answer, i, fetch, q.o.Method, fold, file, answer, i)
	}
	file := filepath.Join(dir, "cfg")
	if err := os.WriteFile(file, []byte(cfg.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	var stderr strings.Builder
	cmd := exec.CommandContext(t.Context(), "haproxy", "-q", "-db", "-f", file)
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	c := connect(t, socket, ended, &stderr)
	in := bufio.NewReader(c)
	return func(i int, sample string) string {
		fmt.Fprintf(c, "GET /%d HTTP/1.1\r\nHost: h\r\nX: %s\r\n\r\n", i, sample)
		res, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != 200 {
			t.Fatalf("%s %v", res.Status, err)
		}
		return string(body)
	}
}

// connect tries until HAProxy listens or has ended: it has no sign of its own for it.
func connect(t *testing.T, socket string, ended chan error, stderr *strings.Builder) net.Conn {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		if c, err := net.Dial("unix", socket); err == nil {
			t.Cleanup(func() { c.Close() })
			return c
		}
		select {
		case <-ended:
			t.Fatalf("haproxy ended: %s", stderr)
		case <-tick.C:
		}
	}
}
