package rules

import (
	"net/netip"
	"testing"

	"baton/lb/http1"
	"baton/lb/spec"
)

func test(name string, pattern string) spec.Test {
	return spec.Test{Fetch: spec.FetchHdr, Arg: name, Match: spec.MatchExact, Strings: []string{pattern}}
}

func TestConditions(t *testing.T) {
	x := ctxOf(t, judged{netip.MustParseAddr("192.0.2.1"), []byte("GET / HTTP/1.1\r\nHost: h\r\nA: 1\r\nB: 2\r\n\r\n")})
	yes, no, absent := test("a", "1"), test("b", "1"), test("c", "1")
	is := func(any ...spec.Test) spec.Term { return spec.Term{Any: any} }
	not := func(any ...spec.Test) spec.Term { return spec.Term{Not: true, Any: any} }
	for _, c := range []struct {
		name string
		cond *spec.Cond
		want bool
	}{
		{"none", nil, true},
		{"one", &spec.Cond{Or: [][]spec.Term{{is(yes)}}}, true},
		{"unless", &spec.Cond{Or: [][]spec.Term{{is(yes)}}, Unless: true}, false},
		{"unless not", &spec.Cond{Or: [][]spec.Term{{not(yes)}}, Unless: true}, true},
		{"and", &spec.Cond{Or: [][]spec.Term{{is(yes), is(no)}}}, false},
		{"and not", &spec.Cond{Or: [][]spec.Term{{is(yes), not(no)}}}, true},
		{"or", &spec.Cond{Or: [][]spec.Term{{is(no)}, {is(yes)}}}, true},
		{"or of nothing", &spec.Cond{Or: [][]spec.Term{{is(no)}, {is(yes), is(no)}}}, false},
		{"several lines of one ACL", &spec.Cond{Or: [][]spec.Term{{is(no, yes)}}}, true},
		{"not of several lines", &spec.Cond{Or: [][]spec.Term{{not(no, yes)}}}, false},
		{"absent", &spec.Cond{Or: [][]spec.Term{{is(absent)}}}, false},
		{"not of absent", &spec.Cond{Or: [][]spec.Term{{not(absent)}}}, true},
	} {
		if got := Compile(c.cond)(x); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// In mode tcp there is no request: its samples are absent, the connection's are not.
func TestWithoutRequest(t *testing.T) {
	x := &Ctx{Src: netip.MustParseAddrPort("[::ffff:192.0.2.1]:1234")}
	for _, c := range []struct {
		test string
		want bool
	}{
		{`path -m beg "/"`, false},
		{`path -m found `, false},
		{`url -m found `, false},
		{`method -m str "GET"`, false},
		{`req.ver -m found `, false},
		{`hdr(host) -m found `, false},
		{`src -m ip "192.0.2.0/24"`, true},
		{`src -m str "192.0.2.1"`, true},
		{`dst -m found `, false},
		{`dst -m ip "0.0.0.0/0"`, false},
	} {
		cond := Compile(&spec.Cond{Or: [][]spec.Term{{{Any: []spec.Test{parseTest(t, c.test)}}}}})
		if got := cond(x); got != c.want {
			t.Errorf("{ %s }: %v, want %v", c.test, got, c.want)
		}
	}
}

// FuzzEvaluate runs every condition of the test data on whatever parses.
func FuzzEvaluate(f *testing.F) {
	requests, conds := readJudged(f)
	for _, r := range requests {
		f.Add(r.bytes)
	}
	x := &Ctx{Head: new(http1.Message), NbSrv: func(string) int { return 1 }}
	f.Fuzz(func(t *testing.T, b []byte) {
		x.Head.Reset()
		x.Buf = b
		if x.Head.ParseRequest(b) != http1.Done {
			return
		}
		for _, c := range conds {
			c.cond(x)
		}
	})
}
