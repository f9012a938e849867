// Package mono holds instants of the monotonic clock as plain integers.
//
// The pure packages take a Time as an argument and never read a clock; only
// the shells (event loops, the VRRP thread) call Now.
package mono

import (
	"math"
	"time"
)

// Time is an instant: nanoseconds since the process started.
type Time int64

// Never is later than every instant: the deadline of something that has none.
const Never Time = math.MaxInt64

// Add returns t+d. Never stays Never.
func (t Time) Add(d time.Duration) Time {
	if t == Never {
		return Never
	}
	return t + Time(d)
}

// Sub returns the duration t-u.
func (t Time) Sub(u Time) time.Duration { return time.Duration(t - u) }

// Before reports whether t is earlier than u.
func (t Time) Before(u Time) bool { return t < u }

// Min returns the earlier of two instants.
func Min(a, b Time) Time { return min(a, b) }

var start = time.Now()

// Now reads the clock. Pure packages must not call it (internal/lint checks).
func Now() Time { return Time(time.Since(start)) }

// Wall returns the wall-clock time of t by today's clock, for logs and status
// output: when somebody sets the clock, earlier instants move with it.
func (t Time) Wall() time.Time {
	now := time.Now()
	return now.Add(time.Duration(t) - now.Sub(start)).Round(0)
}
