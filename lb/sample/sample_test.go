package sample

import (
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"baton/lb/http1"
)

// clock is a World at a fixed instant.
type clock struct{ now time.Time }

func (c clock) Wall() time.Time                         { return c.now }
func (clock) Rand() uint64                              { return 0x0123456789abcdef }
func (clock) Hostname() string                          { return "lb1" }
func (clock) Getenv(n string) (string, bool)            { return "v-" + n, n != "UNSET" }
func (clock) Stopping() bool                            { return true }
func (clock) Threads() (this, all int)                  { return 2, 4 }
func (clock) Uptime() time.Duration                     { return 90 * time.Second }
func (clock) PID() int                                  { return 4711 }
func (clock) IsLocal(a netip.Addr) bool                 { return a.IsLoopback() }
func (clock) FrontendCount(string, Count) (int64, bool) { return 3, true }

func (clock) BackendCount(name string, what Count) (int64, bool) {
	return map[Count]int64{CountQueue: 7, CountUsable: int64(len(name)), CountConns: 5}[what], name != "none"
}

func (clock) ServerCount(backend, server string, what Count) (int64, bool) {
	return int64(len(backend)*10 + len(server)), what == CountConns || what == CountQueue || what == CountUsable
}

// What HAProxy 2.6 does not know, or does not give twice the same.
func TestExpressions(t *testing.T) {
	west := time.FixedZone("WEST", -3*3600)
	for _, c := range []struct{ expr, want string }{
		{"date", "1700000000"},
		{"date(-10)", "1699999990"},
		{"date(5,ms)", "1700000000128"},
		{"date(0,us)", "1700000000123456"},
		{"date_us", "123456"},
		{"date,ltime(%H:%M %Z)", "19:13 WEST"},
		{"date,utime(%H:%M %Z)", "22:13 GMT"},
		{"date(0,ms),ms_utime(%T.%N)", "22:13:20.123"},
		{"date(0,us),us_ltime(%T.%N,3600)", "20:13:20.123456"},
		{"date(0,ms),http_date(1000,ms)", "Tue, 14 Nov 2023 22:13:21 GMT"},
		{"hostname", "lb1"},
		{"env(HOME)", "v-HOME"},
		{"env(UNSET)", "-"},
		{"stopping", "1"},
		{"thread", "2"},
		{"nbthread", "4"},
		{"uptime", "90"},
		{"src_is_local", "1"},
		{"dst_is_local", "1"},
		{"fc_err", "0"},
		{"fc_err_str", "Success"},
		{"rand", "2309737967"},
		{"rand(100)", "53"},
		{"uuid", "01234567-89ab-4def-8123-456789abcdef"},
		{"uuid(7)", "018bcfe5-687b-7def-8123-456789abcdef"},
		{"nbsrv(abc)", "3"},
		{"str(none),nbsrv", "-"},
		{"str(four),nbsrv", "4"},
		{"queue(abc)", "7"},
		{"avg_queue(abc)", "3"}, // 7 / 3, rounded up
		{"fe_conn(x)", "3"},
		{"fe_conn", "3"},
		{"srv_conn(ab/xyz)", "23"},
		{"str(ab/xyz),srv_queue", "23"},
		{"srv_is_up(b/s)", "1"},
		{"var(txn.none)", "-"},
		{"var(txn.none,fallback)", "fallback"},
		{"var(txn.n,fallback)", "7"},
		{"bin(0501),base2", "0000010100000001"},
		{"bin(01020304),le2dec(:,2)", "513:1027"},
		{"str(abcdef),bytes(txn.two,txn.two)", "cd"},
		{"str(abcdef),bytes(txn.none)", "-"},
		{"str(abc),reverse", "cba"},
		{"str(www.example.com),reverse_dom", "com.example.www"},
		{"str(a=1&b=&c&a=2),param(a)", "1"},
		{"str(a=1&b=&c),param(b)", ""},
		{"str(a=1&b=&c),param(c)", ""},
		{"str(a=1&b=&c),param(d)", "-"},
		{"str(a=1;b=2),param(b,;)", "2"},
		{"str(x),set-var(txn.v),map_str_ip(testdata/maps/addr.map,192.0.2.9)", "192.0.2.9"},
		{"str(six),map_str_ip(testdata/maps/addr.map)", "2001:db8::7"},
		{"str([2001:db8::1]:443),host_only", "[2001:db8::1]"},
		{"be_name", "-"},
		{"srv_name", "-"},
		{"capture.req.hdr(0)", "first"},
		{"capture.req.hdr(1)", "-"},
		{"capture.req.hdr(9)", "-"},
		{"unique-id", "-"},
	} {
		x := testCtx(t, "GET /img/logo HTTP/1.1\r\nHost: h\r\n\r\n")
		x.World = clock{time.Unix(1700000000, 123456000).In(west)}
		x.Vars[ScopeTxn].Set("two", &Sample{Type: Int, Int: 2})
		x.ReqCaps = Captures{[]byte("first"), nil}
		if got := evalText(t, x, c.expr); got != c.want {
			t.Errorf("%s: %q, want %q", c.expr, got, c.want)
		}
	}
}

func TestResponse(t *testing.T) {
	x := testCtx(t, "GET / HTTP/1.1\r\nHost: h\r\nX-A: request\r\n\r\n")
	buf := []byte("HTTP/1.1 404 Not Found\r\nX-A: 1, 2\r\nSet-Cookie: a=1; path=/\r\nSet-Cookie: b=2\r\nSet-Cookie: a=3\r\nContent-Length: 5\r\n\r\nhello")
	m := new(http1.Message)
	if st := m.ParseResponse(buf, http1.MethodGet); st != http1.Done {
		t.Fatal(st)
	}
	x.Res = Message{Head: m, Buf: buf, Body: buf[m.HeadLen:], Size: 5, Status: 404, Added: []*Line{{"x-b", "added"}, {"x-a", "3"}}}
	for _, c := range []struct{ expr, want string }{
		{"status", "404"},
		{"hdr(x-a)", "3"},
		{"req.hdr(x-a)", "request"},
		{"res.hdr(x-a,1)", "1"},
		{"res.hdr_cnt(x-a)", "3"},
		{"res.fhdr(x-a,1)", "1, 2"},
		{"res.hdr(x-b)", "added"},
		{"res.hdr_names", "x-a,set-cookie,set-cookie,set-cookie,content-length,x-b,x-a"},
		{"res.cook(a)", "3"},
		{"res.cook(path)", "-"},
		{"scook_cnt", "3"},
		{"scook_val(b)", "2"},
		{"res.body", "hello"},
		{"res.body_len", "5"},
		{"res.body_size", "5"},
		{"res.ver", "1.1"},
		{"capture.res.ver", "HTTP/1.1"},
		{"capture.req.method", "GET"},
		{"method", "GET"},
	} {
		if got := evalText(t, x, c.expr); got != c.want {
			t.Errorf("%s: %q, want %q", c.expr, got, c.want)
		}
	}

	chunked := []byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;ext\r\nhel\r\n0A\r\nlo")
	m.Reset()
	if st := m.ParseResponse(chunked, http1.MethodGet); st != http1.Done {
		t.Fatal(st)
	}
	x.Res = Message{Head: m, Buf: chunked, Body: chunked[m.HeadLen:], Size: -1, Status: 200}
	for expr, want := range map[string]string{"res.body": "hello", "res.body_len": "5", "res.body_size": "5"} {
		if got := evalText(t, x, expr); got != want {
			t.Errorf("%s of chunks: %q, want %q", expr, got, want)
		}
	}
}

func TestSetVarConditions(t *testing.T) {
	for _, c := range []struct{ first, second, want string }{
		{"str(a),set-var(txn.x)", "str(b),set-var(txn.x)", "b"},
		{"str(a),set-var(txn.x)", "str(b),set-var(txn.x,ifnotexists)", "a"},
		{"str(a),length", "str(b),set-var(txn.x,ifnotexists)", "b"},
		{"str(a),length", "str(b),set-var(txn.x,ifexists)", "-"},
		{"str(a),set-var(txn.x),unset-var(txn.x)", "str(b),set-var(txn.x,ifexists)", "b"},
		{"str(a),set-var(txn.x),unset-var(txn.x)", "str(b),set-var(txn.x,ifset)", "-"},
		{"str(a),set-var(txn.x),unset-var(txn.x)", "str(b),set-var(txn.x,ifnotset)", "b"},
		{"str(a),set-var(txn.x)", "str(),set-var(txn.x,ifnotempty)", "a"},
		{"str(a),set-var(txn.x)", "str(),set-var(txn.x,ifempty)", ""},
		{"str(a),set-var(txn.x)", "int(5),set-var(txn.x,ifempty)", "a"},
		{"int(5),set-var(txn.x)", "int(3),set-var(txn.x,ifgt)", "3"},
		{"int(5),set-var(txn.x)", "int(7),set-var(txn.x,ifgt)", "5"},
		{"int(5),set-var(txn.x)", "int(7),set-var(txn.x,iflt)", "7"},
		{"int(5),set-var(txn.x)", "int(3),set-var(txn.x,ifset,iflt)", "5"},
		{"int(5),set-var(proc.x),set-var(txn.x)", "var(proc.x),set-var(txn.y)", "5"},
	} {
		x := testCtx(t, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
		x.Proc = new(ProcVars)
		evalText(t, x, c.first)
		evalText(t, x, c.second)
		if got := evalText(t, x, "var(txn.x)"); got != c.want {
			t.Errorf("%s, then %s: %q, want %q", c.first, c.second, got, c.want)
		}
	}
}

func TestAnyTriesAllValues(t *testing.T) {
	x := testCtx(t, "GET /?a=1&b=2&a=3 HTTP/1.1\r\nHost: h\r\nX: 1, 2\r\nX: 3\r\nCookie: c=4; d=5; c=6\r\n\r\n")
	for _, c := range []struct{ expr, want string }{
		{"req.hdr(x)", "1 2 3"},
		{"req.hdr(x),add(1)", "2 3 4"},
		{"req.hdr(x,2)", "2"},
		{"req.fhdr(x)", "1, 2 3"},
		{"req.cook(c)", "4 6"},
		{"req.cook", "4 5 6"},
		{"urlp(a)", "1 3"},
		{"urlp", "1 2 3"},
		{"path", "/"},
		{"req.hdr(none)", ""},
	} {
		e, bad := Parse(c.expr, Options{})
		if bad != nil {
			t.Fatal(bad.Msg)
		}
		var got []string
		e.Any(x, func(x *Ctx, s *Sample) bool { got = append(got, string(x.AsText(s))); return false })
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %q, want %q", c.expr, got, c.want)
		}
	}
}

// Every row of the tables is whole: it has what evaluation and the support matrix need.
func TestTables(t *testing.T) {
	name := regexp.MustCompile(`^[a-z0-9]+([-._+][a-z0-9]+)*$`)
	seen := make(map[string]bool)
	for _, f := range fetches {
		if !name.MatchString(f.name) || f.run == nil || f.doc == "" || f.where == 0 || f.min > len(f.args) || seen[f.name] {
			t.Errorf("fetch %q", f.name)
		}
		seen[f.name] = true
	}
	for _, k := range LaterFetches() {
		if seen[k.Name] || k.Doc == "" {
			t.Errorf("fetch %s", k.Name)
		}
		seen[k.Name] = true
	}
	clear(seen)
	for _, c := range converters {
		if !name.MatchString(strings.ReplaceAll(c.name, "_", "-")) || c.run == nil || c.doc == "" || c.min > len(c.args) || seen[c.name] {
			t.Errorf("converter %q", c.name)
		}
		seen[c.name] = true
	}
	for _, k := range LaterConverters() {
		if seen[k.Name] || k.Doc == "" {
			t.Errorf("converter %s", k.Name)
		}
		seen[k.Name] = true
	}
}

// FuzzParse: no text makes the parser panic, what it accepts can be evaluated on
// anything, and its complaints point into the text.
func FuzzParse(f *testing.F) {
	for _, b := range readCases(f) {
		for _, e := range b.exprs {
			f.Add(e, b.request)
		}
	}
	f.Add(`str("a\"b),lower`, "GET / HTTP/1.1\r\n\r\n")
	f.Add("req.payload_lv(0,2,-1),hex", "\x00\x05abc")
	f.Add("req.ssl_sni", "\x16\x03\x01\x00\x05\x01\x00\x00\x01\x03")
	f.Fuzz(func(t *testing.T, text, request string) {
		e, err := Parse(text, Options{Frontend: "f", Backend: "b"})
		if err != nil {
			if err.Off < 0 || err.Off > len(text) || err.Msg == "" {
				t.Errorf("%q: %+v", text, err)
			}
			return
		}
		c := &Ctx{World: clock{time.Unix(1, 0)}, In: Channel{B: []byte(request)}}
		for i := range c.Vars {
			c.Vars[i] = new(Vars)
		}
		e.Text(c)
		e.Any(c, func(c *Ctx, s *Sample) bool { return !c.Cast(s, Bin) })
		c.In = Channel{}
		c.Req.Head, c.Req.Buf = new(http1.Message), []byte(request)
		if c.Req.Head.ParseRequest(c.Req.Buf) == http1.Done {
			e.Text(c)
			e.Any(c, func(c *Ctx, s *Sample) bool { return false })
		}
	})
}
