// Package vrrp is the VRRP state machine: instances, elections, priorities.
//
// It is pure. A Group is stepped with the time and an event and answers with
// actions; vrrp/vrrpnet owns the sockets, the one timer and the thread. Terms
// follow RFC 3768 (VRRPv2) and keepalived's manual.
package vrrp
