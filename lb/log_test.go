package lb_test

import (
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"baton/lb/logfmt"
)

// What differs from run to run is masked: ports, dates, times that were reached.
var (
	masked = regexp.MustCompile(`^(cp|bp|sp|fp|pid|t|tr|trg|trl|T|Tl|Ts|ms|ID|H|lc|rt|si)=[^-].*`)
	timer  = regexp.MustCompile(`^(T[acdhiqrRtuw])=(\+?)\d+$`)
)

func maskField(f string) string {
	f = timer.ReplaceAllString(f, "$1=${2}t")
	return masked.ReplaceAllString(f, "$1=<>")
}

// everyAlias is a format of all aliases, field by field.
func everyAlias(http bool) string {
	var fields []string
	for _, a := range logfmt.AliasNames() {
		if _, err := logfmt.Compile("%"+a, logfmt.Syntax{HTTP: http}); err != nil || a == "OG" { // 2.6 has no %OG
			continue
		}
		fields = append(fields, a+"=%"+a)
	}
	fields = append(fields, "e1=%[src,ipmask(16)]", "e2=%[fe_name]/%[be_name]", "e3=%{+Q}[dst_port,add(1),sub(1),mul(0)]", "e4=%[str(a b)]%{+Q}[str()]", "e5=%[bool(1)]")
	if http {
		fields = append(fields, "e6=%[capture.req.hdr(0),upper]", "e7=%{+Q}[capture.res.hdr(0)]", "e8=%[capture.req.method] %[capture.req.uri] %[capture.req.ver]",
			"e9=%[var(txn.x)]", "e10=%{+E}[capture.req.hdr(3)]", "e11=%[status]", "e12=%[unique-id,length]")
	}
	return strings.Join(fields, "\x1f")
}

const logPreset = "global\n nbthread 1\ndefaults\n log {log}\n timeout connect 2s\n timeout client 2s\n timeout server 2s\n"

// A story is played to both balancers; what they log must be the same.
var logStories = []struct {
	name    string
	config  string // frontend fe to backend be follows
	mode    string
	lines   int
	play    func(r *rig)
	differs string // fields that differ: see TestLogsLikeHAProxy
}{
	{name: "get", mode: "http", lines: 1, play: func(r *rig) {
		c := r.client("fe")
		c.send("GET /a/b?x=1 HTTP/1.1\r\nHost: h\r\nX-W: h{|}\"#\\]\xe9\r\nCookie: D=e; C=w;F=g\r\nX-E: \r\nx-e: \r\n\r\n")
		o := r.accept("s1")
		o.head()
		o.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nServer: a{b|c}\"d\\e]f\r\nSet-Cookie: C=v; path=/\r\n\r\nhello")
		c.message()
	}},
	{name: "post", mode: "http", lines: 1, play: func(r *rig) {
		c := r.client("fe")
		c.send("POST http://ex.com/p?q HTTP/1.1\r\nHost: ex.com\r\nContent-Length: 4\r\n\r\nbody")
		o := r.accept("s1")
		o.message()
		o.send("HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
		c.message()
	}},
	{name: "keepalive", mode: "http", lines: 2, play: func(r *rig) {
		c := r.client("fe")
		c.send("GET /1 HTTP/1.1\r\nHost: a\r\n\r\n")
		o := r.accept("s1")
		o.head()
		o.send("HTTP/1.1 204 No Content\r\n\r\n")
		c.message()
		c.send("GET /2 HTTP/1.1\r\nHost: a\r\n\r\n")
		o.head()
		o.send("HTTP/1.1 304 Not Modified\r\n\r\n")
		c.message()
	}},
	{name: "deny", mode: "http", config: " http-request deny\n", lines: 1, play: func(r *rig) {
		c := r.client("fe")
		c.send("GET / HTTP/1.0\r\n\r\n")
		c.rest()
	}},
	{name: "redirect", mode: "http", config: " redirect location /x\n", lines: 1, play: func(r *rig) {
		c := r.client("fe")
		c.send("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n")
		c.message()
	}},
	{name: "bad", mode: "http", lines: 1, play: func(r *rig) {
		c := r.client("fe")
		c.send("GET / HTTP/1.1\r\nbad header\r\n\r\n")
		c.rest()
	}},
	{name: "noanswer", mode: "http", lines: 1, play: func(r *rig) {
		c := r.client("fe")
		c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
		o := r.accept("s1")
		o.head()
		o.Close()
		c.message()
	}},
	{name: "asap", mode: "http", config: " option logasap\n", lines: 1, play: func(r *rig) {
		c := r.client("fe")
		c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
		o := r.accept("s1")
		o.head()
		o.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel")
		c.bytes(20)
	}},
	{name: "tcp", mode: "tcp", lines: 1, play: func(r *rig) {
		c := r.client("fe")
		c.send("hello")
		o := r.accept("s1")
		o.bytes(5)
		o.send("answer")
		o.Close()
		c.rest()
		c.Close()
	}},
	{name: "tcpasap", mode: "tcp", config: " option logasap\n", lines: 1, play: func(r *rig) {
		c := r.client("fe")
		o := r.accept("s1")
		_ = o
		_ = c
	}},
	{name: "tcprefused", differs: "bi bp", mode: "tcp", config: " use_backend none if TRUE\n", lines: 1, play: func(r *rig) {
		c := r.client("fe")
		c.rest()
	}},
}

const logCaptures = ` http-request set-var(txn.x) path
 capture request header Host len 8
 capture request header X-None len 8
 capture request header X-E len 8
 capture request header X-W len 8
 capture response header Server len 40
 capture cookie C len 9
 unique-id-format %{+X}o\ %ci:%cp_%fi:%fp_%Ts_%rt:%pid
 unique-id-header X-U
`

// TestLogsLikeHAProxy compares log lines with those of the installed haproxy.
//
// %B and %U are masked in mode http. HAProxy 2.6 counts bytes of its internal form
// there (15 more for a message, 4 less for each header); ours are those on the wire.
// After a refused connection HAProxy tells its source address, which it has bound;
// ours is not known by then.
func TestLogsLikeHAProxy(t *testing.T) {
	if _, err := exec.LookPath("haproxy"); err != nil {
		t.Skip("haproxy is not installed")
	}
	for _, story := range logStories {
		t.Run(story.name, func(t *testing.T) {
			t.Parallel()
			formats := []string{` log-format "` + everyAlias(story.mode == "http") + "\"\n", " option tcplog\n"}
			if story.mode == "http" {
				formats = append(formats, " option httplog\n", " option httplog clf\n", " option httpslog\n",
					` log-format "%{+Q,+E}o `+everyAlias(true)+"\"\n", ` log-format "%{+X}o `+everyAlias(true)+"\"\n")
			}
			for _, format := range formats {
				config := logPreset + " mode " + story.mode + "\nfrontend fe\n bind {fe}\n" + format + story.config
				if story.mode == "http" {
					config += logCaptures
				}
				config += " default_backend be\nbackend be\n server s1 {s1}\nbackend none\n server n {no}\n retries 0\n"
				ours, theirs := linesOf(t, config, false, story.lines, story.play), linesOf(t, config, true, story.lines, story.play)
				for i := range theirs {
					differs := story.differs
					if story.mode == "http" {
						differs += " B U"
					}
					compareLines(t, format, strings.Fields(differs), ours[i], theirs[i])
				}
			}
		})
	}
}

func linesOf(t *testing.T, config string, haproxy bool, n int, play func(r *rig)) []string {
	r := startAs(t, config, haproxy)
	play(r)
	var lines []string
	for range n {
		lines = append(lines, r.rawLog())
	}
	return lines
}

// standard are the shapes of the standard lines: what differs from run to run, and %B,
// in groups that standardMask leaves away or makes alike.
var standard = []struct {
	line *regexp.Regexp
	keep string
}{
	{regexp.MustCompile(`^[\d.]+:\d+ \[[^]]*\] (\S+ \S+) (\S+) (\d{3}) (\+?)\d+ (- .*|\S+=.*)$`), "$1 $2 $3 $4 $5"},
	{regexp.MustCompile(`^[\d.]+:\d+ \[[^]]*\] (\S+ \S+) (\S+) (\+?)\d+ ([^ ]{2} .*)$`), "$1 $2 $3 $4"},
	{regexp.MustCompile(`^[\d.]+ - - \[[^]]*\] (".*") (\d{3}) (\+?)\d+ "" "" \d+ \d+ (".*" ".*" ".*") (t .*)$`), "$1 $2 $3 $4 $5"},
}

var clfTimers = regexp.MustCompile(`("\S+" "\S+" "\S+") (?:-?\d+ ){4}\+?\d+ `)

var reached = regexp.MustCompile(`([ /])\+?\d+`)

// maskStandard makes what was reached of the timers alike.
func maskStandard(t *testing.T, line string) string {
	for _, s := range standard {
		m := s.line.FindStringSubmatchIndex(line)
		if m == nil {
			continue
		}
		kept := string(s.line.ExpandString(nil, s.keep, line, m))
		fields := strings.Fields(kept)
		for i, f := range fields {
			if strings.Count(f, "/") >= 2 && !strings.ContainsAny(f, ":{\"") { // timers, and the counts after them
				fields[i] = strings.ReplaceAll(reached.ReplaceAllString("/"+strings.ReplaceAll(f, "-1", "no"), "${1}t"), "no", "-1")
				break
			}
		}
		return strings.Join(fields, " ")
	}
	t.Fatalf("not a standard line: %s", line)
	return ""
}

// compareLines compares fields, or, in a standard format, what is left when what
// differs from run to run is masked.
func compareLines(t *testing.T, format string, differs []string, ours, theirs string) {
	if !strings.Contains(ours, "\x1f") {
		if strings.Contains(format, "clf") { // its timers are fields of their own
			ours, theirs = clfTimers.ReplaceAllString(ours, "$1 t "), clfTimers.ReplaceAllString(theirs, "$1 t ")
		}
		if a, b := maskStandard(t, ours), maskStandard(t, theirs); a != b {
			t.Errorf("%s\n ours    %q\n haproxy %q", strings.TrimSpace(format), a, b)
		}
		return
	}
	a, b := strings.Split(ours, "\x1f"), strings.Split(theirs, "\x1f")
	if len(a) != len(b) {
		t.Fatalf("fields:\n%q\n%q", ours, theirs)
	}
	for i := range a {
		if name, _, _ := strings.Cut(a[i], "="); slices.Contains(differs, name) {
			continue
		}
		if x, y := maskField(a[i]), maskField(b[i]); x != y {
			t.Errorf("%.20q: %q, HAProxy has %q", format, a[i], b[i])
		}
	}
}

// TestErrorLogLikeHAProxy compares the lines of connections that failed before they
// were sessions: those without the PROXY header that the listener wants, and those
// whose request is none.
func TestErrorLogLikeHAProxy(t *testing.T) {
	if _, err := exec.LookPath("haproxy"); err != nil {
		t.Skip("haproxy is not installed")
	}
	for _, c := range []struct{ name, mode, bind, sends string }{
		{"no header", "tcp", " accept-proxy name one", "no header at all, but some text\r\n\r\n"},
		{"no header", "http", " accept-proxy name one", "no header at all, but some text\r\n\r\n"},
		{"no request", "http", "", "no request at all\r\n\r\n"},
		{"late request", "http", "\n timeout http-request 100ms", "GET / HTTP/1.1\r\n"},
	} {
		t.Run(c.name+" "+c.mode, func(t *testing.T) {
			t.Parallel()
			config := logPreset + " mode " + c.mode + "\nfrontend fe\n bind {fe}" + c.bind + "\n log-format of-sessions\n error-log-format \"" + everyAlias(c.mode == "http") +
				"\x1fe20=%[fc_err] %[fc_err_str]\"\n default_backend be\nbackend be\n server s1 {s1}\n"
			play := func(r *rig) {
				w := r.client("fe")
				w.send(c.sends)
				w.rest()
			}
			ours, theirs := linesOf(t, config, false, 1, play), linesOf(t, config, true, 1, play)
			compareLines(t, "error-log-format", nil, ours[0], theirs[0])
		})
	}
}
