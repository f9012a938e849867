package probe

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"baton/internal/sys"
	"baton/lb/health"
	"baton/lb/spec"

	"github.com/google/go-cmp/cmp"
)

// ends says what a test server does after its answer.
type ends uint8

const (
	closes ends = iota
	hangs       // until the client goes
	resets
	goesOn // sends the answer's last byte again and again
)

// serve answers every connection on a loopback port and returns the address and the
// requests that came.
func serve(t *testing.T, answer string, end ends) (netip.AddrPort, <-chan string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	requests := make(chan string, 16)
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { answerOne(c, answer, end, requests) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		wg.Wait()
	})
	return l.Addr().(*net.TCPAddr).AddrPort(), requests
}

func answerOne(c net.Conn, answer string, end ends, requests chan<- string) {
	defer c.Close()
	var request strings.Builder
	r := bufio.NewReader(c)
	for {
		line, err := r.ReadString('\n')
		request.WriteString(line)
		if err != nil || line == "\r\n" {
			break
		}
	}
	requests <- request.String()
	if _, err := io.WriteString(c, answer); err != nil {
		return
	}
	switch end {
	case hangs:
		_, _ = io.Copy(io.Discard, c)
	case resets:
		_ = c.(*net.TCPConn).SetLinger(0)
	case goesOn:
		more := strings.Repeat(answer[len(answer)-1:], 4096)
		for {
			if _, err := io.WriteString(c, more); err != nil {
				return
			}
		}
	}
}

func status(not bool, lo, hi int64) spec.Expect {
	return spec.Expect{Kind: spec.ExpectStatus, Not: not, Ranges: []spec.IntRange{{Lo: lo, Hi: hi}}, MinRecv: spec.AnyLength}
}

func text(not bool, s string) spec.Expect {
	return spec.Expect{Kind: spec.ExpectString, Not: not, Text: spec.CheckText{Text: s}, MinRecv: spec.AnyLength}
}

// web is the plan of an HTTP check.
func web(method string, expect ...spec.Expect) *spec.CheckPlan {
	if len(expect) == 0 {
		expect = []spec.Expect{status(false, 200, 399)}
	}
	plan := &spec.CheckPlan{Kind: spec.CheckHTTP, Steps: []spec.CheckStep{
		{Connect: &spec.CheckConnect{Default: true}},
		{Request: &spec.CheckRequest{Method: method, URI: literal("/"), Version: "HTTP/1.0"}},
	}}
	for i := range expect {
		plan.Steps = append(plan.Steps, spec.CheckStep{Expect: &expect[i]})
	}
	return plan
}

func literal(s string) spec.CheckText { return spec.CheckText{Text: s} }

func ok200(code int) health.Result { return health.Result{Status: health.L7OK, Code: code} }

func invalid(info string) health.Result {
	return health.Result{Status: health.L7Invalid, Info: info}
}

// TestHTTP: the verdicts are those of HAProxy 2.6 on the same answers.
func TestHTTP(t *testing.T) {
	const healthy = "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nhealthy"
	const (
		noMatch  = "HTTP content check did not match"
		unwanted = "HTTP check matched unwanted content"
		noBody   = "HTTP content check could not find a response body"
	)
	big := strings.Repeat("a", 20000)
	for _, c := range []struct {
		name   string
		answer string
		end    ends
		expect []spec.Expect
		want   health.Result
	}{
		{"ok", healthy, closes, nil, ok200(200)},
		{"ok and hangs", healthy, hangs, nil, ok200(200)},
		{"404", "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", closes, nil, health.Result{Status: health.L7Status, Code: 404, Info: "Not Found"}},
		{"500", "HTTP/1.0 500 Internal  Server \"Error\"\r\n\r\n", closes, nil, health.Result{Status: health.L7Status, Code: 500, Info: `Internal  Server "Error"`}},
		{"no reason", "HTTP/1.0 500\r\n\r\n", closes, nil, health.Result{Status: health.L7Status, Code: 500}},
		{"100", "HTTP/1.1 100 Continue\r\n\r\n" + healthy, closes, nil, health.Result{Status: health.L7Status, Code: 100, Info: "Continue"}},
		{"status 99", "HTTP/1.0 99 OK\r\n\r\n", closes, nil, health.Result{Status: health.L7Status, Code: 99, Info: "OK"}},
		{"HTTP/2.0", "HTTP/2.0 200 OK\r\n\r\n", closes, nil, ok200(200)},
		{"garbage", "garbage\r\n\r\n", hangs, nil, invalid("")},
		{"HTTP/0.9", "hello", closes, []spec.Expect{text(false, "h")}, invalid("")},
		{"bare LF", "HTTP/1.0 200 OK\nContent-Length: 0\n\n", closes, nil, ok200(200)},
		{"nothing", "", closes, nil, invalid("")},
		{"half a status line", "HTTP/1.0 200 O", closes, nil, invalid("")},
		{"half a head", "HTTP/1.0 200 OK\r\nFoo: b", closes, nil, invalid("")},
		{"bad length", "HTTP/1.0 200 OK\r\nContent-Length: x\r\n\r\n", closes, nil, invalid("")},
		{"short body", "HTTP/1.0 200 OK\r\nContent-Length: 10\r\n\r\nabc", closes, nil, ok200(200)},
		{"short body without the word", "HTTP/1.0 200 OK\r\nContent-Length: 10\r\n\r\nabc", closes, []spec.Expect{text(false, "zz")}, invalid(noMatch)},
		{"word before a hang", "HTTP/1.0 200 OK\r\nContent-Length: 10\r\n\r\nabc", hangs, []spec.Expect{text(false, "ab")}, ok200(200)},
		{"head of 20 kB", "HTTP/1.0 200 OK\r\nX: " + big + "\r\n\r\n", hangs, nil, invalid("")},
		{"endless head", "HTTP/1.0 200 OK\r\nX: a", goesOn, nil, invalid("")},
		{"endless body", "HTTP/1.0 200 OK\r\n\r\na", goesOn, nil, ok200(200)},
		{"word beyond 16 kB", "HTTP/1.0 200 OK\r\n\r\n" + big + "healthy", closes, []spec.Expect{text(false, "healthy")}, invalid(noMatch)},
		{"unwanted word beyond 16 kB", "HTTP/1.0 200 OK\r\n\r\n" + big + "sick", closes, []spec.Expect{text(true, "sick")}, ok200(200)},
		{"chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nheal\r\n3;x=y\r\nthy\r\n0\r\n\r\n", hangs, []spec.Expect{text(false, "healthy")}, ok200(200)},
		{"bad chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nheal", hangs, nil, invalid("")},
		{"no body", "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", hangs, []spec.Expect{text(false, "a")}, invalid(noBody)},
		{"no body, unwanted word", "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", hangs, []spec.Expect{text(true, "a")}, invalid(noBody)},
		{"204", "HTTP/1.0 204 No\r\n\r\n", hangs, []spec.Expect{text(false, "a")}, invalid(noBody)},

		{"status expected", healthy, closes, []spec.Expect{status(false, 200, 200)}, ok200(200)},
		{"other status expected", healthy, closes, []spec.Expect{status(false, 201, 299)}, health.Result{Status: health.L7Status, Code: 200, Info: "OK"}},
		{"status unwanted", healthy, closes, []spec.Expect{status(true, 200, 200)}, health.Result{Status: health.L7Status, Code: 200, Info: "OK"}},
		{"status unwanted, other came", healthy, closes, []spec.Expect{status(true, 500, 599)}, ok200(200)},
		{"word expected", healthy, closes, []spec.Expect{text(false, "healthy")}, ok200(200)},
		{"other word expected", healthy, closes, []spec.Expect{text(false, "sick")}, invalid(noMatch)},
		{"word unwanted", healthy, closes, []spec.Expect{text(true, "heal")}, invalid(unwanted)},
		{"both, second fails", healthy, closes, []spec.Expect{status(false, 200, 200), text(false, "sick")}, invalid(noMatch)},
		{"both, first fails", "HTTP/1.1 500 X\r\nContent-Length: 7\r\n\r\nhealthy", closes, []spec.Expect{status(false, 200, 200), text(false, "healthy")}, health.Result{Status: health.L7Status, Code: 500, Info: "X"}},
		{"word, whatever the status", "HTTP/1.1 500 X\r\nContent-Length: 7\r\n\r\nhealthy", closes, []spec.Expect{text(false, "healthy")}, ok200(500)},
	} {
		t.Run(c.name, func(t *testing.T) {
			addr, _ := serve(t, c.answer, c.end)
			target := Target{
				Addr: addr, Total: 30 * time.Second, Plan: web("OPTIONS", c.expect...),
			}
			got := target.Check(t.Context())
			got.Duration = 0
			if d := cmp.Diff(c.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestTimeouts(t *testing.T) {
	page := web("GET", text(false, "zz"))
	for _, c := range []struct {
		name, answer string
		end          ends
		limit        func(*Target)
	}{
		{"no answer, timeout check", "", hangs, func(t *Target) { t.Connect, t.Answer = 30*time.Second, 50*time.Millisecond }},
		{"no answer, inter", "", hangs, func(t *Target) { t.Total = 50 * time.Millisecond }},
		{"body that ends nowhere", "HTTP/1.0 200 OK\r\n\r\nabc", hangs, func(t *Target) { t.Answer = 50 * time.Millisecond }},
	} {
		t.Run(c.name, func(t *testing.T) {
			addr, _ := serve(t, c.answer, c.end)
			target := Target{Addr: addr, Plan: page}
			c.limit(&target)
			if got := target.Check(t.Context()); got.Status != health.L7Timeout || got.Duration < 50*time.Millisecond {
				t.Errorf("%v after %v, want L7TOUT", got.Status, got.Duration)
			}
		})
	}
}

// A reset may overtake the answer; either way it is a failure, and the word is the
// system's.
func TestReset(t *testing.T) {
	addr, _ := serve(t, "", resets)
	target := Target{Addr: addr, Total: 30 * time.Second, Plan: web("GET")}
	got := target.Check(t.Context())
	if got.Status != health.SocketError || got.Info != "Connection reset by peer" {
		t.Errorf("%v %q, want SOCKERR Connection reset by peer", got.Status, got.Info)
	}
}

func TestConnect(t *testing.T) {
	addr, _ := serve(t, "", hangs)
	if got := (&Target{Addr: addr, Total: 30 * time.Second}).Check(t.Context()); got.Status != health.L4OK {
		t.Errorf("%v, want L4OK", got)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone := l.Addr().(*net.TCPAddr).AddrPort()
	l.Close()
	got := (&Target{Addr: gone, Total: 30 * time.Second}).Check(t.Context())
	if got.Status != health.L4Failed || got.Info != "Connection refused" {
		t.Errorf("%v %q, want L4CON Connection refused", got.Status, got.Info)
	}
}

// A listener whose queue is full does not answer a SYN.
func TestConnectTimeout(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().(*net.TCPAddr).AddrPort()
	l.Close()
	fd, err := sys.ListenTCP(addr, sys.ListenOptions{Backlog: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer fd.Close()
	for _, target := range []Target{{Addr: addr, Connect: 50 * time.Millisecond, Answer: 30 * time.Second}, {Addr: addr, Total: 50 * time.Millisecond}} {
		got := health.Result{}
		for range 10 { // the first ones fill the queue
			if got = target.Check(t.Context()); !got.Passed() {
				break
			}
		}
		if got.Status != health.L4Timeout {
			t.Errorf("%v, want L4TOUT", got)
		}
	}
}

func TestCancel(t *testing.T) {
	addr, requests := serve(t, "", hangs)
	ctx, cancel := context.WithCancelCause(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		target := Target{Addr: addr, Plan: web("GET")}
		target.Check(ctx)
	}()
	<-requests
	cancel(errors.New("the process stops"))
	<-done
}

// TestRequest: what HAProxy 2.6 sent for the same configuration.
func TestRequest(t *testing.T) {
	for _, c := range []struct {
		h    spec.CheckRequest
		want string
	}{
		{
			spec.CheckRequest{Method: "OPTIONS", URI: literal("/"), Version: "HTTP/1.0"},
			"OPTIONS / HTTP/1.0\r\n\r\n",
		}, {
			spec.CheckRequest{Method: "GET", URI: literal("/h"), Version: "HTTP/1.1", Headers: []spec.CheckHeader{{Name: "Host", Value: literal("www.x")}, {Name: "X-A", Value: literal("b c")}}},
			"GET /h HTTP/1.1\r\nhost: www.x\r\nx-a: b c\r\nconnection: close\r\n\r\n",
		}, {
			spec.CheckRequest{Method: "OPTIONS", URI: literal("*"), Version: "HTTP/1.1"},
			"OPTIONS * HTTP/1.1\r\nconnection: close\r\n\r\n",
		}, {
			spec.CheckRequest{Method: "POST", URI: literal("/p"), Version: "HTTP/1.1", Headers: []spec.CheckHeader{{Name: "Host", Value: literal("h")}}, Body: literal("abc")},
			"POST /p HTTP/1.1\r\nhost: h\r\ncontent-length: 3\r\nconnection: close\r\n\r\nabc",
		}, {
			spec.CheckRequest{Method: "POST", URI: literal("/"), Version: "HTTP/1.0"},
			"POST / HTTP/1.0\r\ncontent-length: 0\r\n\r\n",
		}, {
			spec.CheckRequest{Method: "OPTIONS", URI: literal("/"), Version: "HTTP/1.0", Headers: []spec.CheckHeader{{Name: "Connection", Value: literal("keep-alive")}, {Name: "content-length", Value: literal("9")}}},
			"OPTIONS / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n",
		},
	} {
		if d := cmp.Diff(c.want, string((&exchange{plan: web("")}).httpRequest(&c.h))); d != "" {
			t.Error(d)
		}
	}
}

func TestTargetOf(t *testing.T) {
	server := netip.MustParseAddrPort("192.0.2.1:80")
	other := netip.MustParseAddr("192.0.2.2")
	for _, c := range []struct {
		name  string
		check spec.Check
		to    spec.Timeouts
		want  Target
	}{
		{"inter alone", spec.Check{Inter: 2 * time.Second}, spec.Timeouts{Connect: time.Second}, Target{Addr: server, Total: 2 * time.Second}},
		{"timeout check", spec.Check{Inter: 2 * time.Second}, spec.Timeouts{Connect: time.Second, Check: 5 * time.Second}, Target{Addr: server, Connect: time.Second, Answer: 5 * time.Second}},
		{"long timeout connect", spec.Check{Inter: 2 * time.Second}, spec.Timeouts{Connect: time.Minute, Check: 5 * time.Second}, Target{Addr: server, Connect: 2 * time.Second, Answer: 5 * time.Second}},
		{"other place", spec.Check{Inter: 2 * time.Second, Addr: other, Port: 81}, spec.Timeouts{}, Target{Addr: netip.AddrPortFrom(other, 81), Total: 2 * time.Second}},
	} {
		if got := TargetOf(server, &c.check, nil, &c.to); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

// FuzzJudge: any answer, cut anywhere, gets a verdict at its end at the latest, and
// an early one is not about nothing.
func FuzzJudge(f *testing.F) {
	f.Add([]byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nheal\r\n3\r\nthy\r\n0\r\n\r\n"), uint16(30))
	f.Add([]byte("HTTP/1.0 200 OK\nContent-Length: 7\n\nhealthy"), uint16(3))
	f.Fuzz(func(t *testing.T, answer []byte, cut uint16) {
		x := exchange{plan: web("GET"), buf: answer}
		for _, e := range []spec.Expect{status(false, 200, 299), text(false, "healthy"), text(true, "sick")} {
			step := &spec.CheckStep{Expect: &e}
			x.n = min(int(cut), len(answer))
			if early, v := x.judgeHTTP(step, false); v != undecided && early.Status == health.Unchecked {
				t.Fatal("a verdict without a status")
			}
			x.n = len(answer)
			if r, v := x.judgeHTTP(step, true); v == undecided || r.Status == health.Unchecked {
				t.Fatalf("no verdict at the end: %+v", r)
			}
		}
	})
}

// FuzzProtocol: the answers of protocols are read within their bounds, and the end
// brings a verdict.
func FuzzProtocol(f *testing.F) {
	f.Add([]byte("\x0b\x00\x00\x00\x0a5.7.33-log\x00\x05\x00\x00\x02\xff\x10\x04no"), uint16(9))
	f.Add([]byte("\x30\x84\x00\x00\x00\x10\x02\x01\x01\x61\x84\x00\x00\x00\x07\x0a\x01\x00"), uint16(9))
	f.Fuzz(func(t *testing.T, answer []byte, cut uint16) {
		if len(answer) == 0 {
			return
		}
		for _, k := range []spec.ExpectKind{spec.ExpectMySQL, spec.ExpectMySQLAnswer, spec.ExpectLDAP} {
			protocol(k, answer[:min(int(cut)+1, len(answer))], false)
			if r, v := protocol(k, answer, true); v == undecided || r.Status == health.Unchecked {
				t.Fatalf("no verdict at the end: %+v", r)
			}
		}
	})
}
