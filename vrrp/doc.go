// Package vrrp is the VRRP state machine: instances, elections, priorities.
//
// It is pure. A Group is stepped with the time and an event and answers with
// actions; vrrp/vrrpnet owns the sockets, the one timer and the thread. Terms
// follow RFC 3768 (VRRPv2) and keepalived's manual, and so does the behaviour,
// where the two differ keepalived's:
//
//   - `state MASTER` alone does not skip the election: every instance but an owner
//     (priority 255) starts as BACKUP and waits for the master-down interval.
//   - A backup that ranks higher ignores the master's adverts and lets its running
//     timer end, so preemption takes up to one master-down interval.
//   - A master that hears a lower rank answers with an advert and announces its
//     addresses again, so that clients which learned the other's return.
//   - Faults (interface, probes, addresses that cannot be set) end in FAULT, which
//     a master announces by priority 0.
//
// Invariants: SetVIPs{Up: true} is only ever the consequence of entering MASTER,
// and no other state is entered without SetVIPs{Up: false}; no advert with a
// priority above 0 is sent outside MASTER; an instance that finds that it stood
// still for longer than its master-down interval leaves MASTER before it sends
// anything, because another has taken over in the meantime.
package vrrp
