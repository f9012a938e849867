// Package proxy holds the balancer's sessions: what happens between accepting a
// client's connection and the log line, in mode tcp and in mode http.
//
// Frontend, Backend and Server are the runtime objects that all event loops
// share; what they share is atomic, or behind a mutex held for a few
// instructions. A Worker is one loop's part: its pickers, its idle server
// connections, its listeners. Sessions run as engine tasks and obey that
// package's rules.
package proxy
