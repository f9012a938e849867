// Package proxyproto reads and writes the headers of the PROXY protocol, version 1 and
// 2, by which a proxy tells who its client is. It is pure: bytes in, values out.
//
// It accepts what HAProxy 2.6 was seen to accept, less what is no number or address: a
// port above 65535, zeros in front, an IPv4 address of other than four parts. The whole
// header has to be there at once, as HAProxy wants it.
package proxyproto
