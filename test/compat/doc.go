// Package compat gives the same files to the HAProxy of this host and to baton and
// compares what they make of them. Differences that are meant are listed with their
// reason. Where no haproxy is installed its tests skip themselves.
package compat
