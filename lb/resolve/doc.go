// Package resolve finds servers' addresses by DNS while the balancer runs, as
// chapter 5.3 of HAProxy's configuration manual describes it: the messages, when to
// ask whom for what, which answers count, and which server gets which address.
//
// It is pure: the caller sends what Lookup asks for and hands in what comes back,
// with the time. Message parsing is golang.org/x/net's.
package resolve
