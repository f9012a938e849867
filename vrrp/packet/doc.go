// Package packet reads and writes VRRP adverts (RFC 3768 section 5.1, with the
// simple-password authentication of RFC 2338 that keepalived still speaks). It is
// pure: bytes in, values out.
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
