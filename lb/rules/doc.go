// Package rules compiles conditions (chapter 7 of the configuration manual) to
// closures. What is compiled once at load runs for every request and allocates
// nothing.
//
// A sample that is absent matches nothing: `hdr(x) y` is false without an X header,
// and its negation true. Where a fetch has several values (header, cookies) one that
// matches is enough.
package rules
