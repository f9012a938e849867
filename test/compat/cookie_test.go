package compat

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"baton/lb/cookie"
)

// Persistence by cookies, both balancers side by side: what the server gets, what the
// client gets, and the letters of the log.

// cookieOrigins are servers that give the cookies of a request back as the body, and
// set the headers that it asks for.
func cookieOrigins(t *testing.T, n int) []string {
	var addrs []string
	for i := range n {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			w.Header()["Set-Cookie"] = r.Header["X-Set"]
			w.Header()["Cache-Control"] = r.Header["X-Cache"]
			w.Header()["Expires"] = r.Header["X-Expires"]
			fmt.Fprintf(w, "s%d got %q", i+1, tight(strings.Join(r.Header["Cookie"], "\n")))
		})}
		go func() { _ = server.Serve(ln) }()
		t.Cleanup(func() { server.Close() })
		addrs = append(addrs, ln.Addr().String())
	}
	return addrs
}

// tight takes the blanks round "=" away, as HAProxy does where it looks at cookies.
func tight(cookies string) string { return blanks.ReplaceAllString(cookies, "=") }

// recent hides a date of these seconds: between both answers a new one may begin.
func recent(date string) string {
	for ago := range int64(8) {
		if date == string(cookie.AppendDate(nil, time.Now().Unix()-ago)) {
			return "|NOW"
		}
	}
	return date
}

var dates = regexp.MustCompile(`\|[A-Za-z0-9+/]{5}`)

var blanks = regexp.MustCompile(" *= *")

// logSocket receives the lines of a balancer.
type logSocket struct {
	*net.UDPConn
	t *testing.T
}

func newLogSocket(t *testing.T) logSocket {
	c, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return logSocket{c, t}
}

// of returns the line of one request, which the log's format begins with mark. Others,
// of health checks for example, are passed over.
func (l logSocket) of(mark string) string {
	l.t.Helper()
	_ = l.SetReadDeadline(time.Now().Add(patience))
	b := make([]byte, 8192)
	for {
		n, err := l.Read(b)
		if err != nil {
			l.t.Fatalf("no log line of request %s: %v", mark, err)
		}
		if _, line, ok := strings.Cut(strings.TrimSpace(string(b[:n])), mark); ok {
			return line
		}
	}
}

// exchanger sends one request after the other and tells what came of each.
type exchanger struct {
	t    *testing.T
	c    net.Conn
	in   *bufio.Reader
	logs logSocket
	n    int // requests so far
}

func newExchanger(t *testing.T, addr string, logs logSocket) *exchanger {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(10 * patience))
	return &exchanger{t, c, bufio.NewReader(c), logs, 0}
}

// do sends requests, each with a header x-n that numbers it.
func (e *exchanger) do(requests []string) []string {
	var all strings.Builder
	for i, r := range requests {
		all.WriteString(strings.Replace(r, "\r\n", fmt.Sprintf("\r\nx-n: %d\r\n", e.n+i), 1))
	}
	if _, err := io.WriteString(e.c, all.String()); err != nil {
		e.t.Fatal(err)
	}
	var out []string
	for _, r := range requests {
		res, err := http.ReadResponse(e.in, nil)
		if err != nil {
			e.t.Fatalf("%v after %q", err, r)
		}
		body, err := io.ReadAll(res.Body)
		if err != nil {
			e.t.Fatal(err)
		}
		set := res.Header["Set-Cookie"]
		slices.Sort(set) // baton appends those that it has changed
		for i := range set {
			set[i] = dates.ReplaceAllStringFunc(tight(set[i]), recent)
		}
		out = append(out, fmt.Sprintf("%d set-cookie %q cache-control %q location %q body %q", res.StatusCode, set, res.Header["Cache-Control"], res.Header["Location"], body))
	}
	for i := range out {
		out[i] += " log " + e.logs.of(fmt.Sprintf("log=%d ", e.n))
		e.n++
	}
	return out
}

// settings are the lines of the backends that are compared.
var cookieSettings = []string{
	"cookie SRV",
	"cookie SRV indirect",
	"cookie SRV nocache",
	"cookie SRV rewrite",
	"cookie SRV rewrite nocache httponly secure domain .a.example",
	"cookie SRV rewrite postonly",
	"cookie SRV insert",
	"cookie SRV insert indirect",
	"cookie SRV insert nocache",
	"cookie SRV insert indirect nocache httponly secure domain .a.example domain .b.example attr SameSite=Lax attr Priority=High",
	"cookie SRV insert postonly",
	"cookie SRV insert indirect postonly nocache",
	"cookie SRV insert preserve",
	"cookie SRV insert indirect preserve",
	"cookie SRV indirect preserve",
	"cookie SRV prefix",
	"cookie SRV prefix nocache",
	"cookie SRV prefix indirect",
	"cookie SRV prefix indirect preserve",
	"cookie SRV insert dynamic\n dynamic-cookie-key secret",
	"cookie SRV insert indirect dynamic\n dynamic-cookie-key abcdefghi",
	"cookie SRV insert indirect\n option persist",
	"cookie SRV insert indirect\n option persist\n option redispatch",
	"cookie SRV insert indirect\n force-persist if { hdr(x-force) 1 }",
	"cookie SRV insert\n ignore-persist if { hdr(x-force) 1 }",
	"cookie SRV insert indirect\n ignore-persist unless { hdr(x-force) 1 }",
	"cookie SRV prefix\n ignore-persist if { hdr(x-force) 1 }",
	"cookie SRV rewrite\n ignore-persist if { hdr(x-force) 1 }",
	"cookie SRV insert\n force-persist if { hdr(x-force) 1 }\n ignore-persist if { hdr(x-force) 1 }",
	"cookie SRV insert\n ignore-persist if { hdr(x-force) 1 }\n force-persist if { hdr(x-force) 1 }",
	"cookie SRV insert indirect maxidle 10m",
	"cookie SRV insert maxlife 1h",
	"cookie SRV insert indirect maxidle 10m maxlife 1h",
	"cookie SRV rewrite maxidle 10m maxlife 1h",
	"cookie SRV insert dynamic",
	"cookie SRV indirect\n ignore-persist if { hdr(x-force) 1 }",
}

func TestSameCookies(t *testing.T) {
	at := cookieOrigins(t, 8)
	dead := free(t)
	_, deadPort, _ := net.SplitHostPort(dead)
	lists := []string{
		fmt.Sprintf(" server s1 %s cookie one\n server s2 %s cookie two\n server s3 %s cookie three check port %s inter 20ms fall 1\n server s4 %s\n"+
			" server s5 %s cookie five disabled\n server s6 %s cookie six backup\n server s7 %s cookie seven weight 0\n server s8 %s cookie eight check inter 20ms fall 1\n", at[0], at[1], at[2], deadPort, at[3], at[4], at[5], at[6], dead),
		fmt.Sprintf(" server s1 %s\n server s2 %s cookie two\n server s3 %s cookie two\n", at[0], at[1], at[2]),
	}
	var backends strings.Builder
	var names []string
	for i, set := range cookieSettings {
		for j, list := range lists {
			name := fmt.Sprintf("b%d-%d", i, j)
			names = append(names, name)
			fmt.Fprintf(&backends, "backend %s\n balance first\n retries 0\n %s\n%s", name, set, list)
		}
	}
	config := func(addr string, logs logSocket) string {
		return "global\n nbthread 1\ndefaults\n mode http\n log " + logs.LocalAddr().String() + " local0\n timeout client 30s\n timeout server 30s\n timeout connect 5s\n" +
			"frontend fe\n bind " + addr + "\n monitor-uri /ready\n monitor fail if { nbsrv(" + names[0] + ") gt 5 }\n capture request header x-n len 9\n log-format \"log=%[capture.req.hdr(0)] %s %tsc\"\n" +
			" use_backend %[path,field(2,/)]\n" + backends.String()
	}
	theirLogs, ourLogs := newLogSocket(t), newLogSocket(t)
	theirs, ours := free(t), free(t)
	runHAProxy(t, config(theirs, theirLogs), theirs)
	runBaton(t, config(ours, ourLogs))
	for _, addr := range []string{theirs, ours} {
		awaitReady(t, addr)
	}
	want, got := newExchanger(t, theirs, theirLogs), newExchanger(t, ours, ourLogs)
	for i, set := range cookieSettings {
		for j := range lists {
			different := 0
			for requests := range slices.Chunk(cookieRequests(fmt.Sprintf("/b%d-%d", i, j)), 20) {
				w, g := want.do(requests), got.do(requests)
				for k := range w {
					if w[k] != g[k] {
						if different++; different < 4 {
							t.Errorf("%s, servers %d:\n%q\nbaton:   %s\nhaproxy: %s", set, j, requests[k], g[k], w[k])
						}
					}
				}
			}
		}
	}
}

func awaitReady(t *testing.T, addr string) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); ; <-tick.C {
		res, err := http.Get("http://" + addr + "/ready")
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode == 200 {
			return
		}
		if time.Now().After(end) {
			t.Fatal("servers that should be down are not")
		}
	}
}

// cookieRequests are what clients send.
func cookieRequests(path string) []string {
	clients := []string{
		"", "SRV=one", "SRV=two", "SRV=three", "SRV=eight", "SRV=five", "SRV=six", "SRV=seven", "SRV=unknown", "SRV=", "SRV", "SRV = two", "srv=two", "XSRV=two",
		"a=b; SRV=two; c=d", "SRV=two;c=d", "SRV=two ; c=d", "a=b;SRV=two", "SRV=two; SRV=one", "SRV=unknown; SRV=two", "a=b\r\ncookie: SRV=two", "SRV=two\r\ncookie: SRV=one",
		"SRV=\"two\"", "SRV=two~abc", "SRV=two~", "SRV=~two", "SRV=x~abc; b=c", "SRV=three~abc", "SRV=two|", "SRV=two|x", "$Version=1; SRV=two; $Path=/", "a=\"x; SRV=two\"; SRV=one", "a,SRV=two", "a=b, SRV=two",
		"SRV=three; SRV=unknown", "SRV=unknown; SRV=three", "SRV=three; SRV=two", "SRV=two~a; SRV=one~b", "SRV=x~a; SRV=one~b", "a = b; SRV=two", "$Version=1; a=b; SRV=two; $Path=/; c=d",
		"$Version=1; a=b; $Path=/x; SRV=two; $Path=/", "SRV=two; $Path=/; $Domain=x; c=d", "SRV=two; c", "c; SRV=two", "; SRV=two", "SRV=two;", "a=b; SRV=two; SRV=one; c=d", "SRV=two;  c=d", "a=b  ; SRV=two",
	}
	servers := []string{"", "SRV=app", "SRV=one", "SRV=app; path=/x; HttpOnly", "other=1", "SRV=", "SRV", "SRV =app", "other=1\r\nx-set: SRV=app", "SRV=a\r\nx-set: SRV=b", "SRV=two~app", "other=1, SRV=app", "SRV=\"a b\"; path=/"}
	caches := []string{"", "max-age=60", "no-store", "no-cache", "private", "public", "public, no-cache", "no-cache=\"set-cookie\"", "max-age=0", "s-maxage=9", "must-revalidate"}
	var out []string
	add := func(method, cookie, set, cache, more string) {
		r := method + " " + path + " HTTP/1.1\r\nhost: a\r\n"
		if cookie != "" {
			r += "cookie: " + cookie + "\r\n"
		}
		if set != "" {
			r += "x-set: " + set + "\r\n"
		}
		if cache != "" {
			r += "x-cache: " + cache + "\r\n"
		}
		out = append(out, r+more+"\r\n")
	}
	for _, c := range clients {
		add("GET", c, "", "", "")
		add("GET", c, "", "", "x-force: 1\r\n")
	}
	for _, s := range servers {
		for _, c := range []string{"", "SRV=two", "SRV=unknown", "SRV=two~abc"} {
			add("GET", c, s, "", "")
			add("POST", c, s, "", "content-length: 0\r\n")
		}
	}
	for _, c := range caches {
		add("GET", "", "", c, "")
		add("GET", "", "SRV=app", c, "")
		add("POST", "", "", c, "content-length: 0\r\n")
	}
	now := time.Now().Unix()
	date := func(ago int64) string { return string(cookie.AppendDate(nil, now-ago)) }
	for _, d := range []string{
		date(30), date(30) + date(30), date(30) + date(1800), date(30) + date(7200), date(700), date(700) + date(1800), date(700) + date(7200), "|" + date(30), "|" + date(7200),
		date(-90) + date(-90), date(-100000), date(30) + date(-100000), date(-100000) + date(30), "|!!!!!", "|AAAAA", "|AAAAB", date(30) + "x", date(30)[:5], date(30) + "|xx", date(30) + date(30) + date(30), date(1000) + "x",
	} {
		for _, id := range []string{"one", "two", "three", "unknown"} {
			add("GET", "SRV="+id+d, "", "", "")
		}
		add("GET", "SRV=two"+d, "SRV=app", "", "")
	}
	for _, s := range servers {
		add("GET", "SRV=two", s, "", "x-force: 1\r\n")
	}
	add("GET", "", "", "", "x-expires: Thu, 01 Jan 2099 00:00:00 GMT\r\n")
	return out
}
