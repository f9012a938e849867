package rules

import (
	"net/netip"
	"testing"

	"baton/lb/http1"
	"baton/lb/sample"
	"baton/lb/spec"
)

func test(name, value string) spec.Test {
	return newTest("req.hdr("+name+")", "str", false, []string{value})
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
	x := &sample.Ctx{Client: sample.Conn{Src: netip.MustParseAddrPort("[::ffff:192.0.2.1]:1234")}}
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
	x := &sample.Ctx{World: world{}}
	x.Req.Head = new(http1.Message)
	f.Fuzz(func(t *testing.T, b []byte) {
		x.Req.Head.Reset()
		x.Req.Buf = b
		if x.Req.Head.ParseRequest(b) != http1.Done {
			return
		}
		for _, c := range conds {
			c.cond(x)
		}
	})
}

// While bytes may come that change a test's result, what depends on it is open.
func TestVerdicts(t *testing.T) {
	open := spec.Term{Any: []spec.Test{newTest("req.payload(0,4)", "found", false, nil)}}
	yes := spec.Term{Any: []spec.Test{newTest("always_true", "bool", false, nil)}}
	no := spec.Term{Any: []spec.Test{newTest("always_false", "bool", false, nil)}}
	notOpen := spec.Term{Any: open.Any, Not: true}
	x := &sample.Ctx{In: sample.Channel{B: []byte("ab")}}
	for _, c := range []struct {
		name string
		cond *spec.Cond
		want Verdict
	}{
		{"open", &spec.Cond{Or: [][]spec.Term{{open}}}, Maybe},
		{"not open", &spec.Cond{Or: [][]spec.Term{{notOpen}}}, Maybe},
		{"unless open", &spec.Cond{Or: [][]spec.Term{{open}}, Unless: true}, Maybe},
		{"open or true", &spec.Cond{Or: [][]spec.Term{{open}, {yes}}}, Yes},
		{"open or false", &spec.Cond{Or: [][]spec.Term{{open}, {no}}}, Maybe},
		{"open and true", &spec.Cond{Or: [][]spec.Term{{open, yes}}}, Maybe},
		{"open and false", &spec.Cond{Or: [][]spec.Term{{open, no}}}, No},
		{"false and open", &spec.Cond{Or: [][]spec.Term{{no, open}}}, No},
	} {
		if got := Judge(c.cond)(x); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	x.Final = true
	if got := Judge(&spec.Cond{Or: [][]spec.Term{{notOpen}}})(x); got != Yes {
		t.Errorf("at the end: %v, want %v", got, Yes)
	}
}
