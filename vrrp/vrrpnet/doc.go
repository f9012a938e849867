// Package vrrpnet is the shell around the pure state machine of package vrrp:
// it owns the protocol-112 sockets, the one timer, and the thread that drives
// every instance.
//
// The Speaker's loop is one goroutine; the thread that it runs on is called the VRRP
// thread. It waits in ppoll(2) on its sockets and an eventfd, with the earliest
// deadline as the time limit: no channel, no netpoller, no other goroutine stands
// between an expired timer and the advert. Where it is allowed the thread runs under
// SCHED_RR and the process's memory is locked; thread.go says how it keeps from
// depending on ordinary threads. One thing cannot be helped in Go: to return from a
// system call a thread needs one of the GOMAXPROCS slots, so the program must leave
// some idle (fewer busy event loops than GOMAXPROCS).
//
// The loop allocates nothing per advert, takes no lock, and never waits for a
// reader: orders reach it through a lock-free mailbox, what it has to say leaves
// through a bounded queue that drops rather than blocks, and Status reads
// atomically published values. A consumer that fell behind is brought up to date
// with the present states (Event kind Resync), so a state change is never lost,
// only the steps between.
package vrrpnet
