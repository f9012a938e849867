// Package vip decides which virtual addresses stand on which interface.
//
// It is pure: a desired set and the present set become an ordered Plan, leases
// say when each address must be renewed, and the announcement schedule says when
// gratuitous ARP is due. vip/kernel applies plans by netlink and sends the ARP.
package vip
