<<<<<<< HEAD
// Package compat gives the same files to the HAProxy of this host and to baton and
// compares what they make of them. Differences that are meant are listed with their
// reason. Where no haproxy is installed its tests skip themselves.
=======
// Package compat drives HAProxy and baton with the same configuration and the same
// requests and compares what they do. Its tests skip where haproxy is not installed.
>>>>>>> d525146 (test/compat: the same servers as a running haproxy; proxy: numbers of servers without an id)
package compat
