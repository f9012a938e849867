// Package haproxycli is what baton needs to stand in for the program haproxy:
// its command line, what it prints, the master of master-worker mode, and the way
// in which one process hands its listening sockets to the next.
//
// What a flag means is in the management guide, chapter 3; what runs, cmd/baton
// and internal/daemon decide.
package haproxycli
