//go:build !race

package sample

import (
	"strings"
	"testing"
)

// allocating are the converters that say in their documentation that they allocate,
// and what holds variables for the first time.
var allocating = []string{"regsub(", "map_regm(", "set-var(", "aes_gcm_"}

// Whatever the cases evaluate, all of it works without allocating, but for the few.
func TestEvaluationAllocatesNothing(t *testing.T) {
	for _, b := range readCases(t) {
		c := testCtx(t, b.request)
		c.room()
		for _, text := range b.exprs {
			e, err := Parse(text, testOptions)
			if err != nil {
				t.Fatal(err.Msg)
			}
			skip := false
			for _, a := range allocating {
				skip = skip || strings.Contains(text, a)
			}
			if n := testing.AllocsPerRun(3, func() { e.Eval(c) }); n != 0 && !skip {
				t.Errorf("%s: %v allocations", text, n)
			}
		}
	}
}

// A variable that is set for every request keeps its memory.
func TestVariablesAllocateNothing(t *testing.T) {
	c := testCtx(t, "GET / HTTP/1.1\r\nHost: www.example.com\r\n\r\n")
	set, _ := Parse("req.hdr(host),upper,set-var(txn.h)", Options{})
	get, _ := Parse("var(txn.h),length,add(txn.n)", Options{})
	run := func() {
		c.Vars[ScopeTxn].Reset()
		set.Eval(c)
		c.SetVar(VarName{ScopeTxn, "n"}, &Sample{Type: Int, Int: 1})
		if s, ok := get.Eval(c); !ok || s.Int != int64(len("www.example.com"))+1 {
			t.Errorf("%v %v", s, ok)
		}
	}
	run()
	if n := testing.AllocsPerRun(10, run); n > 1 { // the Sample above is ours
		t.Errorf("%v allocations", n)
	}
}
