package sample

import (
	"bytes"
	"encoding/hex"
	"flag"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"baton/lb/http1"
	"baton/lb/pattern"
)

var rewrite = flag.Bool("rewrite", false, "ask the installed haproxy again and write what it says")

// cases is testdata/haproxy.txt: requests, and below each of them expressions with
// what HAProxy 2.6 made of them: the sample as bytes, `-` where there is none.
type cases []block

type block struct {
	request string
	exprs   []string
	want    []string
}

const casesFile = "testdata/haproxy.txt"

func readCases(t testing.TB) cases {
	t.Helper()
	data, err := os.ReadFile(casesFile)
	if err != nil {
		t.Fatal(err)
	}
	var all cases
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case line == "" || line[0] == '#':
		case strings.HasPrefix(line, "request "):
			r, err := strconv.Unquote(line[len("request "):])
			if err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			all = append(all, block{request: r})
		default:
			b := &all[len(all)-1]
			expr, want, _ := strings.Cut(line, "\t")
			b.exprs, b.want = append(b.exprs, expr), append(b.want, want)
		}
	}
	return all
}

// testOptions read maps from testdata.
var testOptions = Options{Frontend: "f", Map: func(file string) (*pattern.List, error) {
	data, err := os.ReadFile(file)
	return pattern.NewList(file, pattern.ReadMap(string(data))), err
}}

// testCtx has the variables that haproxy's configuration below sets, too.
func testCtx(t testing.TB, request string) *Ctx {
	c := &Ctx{Client: Conn{Src: netip.MustParseAddrPort("127.0.0.1:40000"), Dst: netip.MustParseAddrPort("127.0.0.1:80"), HTTPMajor: 1}, FirstRequest: true}
	for i := range c.Vars {
		c.Vars[i] = new(Vars)
	}
	c.Frontend = &Proxy{Name: "f", ClientTimeout: 5 * time.Second}
	c.Vars[ScopeTxn].Set("n", &Sample{Type: Int, Int: 7})
	c.Vars[ScopeTxn].Set("s", &Sample{Type: Str, B: []byte("abc")})
	c.Vars[ScopeTxn].Set("b", &Sample{Type: Bin, B: []byte("\x00\xff\x41")})
	c.Vars[ScopeTxn].Set("k", &Sample{Type: Str, B: []byte("c2VjcmV0")})
	c.Req.Head, c.Req.Buf = new(http1.Message), []byte(request)
	if st := c.Req.Head.ParseRequest(c.Req.Buf); st != http1.Done {
		t.Fatalf("%q: %v", request, st)
	}
	c.Req.Body, c.Req.Size = c.Req.Buf[c.Req.Head.HeadLen:], c.Req.Head.ContentLength
	return c
}

// result is what an expression gives, as it stands in the file.
func result(c *Ctx, e *Expr) string {
	s, ok := e.Eval(c)
	if !ok {
		return "-"
	}
	return strconv.Quote(string(c.AsBytes(s)))
}

func TestLikeHAProxy(t *testing.T) {
	if *rewrite {
		ask(t)
	}
	n := 0
	for _, b := range readCases(t) {
		for i, text := range b.exprs {
			e, err := Parse(text, testOptions)
			if err != nil {
				t.Errorf("%s: %s", text, err.Msg)
				continue
			}
			n++
			if got := result(testCtx(t, b.request), e); got != b.want[i] {
				t.Errorf("%s is %s, HAProxy says %s of %q", text, got, b.want[i], b.request)
			}
		}
	}
	t.Logf("%d expressions", n)
}

// TestHAProxyStillSaysSo drives the installed haproxy through the same cases.
func TestHAProxyStillSaysSo(t *testing.T) {
	if _, err := exec.LookPath("haproxy"); err != nil {
		t.Skip("no haproxy here")
	}
	for _, b := range readCases(t) {
		for i, got := range b.ask(t) {
			if got != b.want[i] {
				t.Errorf("%s of %q: haproxy says %s, the file %s", b.exprs[i], b.request, got, b.want[i])
			}
		}
	}
}

// ask writes haproxy's answers into the file.
func ask(t *testing.T) {
	var out strings.Builder
	data, err := os.ReadFile(casesFile)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		if line[0] != '#' {
			break
		}
		out.WriteString(line)
	}
	for _, b := range readCases(t) {
		fmt.Fprintf(&out, "\nrequest %q\n", b.request)
		for i, got := range b.ask(t) {
			fmt.Fprintf(&out, "%s\t%s\n", b.exprs[i], got)
		}
	}
	if err := os.WriteFile(casesFile, []byte(out.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// ask gives what the installed haproxy makes of the block's expressions.
func (b *block) ask(t *testing.T) []string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := ln.Addr().String()
	ln.Close()

	var cfg strings.Builder
	fmt.Fprintf(&cfg, `global
 maxconn 100
defaults
 mode http
 timeout client 5s
 timeout server 5s
 timeout connect 5s
frontend f
 bind %s
 option http-buffer-request
 http-request set-var(txn.n) int(7)
 http-request set-var(txn.s) str(abc)
 http-request set-var(txn.b) bin(00ff41)
 http-request set-var(txn.k) str(c2VjcmV0)
`, addr)
	for i, e := range b.exprs {
		fmt.Fprintf(&cfg, " http-request return status 200 content-type text/plain lf-string '%%[%s,hex]' if { req.hdr(case) -m int %d } { '%s' -m found }\n", e, i, e)
	}
	file := filepath.Join(t.TempDir(), "haproxy.cfg")
	if err := os.WriteFile(file, []byte(cfg.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	// The files that expressions name are relative to this folder, as for us.
	cmd := exec.Command("haproxy", "-db", "-f", file)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	defer func() {
		cmd.Process.Kill()
		<-ended
	}()
	var answers []string
	for i := range b.exprs {
		answers = append(answers, b.askOne(t, addr, i, ended, &stderr))
	}
	return answers
}

func (b *block) askOne(t *testing.T, addr string, i int, ended chan error, stderr *bytes.Buffer) string {
	t.Helper()
	var conn net.Conn
	for {
		var err error
		if conn, err = net.Dial("tcp", addr); err == nil {
			break
		}
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("haproxy: %v\n%s", err, stderr)
		default:
		}
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(5 * time.Second))
	head, body, _ := strings.Cut(b.request, "\r\n\r\n")
	fmt.Fprintf(conn, "%s\r\nCase: %d\r\nConnection: close\r\n\r\n%s", head, i, body)
	answer, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	_, text, ok := strings.Cut(string(answer), "\r\n\r\n")
	if !ok || !strings.HasPrefix(string(answer), "HTTP/1.1 200") {
		return "-"
	}
	value, err := hex.DecodeString(text)
	if err != nil {
		t.Fatalf("%s: %q", b.exprs[i], text)
	}
	return strconv.Quote(string(value))
}
