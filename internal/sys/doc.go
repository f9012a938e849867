// Package sys is the only home of golang.org/x/sys/unix: the system calls that
// baton makes beyond the standard library, under plain names.
//
// Calls on the balancer's request path are raw: they tell the Go scheduler
// nothing, which is right only because every descriptor there is non-blocking.
package sys
