package vip

import "net/netip"

// Entry is an address that stands, or shall stand, on an interface.
type Entry struct {
	Address
	Foreign bool // present, and put there by somebody else: it stays as it is
}

// Set is a set of addresses. Its order is the order in which they are added.
type Set []Entry

// Op is what one Step does.
type Op uint8

// The operations of a Plan.
const (
	Add    Op = iota
	Renew     // it is there and ours: give it a new lease
	Refuse    // it is there and somebody else's: leave it, and say so
	Remove
)

func (o Op) String() string {
	return [...]string{Add: "add", Renew: "renew", Refuse: "refuse", Remove: "remove"}[o]
}

// Step is one operation on one address.
type Step struct {
	Op Op
	Address
}

// Plan is a sequence of steps to be done in its order.
type Plan []Step

// Diff returns the steps that lead from have to want. What is wanted comes first
// and what has to go comes last, so that a host which gives one address for
// another is never without both. Foreign addresses that nobody wants are not
// mentioned.
//
// The kernel knows an IPv4 address by interface, address and length, so
// 10.0.0.9/24 and 10.0.0.9/32 can stand side by side. A foreign one refuses ours
// at any length: with it there the address would outlive our lease.
//
// Label, scope, broadcast, peer and, of IPv4, the flag of a present address cannot be
// changed: it is removed and added again.
func Diff(have, want Set) Plan {
	plan := make(Plan, 0, len(want))
	at := make(map[addressKey]int, len(have))
	foreign := map[host]bool{}
	for i, h := range have {
		if _, twice := at[addressKey{h.Interface, h.Prefix}]; !twice {
			at[addressKey{h.Interface, h.Prefix}] = i
		}
		if h.Foreign {
			foreign[hostOf(h.Address)] = true
		}
	}
	wanted := make([]bool, len(have))
	for _, w := range want {
		i, there := at[addressKey{w.Interface, w.Prefix}]
		if there {
			wanted[i] = true
		}
		switch {
		case foreign[hostOf(w.Address)]:
			plan = append(plan, Step{Refuse, w.Address})
		case !there:
			plan = append(plan, Step{Add, w.Address})
		case w.Address.is(have[i].Address):
			plan = append(plan, Step{Renew, w.Address})
		default:
			plan = append(plan, Step{Remove, have[i].Address}, Step{Add, w.Address})
		}
	}
	for _, h := range have {
		if !h.Foreign && !wanted[at[addressKey{h.Interface, h.Prefix}]] {
			plan = append(plan, Step{Remove, h.Address})
		}
	}
	return plan
}

// host is an address on an interface, whatever its length.
type host struct {
	ifname string
	addr   netip.Addr
}

func hostOf(a Address) host { return host{a.Interface, a.Prefix.Addr()} }
