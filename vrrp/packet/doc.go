// Package packet reads and writes VRRP adverts (RFC 3768 section 5.1, with the
// simple-password authentication of RFC 2338 that keepalived still speaks) and
// the IPv4 header before them. It is pure: bytes in, values out, no allocation
// once an Advert has room for its addresses.
//
// Version 2 is spoken. Version 3 keeps the first four bytes and the place of the
// checksum; it will be a second layout behind the same Parse and Append, chosen
// by Advert.Version.
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
