//go:build !race

package rules

import (
	"testing"

	"baton/lb/sample"
)

// Under the race detector sync.Pool, which regexp uses, drops things at random.
func TestEvaluationAllocatesNothing(t *testing.T) {
	requests, conds := readJudged(t)
	ctxs := make([]*sample.Ctx, len(requests))
	for i, r := range requests {
		ctxs[i] = ctxOf(t, r)
	}
	for _, c := range conds {
		if n := testing.AllocsPerRun(10, func() {
			for _, x := range ctxs {
				c.cond(x)
			}
		}); n != 0 {
			t.Errorf("{ %s }: %v allocations", c.text, n)
		}
	}
}
