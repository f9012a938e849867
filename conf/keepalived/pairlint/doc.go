// Package pairlint compares the configurations of two nodes that share virtual
// routers, before they run: whether they hear each other, which priorities both can
// reach, which tracker can never move an address, and what leaves nobody or two as
// master. It knows what the files say and nothing else: a finding about a source
// address needs one in the files.
//
// An error is a pair that fails when it is needed: two masters, none, or an address
// that stays on a node that has failed. A warning is a pair that works but not as
// somebody meant it.
package pairlint
