// Package probe checks servers over the network as `check` and `option httpchk`
// say, each check on a connection of its own. A server that hangs, drips, talks
// nonsense or without end costs no more than its time limit and one buffer.
//
// The bytes sent and the verdicts follow what HAProxy 2.6 was seen to do. In one
// point baton is as lax as it is there and not as in proxied traffic: a response
// head may end its lines with a bare LF, as small check scripts do.
package probe
