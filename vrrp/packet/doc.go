// Package packet reads and writes VRRP adverts (RFC 3768 and RFC 9568, with the
// simple-password authentication of RFC 2338 that keepalived still speaks) and
// the IP header before them. It is pure: bytes in, values out, no allocation once
// an Advert has room for its addresses.
//
// Version 2 (RFC 3768) carries IPv4; version 3 (RFC 9568) carries either family,
// counts the interval in hundredths of a second and knows no authentication. The
// two share their first four bytes and the place of the checksum.
package packet

// AuthType is the authentication type field of a VRRPv2 advert.
type AuthType uint8

// The authentication types of RFC 2338 section 5.3.6 that baton speaks.
const (
	AuthNone   AuthType = 0
	AuthSimple AuthType = 1
)

// Auth is the authentication of an instance. Data is the password, cut or zero
// padded to 8 bytes as keepalived does.
type Auth struct {
	Type AuthType
	Data [8]byte
}
