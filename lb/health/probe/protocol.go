package probe

import (
	"bytes"
	"encoding/binary"

	"baton/lb/health"
	"baton/lb/spec"
)

// protocol judges the answers that take more than a pattern.
func protocol(k spec.ExpectKind, b []byte, last bool) (health.Result, verdict) {
	r, v := health.Result{}, undecided
	switch k {
	case spec.ExpectMySQL:
		r, v = mysql(b, false)
	case spec.ExpectMySQLAnswer:
		r, v = mysql(b, true)
	case spec.ExpectLDAP:
		r, v = ldap(b)
	case spec.ExpectAgent:
		return agentLine(b, last)
	}
	if v == undecided && last {
		return health.Result{Status: health.L7Invalid}, failed
	}
	return r, v
}

// mysql reads the server's handshake packet, whose text is its version, and with
// login the answer to what was sent. A packet is 3 bytes of length, least first, a
// number, and the payload; one that begins with 0xff is an error: code and text.
func mysql(b []byte, login bool) (health.Result, verdict) {
	packet, rest, whole := mysqlPacket(b)
	if !whole {
		return health.Result{}, undecided
	}
	if r, bad := mysqlError(packet); bad {
		return r, failed
	}
	if len(packet) < 2 {
		return health.Result{Status: health.L7Invalid}, failed
	}
	version, _, ended := bytes.Cut(packet[1:], []byte{0}) // after the protocol's number
	if !ended {
		return health.Result{Status: health.L7Invalid}, failed
	}
	if login {
		if packet, _, whole = mysqlPacket(rest); !whole {
			return health.Result{}, undecided
		}
		if r, bad := mysqlError(packet); bad {
			return r, failed
		}
	}
	return health.Result{Status: health.L7OK, Info: string(version)}, met
}

func mysqlPacket(b []byte) (payload, rest []byte, whole bool) {
	const head = 4
	if len(b) < head {
		return nil, nil, false
	}
	size := int(b[0]) | int(b[1])<<8 | int(b[2])<<16
	if len(b) < head+size {
		return nil, nil, false
	}
	return b[head : head+size], b[head+size:], true
}

func mysqlError(payload []byte) (health.Result, bool) {
	if len(payload) < 3 || payload[0] != 0xff {
		return health.Result{}, false
	}
	return health.Result{Status: health.L7Status, Code: int(binary.LittleEndian.Uint16(payload[1:])), Info: string(payload[3:])}, true
}

// ldap reads a BindResponse (RFC 4511 sections 4.1.1 and 4.2.2): a sequence of the
// message's number 1 and, tagged 0x61, the result.
func ldap(b []byte) (health.Result, verdict) {
	foreign := health.Result{Status: health.L7Invalid, Info: "Not LDAPv3 protocol"}
	const least = 14 // the shortest answer
	switch {
	case len(b) < least:
		return health.Result{}, undecided
	case b[0] != 0x30:
		return foreign, failed
	}
	body, short := berLength(b[1:])
	switch {
	case short:
		return health.Result{}, undecided
	case !bytes.HasPrefix(body, []byte{0x02, 0x01, 0x01}[:min(3, len(body))]):
		return foreign, failed
	case len(body) < 4:
		return health.Result{}, undecided
	case body[3] != 0x61:
		return foreign, failed
	}
	result, short := berLength(body[4:])
	switch {
	case short || len(result) < 3:
		return health.Result{}, undecided
	case result[0] != 0x0a || result[1] != 0x01:
		return foreign, failed
	case result[2] != 0:
		return health.Result{Status: health.L7Status, Code: int(result[2]), Info: "See RFC: http://tools.ietf.org/html/rfc4511#section-4.1.9"}, failed
	}
	return health.Result{Status: health.L7OK, Info: "Success"}, met
}

// berLength skips a length of one byte, or one that says how many follow.
func berLength(b []byte) (rest []byte, short bool) {
	if len(b) == 0 {
		return nil, true
	}
	n := 1
	if b[0]&0x80 != 0 {
		n += int(b[0] & 0x7f)
	}
	if len(b) < n {
		return nil, true
	}
	return b[n:], false
}
