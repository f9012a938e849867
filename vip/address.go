package vip

import "net/netip"

// Address is one virtual address as the operator configured it.
type Address struct {
	Prefix    netip.Prefix // address and length; /32 when the file names none
	Interface string
	Label     string     // optional, e.g. eth0:vip
	Scope     uint8      // RT_SCOPE_*, 0 = universe (global)
	Broadcast netip.Addr // optional
}

// Config is what one vrrp_instance owns.
type Config struct {
	Instance  string // the vrrp_instance's name
	Interface string // where its adverts go; default device of its addresses
	Addresses []Address
}
