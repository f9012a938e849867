package rules

import (
	"encoding/json"
	"net/netip"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"baton/lb/http1"
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

func ctxOf(t testing.TB, r judged) *Ctx {
	x := &Ctx{
		Head: new(http1.Message), Buf: r.bytes,
		Src: netip.AddrPortFrom(r.dst, 40000), Dst: netip.AddrPortFrom(r.dst, 18131),
		NbSrv: func(b string) int { return map[string]int{"two": 2}[b] },
	}
	if st := x.Head.ParseRequest(r.bytes); st != http1.Done {
		t.Fatalf("%q: %v", r.bytes, st)
	}
	return x
}

var testSyntax = regexp.MustCompile(`^([a-z_.]+)(?:\(([^)]*)\))? -m ([a-z]+) (-i )?(.*)$`)

var fetches = map[string]spec.Fetch{
	"always_true": spec.FetchTrue, "always_false": spec.FetchFalse, "path": spec.FetchPath, "url": spec.FetchURL,
	"method": spec.FetchMethod, "hdr": spec.FetchHdr, "req.ver": spec.FetchReqVer, "src": spec.FetchSrc, "dst": spec.FetchDst,
	"dst_port": spec.FetchDstPort, "nbsrv": spec.FetchNbSrv, "ssl_fc": spec.FetchSSLFc,
}

var matches = map[string]spec.Match{
	"bool": spec.MatchBool, "found": spec.MatchFound, "str": spec.MatchExact, "beg": spec.MatchBegin, "end": spec.MatchEnd,
	"sub": spec.MatchSub, "dir": spec.MatchDir, "dom": spec.MatchDom, "len": spec.MatchLen, "reg": spec.MatchRegex,
	"int": spec.MatchInt, "ip": spec.MatchIP,
}

// parseTest reads `hdr(x-l) -m sub -i "a" "b"`, patterns quoted as in JSON.
func parseTest(t testing.TB, s string) spec.Test {
	m := testSyntax.FindStringSubmatch(s)
	if m == nil {
		t.Fatalf("test %q: bad syntax", s)
	}
	fetch, ok := fetches[m[1]]
	match, ok2 := matches[m[3]]
	if !ok || !ok2 {
		t.Fatalf("test %q: unknown word", s)
	}
	test := spec.Test{Fetch: fetch, Arg: m[2], Match: match, NoCase: m[4] != ""}
	d := json.NewDecoder(strings.NewReader(m[5]))
	for d.More() {
		var p string
		if err := d.Decode(&p); err != nil {
			t.Fatal(err)
		}
		switch match {
		case spec.MatchRegex:
			if test.NoCase {
				p = "(?i)" + p
			}
			test.Regexps = append(test.Regexps, regexp.MustCompile(p))
		case spec.MatchIP:
			test.Prefixes = append(test.Prefixes, prefixOf(p))
		case spec.MatchInt, spec.MatchLen:
			test.Ints = append(test.Ints, rangeOf(t, p))
		default:
			test.Strings = append(test.Strings, p)
		}
	}
	return test
}

func prefixOf(s string) netip.Prefix {
	if strings.Contains(s, "/") {
		return netip.MustParsePrefix(s)
	}
	a := netip.MustParseAddr(s)
	return netip.PrefixFrom(a, a.BitLen())
}

func rangeOf(t testing.TB, s string) spec.IntRange {
	lo, hi, isRange := strings.Cut(s, ":")
	if !isRange {
		hi = lo
	}
	r := spec.IntRange{Hi: 1<<63 - 1}
	for _, side := range []struct {
		text string
		to   *int64
	}{{lo, &r.Lo}, {hi, &r.Hi}} {
		if side.text == "" {
			continue
		}
		n, err := strconv.ParseInt(side.text, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		*side.to = n
	}
	return r
}

func unquote(t testing.TB, s string) string {
	var v string
	if err := json.Unmarshal([]byte(s), &v); err != nil {
		t.Fatal(err)
	}
	return v
}
