// Package vip decides which virtual addresses stand on which interface.
//
// It is pure. Diff turns the present and the desired set of addresses into an
// ordered Plan that never touches an address of somebody else. Keeper says when:
// it holds the desired set, the lease of every address and the schedule of the
// gratuitous ARP, and asks its shell for a Sync with the kernel or to Send
// frames. vip/kernel is that shell.
//
// Routes and rules go with the addresses: DiffRoutes and DiffRules do for them what Diff does.
//
// Invariant: an address that no living process renews is gone within 4 s (see
// LeaseValid), whatever else has failed.
package vip
