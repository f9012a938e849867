package probe

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"baton/lb/health"
	"baton/lb/spec"

	"github.com/google/go-cmp/cmp"
)

// The runner keeps the machine's times, reports each check, and stops when told to,
// also in the middle of one.
func TestRunner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		var got []string
		results := []health.Status{health.L4OK, health.L4OK, health.L4Failed, health.L4Failed, health.L4OK}
		ctx, cancel := context.WithCancel(t.Context())
		r := Runner{
			Offset: 300 * time.Millisecond,
			Check:  spec.Check{Inter: 2 * time.Second, FastInter: 500 * time.Millisecond, DownInter: 5 * time.Second, Rise: 1, Fall: 2},
			OnReport: func(r Report) {
				got = append(got, fmt.Sprintf("%v %v changed=%v noted=%v", time.Since(begun), r.Machine.String(), r.Changed, r.Noted))
			},
			Probe: func(ctx context.Context) health.Result {
				if len(results) == 0 {
					cancel()
					<-ctx.Done()
					return health.Result{Status: health.L4Timeout}
				}
				s := results[0]
				results = results[1:]
				time.Sleep(100 * time.Millisecond)
				return health.Result{Status: s}
			},
		}
		r.Run(ctx, nil)
		want := []string{
			"400ms UP changed=false noted=true",
			"2.4s UP changed=false noted=false",
			"4.4s UP 1/2 changed=false noted=true",
			"4.9s DOWN changed=true noted=true",
			"9.9s UP changed=true noted=true",
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
	})
}
