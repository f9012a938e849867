package rules

import (
	"encoding/json"
	"net/netip"
	"os"
	"regexp"
	"strings"
	"testing"

	"baton/lb/http1"
	"baton/lb/pattern"
	"baton/lb/sample"
	"baton/lb/spec"
)

// judged is what testdata/haproxy.txt holds: requests that were sent to HAProxy
// 2.6, and per condition a digit for each of them: 1 where it held.
type judged struct {
	dst   netip.Addr
	bytes []byte
}

// judgedCond is one condition and its verdicts.
type judgedCond struct {
	text     string
	cond     Cond
	verdicts string
}

// TestLikeHAProxy compares every condition on every request with HAProxy's verdict.
func TestLikeHAProxy(t *testing.T) {
	requests, conds := readJudged(t)
	for _, c := range conds {
		for i, r := range requests {
			want := c.verdicts[i] == '1'
			if got := c.cond(ctxOf(t, r)); got != want {
				t.Errorf("{ %s } is %v, HAProxy says %v for %q", c.text, got, want, r.bytes)
			}
		}
	}
}

func readJudged(t testing.TB) (requests []judged, conds []judgedCond) {
	text, err := os.ReadFile("testdata/haproxy.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		word, rest, _ := strings.Cut(line, " ")
		switch word {
		case "#", "":
		case "request":
			dst, raw, _ := strings.Cut(rest, " ")
			requests = append(requests, judged{netip.MustParseAddr(dst), []byte(unquote(t, raw))})
		default:
			cond := Compile(&spec.Cond{Or: [][]spec.Term{{{Any: []spec.Test{parseTest(t, rest)}}}}})
			conds = append(conds, judgedCond{rest, cond, word})
		}
	}
	if len(requests) == 0 || len(conds) == 0 {
		t.Fatal("testdata/haproxy.txt is empty")
	}
	return requests, conds
}

func ctxOf(t testing.TB, r judged) *sample.Ctx {
	x := &sample.Ctx{
		Client: sample.Conn{Src: netip.AddrPortFrom(r.dst, 40000), Dst: netip.AddrPortFrom(r.dst, 18131)},
		World:  world{},
	}
	x.Req.Head, x.Req.Buf = new(http1.Message), r.bytes
	if st := x.Req.Head.ParseRequest(r.bytes); st != http1.Done {
		t.Fatalf("%q: %v", r.bytes, st)
	}
	return x
}

// world has a backend called two, of two servers.
type world struct{ sample.World }

func (world) BackendCount(name string, _ sample.Count) (int64, bool) {
	return map[string]int64{"two": 2}[name], true
}

var testSyntax = regexp.MustCompile(`^(\S+) -m ([a-z]+) (-i )?(.*)$`)

// parseTest reads `hdr(x-l) -m sub -i "a" "b"`, patterns quoted as in JSON.
func parseTest(t testing.TB, s string) spec.Test {
	m := testSyntax.FindStringSubmatch(s)
	if m == nil {
		t.Fatalf("test %q: bad syntax", s)
	}
	var words []string
	d := json.NewDecoder(strings.NewReader(m[4]))
	for d.More() {
		var p string
		if err := d.Decode(&p); err != nil {
			t.Fatal(err)
		}
		words = append(words, p)
	}
	return newTest(m[1], m[2], m[3] != "", words)
}

// newTest panics on mistakes: tests make none.
func newTest(expr, method string, noCase bool, words []string) spec.Test {
	e, bad := sample.Parse(expr, sample.Options{})
	if bad != nil {
		panic(expr + ": " + bad.Msg)
	}
	m, ok := pattern.MethodOf(method)
	if !ok {
		panic(method)
	}
	test := spec.Test{Expr: e, Match: m}
	if m == pattern.Found || m == pattern.Bool {
		return test
	}
	var lines []pattern.Line
	for _, w := range words {
		lines = append(lines, pattern.Line{Pattern: w})
	}
	set, err := pattern.Compile(pattern.Options{Method: m, FoldCase: noCase}, lines)
	if err != nil {
		panic(err)
	}
	test.Patterns = []spec.Patterns{{Words: words, FoldCase: noCase, Set: set}}
	return test
}

func unquote(t testing.TB, s string) string {
	var v string
	if err := json.Unmarshal([]byte(s), &v); err != nil {
		t.Fatal(err)
	}
	return v
}
