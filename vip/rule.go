package vip

import (
	"fmt"
	"net/netip"
	"strings"
)

// Rule is one rule of the routing policy, as the operator configured it or as the
// kernel has it.
type Rule struct {
	IPv6     bool
	Not      bool // it applies to what does not match
	From, To netip.Prefix
	In, Out  string // interfaces
	Mark     uint32 // fwmark
	Mask     uint32 // of fwmark; 0 without Mark
	TOS      uint8
	Priority uint32    // 0: the kernel chooses one
	Table    uint32    // where to look; 0 with Kind other than Unicast
	Kind     RouteKind // Unicast: look in Table
	Suppress uint32    // suppress_prefixlength plus 1; 0: none
}

// String is the rule as ip-rule(8) writes it.
func (r Rule) String() string {
	var b strings.Builder
	if r.IPv6 {
		b.WriteString("inet6 ")
	}
	if r.Not {
		b.WriteString("not ")
	}
	b.WriteString("from ")
	if r.From.IsValid() {
		b.WriteString(r.From.String())
	} else {
		b.WriteString("all")
	}
	if r.To.IsValid() {
		fmt.Fprintf(&b, " to %s", r.To)
	}
	if r.In != "" {
		fmt.Fprintf(&b, " iif %s", r.In)
	}
	if r.Out != "" {
		fmt.Fprintf(&b, " oif %s", r.Out)
	}
	if r.Mask != 0 {
		fmt.Fprintf(&b, " fwmark %#x/%#x", r.Mark, r.Mask)
	}
	if r.TOS != 0 {
		fmt.Fprintf(&b, " tos %#x", r.TOS)
	}
	if r.Priority != 0 {
		fmt.Fprintf(&b, " priority %d", r.Priority)
	}
	if r.Kind == Unicast {
		fmt.Fprintf(&b, " table %d", r.Table)
	} else {
		b.WriteString(" " + r.Kind.String())
	}
	if r.Suppress != 0 {
		fmt.Fprintf(&b, " suppress_prefixlength %d", r.Suppress-1)
	}
	return b.String()
}

// is reports whether the kernel's rule h is the wanted one.
func (r Rule) is(h Rule) bool {
	if r.Priority == 0 {
		h.Priority = 0
	}
	return r == h
}

// DiffRules returns which rules of ours have to go, and which are missing, in the
// order of want. have must not hold rules of somebody else.
func DiffRules(have, want []Rule) (remove, add []Rule) {
	return difference(have, want, Rule.is)
}
