package vip

import (
	"iter"
	"net/netip"
	"time"
)

// Address is one virtual address as the operator configured it.
type Address struct {
	Prefix    netip.Prefix // address and length; a single address when the file names none
	Interface string
	Label     string     // optional, e.g. eth0:vip; IPv4 only
	Scope     uint8      // RT_SCOPE_*, 0 = universe (global)
	Broadcast netip.Addr // optional; IPv4 only
	Peer      netip.Addr // optional: the far end, which Prefix's length is then of

	Preference    Preference
	NoPrefixRoute bool // the kernel makes no route to its network
	Home          bool // IPv6: a home address of mobile IP
	TempAddresses bool // IPv6, length 64: the kernel makes temporary addresses beside it (mngtmpaddr)
}

// Preference is whether this host may choose the address as the source of its own
// connections (preferred_lft).
type Preference uint8

// The preferences.
const (
	ByLength   Preference = iota // not if it is a single IPv6 address
	Preferred                    // forever
	Deprecated                   // 0
)

// Deprecated reports whether another source is to be chosen if there is one.
func (a Address) Deprecated() bool {
	return a.Preference == Deprecated || a.Preference == ByLength && a.Prefix.Addr().Is6() && a.Prefix.IsSingleIP()
}

// is reports whether an address h of the kernel needs a new lease only to be the wanted
// one. It takes its preference with the lease, and an IPv6 address its flags.
func (a Address) is(h Address) bool {
	h.Preference = a.Preference
	if a.Prefix.Addr().Is6() {
		h.NoPrefixRoute, h.Home, h.TempAddresses = a.NoPrefixRoute, a.Home, a.TempAddresses
	}
	return a == h
}

// Config is what one vrrp_instance owns.
type Config struct {
	Instance  string // the vrrp_instance's name
	Interface string // where its adverts go; default device of its addresses
	Addresses []Address
	Routes    []Route
	Rules     []Rule
	VMAC      VMAC     // of the instance: use_vmac
	Others    []VMAC   // of addresses on other interfaces or of the other family: use_vmac_addr, use_vmac of an address
	Promote   bool     // promote_secondaries: set it on every interface of the addresses
	NoAccept  bool     // no_accept: packets to and from the addresses are dropped
	Announce  Schedule // the zero one stands for DefaultSchedule

	// Static: held from the start to the end of the process whatever VRRP says
	// (static_ipaddress, static_routes, static_rules), and not announced.
	Static bool
}

// VMAC is an interface with the virtual router's hardware address, on top of another
// one (a macvlan). It is there as long as the process runs, and up while the instance
// is master. The zero VMAC is none.
type VMAC struct {
	Name     string
	Base     string
	Hardware [6]byte
}

// VMACs are all of the configuration.
func (c *Config) VMACs() iter.Seq[VMAC] {
	return func(yield func(VMAC) bool) {
		if c.VMAC.Name != "" && !yield(c.VMAC) {
			return
		}
		for _, v := range c.Others {
			if !yield(v) {
				return
			}
		}
	}
}

// VMACOf returns that with a name.
func (c *Config) VMACOf(name string) (VMAC, bool) {
	for v := range c.VMACs() {
		if v.Name == name {
			return v, true
		}
	}
	return VMAC{}, false
}

// Schedule says how a holder announces its addresses. RefreshRepeat is at least 1,
// so that one made by conf/keepalived is never the zero one.
type Schedule struct {
	Repeat         int           // frames of a burst, per address: garp_master_repeat
	Again          time.Duration // until a second burst follows, 0: none follows: garp_master_delay
	ConflictRepeat int           // the same for a conflict: garp_lower_prio_repeat, 0: none
	ConflictAgain  time.Duration // garp_lower_prio_delay
	Refresh        time.Duration // between refreshes while nothing happens, 0: no refreshes
	RefreshRepeat  int           // frames of a refresh, per address
	ARPInterval    time.Duration // pause between two ARP frames on one interface: vrrp_garp_interval
	NAInterval     time.Duration // pause between two neighbour advertisements on one interface
	Extra          time.Duration // between announcements of the addresses on interfaces by which no adverts leave, 0: none: garp_extra_if
	ExtraAll       bool          // ... of all addresses
	Form           ARPForm       // of gratuitous ARP
}

// ARPForm says as what gratuitous ARP is sent. Hosts learn from either; there are
// routers and switches that heed one form only.
type ARPForm uint8

// The forms.
const (
	ARPRequest ARPForm = iota // what keepalived sends
	ARPReply
	ARPBoth
)

func (f ARPForm) String() string {
	return [...]string{ARPRequest: "request", ARPReply: "reply", ARPBoth: "both"}[f]
}

// DefaultSchedule is what keepalived does by default, and a refresh for switches
// that forget an address sooner than hosts do.
func DefaultSchedule() Schedule {
	return Schedule{
		Repeat: 5, Again: 5 * time.Second,
		ConflictRepeat: 5, ConflictAgain: 5 * time.Second,
		Refresh: 60 * time.Second, RefreshRepeat: 1,
	}
}
