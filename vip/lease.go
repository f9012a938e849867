package vip

import (
	"time"

	"baton/internal/mono"
)

// The lease. The kernel counts an address's lifetime in whole seconds from its
// last renewal and looks at it with a tolerance: it may end a lifetime a quarter
// of a second early, and its timer comes up to three quarters late. With 3 s:
//
//   - after the death of the process the address is gone 2.75 to 3.75 s after
//     the last renewal, so within 4 s of the death at the latest;
//   - a living process may stand still for 1.65 s (LeaseValid - 0.25 s -
//     LeaseRenew) before it loses the address. That is far beyond a pause of the
//     garbage collector, and below the master-down interval (over 3 s)
//     of 1 s adverts. With the faster adverts of VRRPv3 the other node takes over
//     first, and the two kernels share the address until the lease ends, unless
//     the process goes on earlier: it takes the address off before anything else.
//
// The other node counts from the last advert, the kernel from the last renewal. So
// that the kernel does not let go later than that, a renewal is due leaseEarly ahead
// of its deadline for whoever is awake anyway: the thread that has just sent an advert.
// The two then stay in step, whatever their timers do.
//
// The preferred lifetime is the same: a shorter one would only mark the address
// deprecated meanwhile, which IPv4 does not heed. Where preferred_lft says so, and by
// default for a single IPv6 address, it is 0 from the start, as with keepalived: a host
// must not choose it as the source of its own connections.
const (
	LeaseValid = 3 * time.Second
	LeaseRenew = 1100 * time.Millisecond
	LeaseRetry = 100 * time.Millisecond // after a failed renewal or removal

	leaseEarly  = 200 * time.Millisecond
	leaseLatest = LeaseValid + 750*time.Millisecond // the kernel has taken the address by then
)

// Lease is the right to an address until the kernel takes it away. The zero
// Lease is none.
type Lease struct {
	Held    bool
	Since   mono.Time // first confirmed
	Renewed mono.Time // last confirmed
}

// Remaining is how long the kernel leaves the address there without a renewal.
func (l Lease) Remaining(now mono.Time) time.Duration {
	if !l.Held {
		return 0
	}
	return max(0, LeaseValid-now.Sub(l.Renewed))
}

func (l *Lease) confirm(now mono.Time) {
	if !l.Held {
		l.Held, l.Since = true, now
	}
	l.Renewed = now
}

// overdue reports whether the kernel must have taken the address.
func (l Lease) overdue(now mono.Time) bool { return l.Held && now.Sub(l.Renewed) >= leaseLatest }
