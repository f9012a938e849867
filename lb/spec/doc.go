// Package spec is the balancer's configuration as plain data: what
// conf/haproxy makes of the files and what lb builds its proxies from.
//
// A spec is deterministic and says nothing about this machine: names are not
// resolved, sockets not opened. Every value is valid and every reference
// (default_backend, nbsrv(web)) leads somewhere. Durations of 0 mean "none".
package spec
