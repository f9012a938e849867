package proxyproto

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"net/netip"
	"strconv"
)

// Verdict is what Parse says of the bytes that a connection began with.
type Verdict uint8

// The verdicts. All but Valid end the connection.
const (
	Valid Verdict = iota
	Truncated
	Foreign // another protocol, or another version of this one
	Invalid
)

// String is the text that HAProxy logs for it.
func (v Verdict) String() string {
	switch v {
	case Truncated:
		return "Truncated PROXY protocol header received"
	case Foreign:
		return "Received something which does not look like a PROXY protocol header"
	case Invalid:
		return "Received an invalid PROXY protocol header"
	}
	return ""
}

// Limits of what a header may hold.
const (
	maxV1        = 107 // the line end included
	maxAuthority = 255
	maxUniqueID  = 128
)

// Header is a header that was read. Its slices are views of the bytes read.
type Header struct {
	// Src and Dst are the client's addresses. Invalid ones (UNKNOWN, LOCAL) leave those of
	// the connection in force.
	Src, Dst  netip.AddrPort
	Authority []byte // the host name that the client asked for; nil: not told
	UniqueID  []byte // nil: not told
	TLVs      []byte // version 2: all that stands behind the addresses, see Each
}

// Types of the TLVs (specification, chapter 2.2).
const (
	TypeALPN      = 0x01
	TypeAuthority = 0x02
	TypeCRC32C    = 0x03
	TypeNoop      = 0x04
	TypeUniqueID  = 0x05
	TypeSSL       = 0x20
	TypeNetNS     = 0x30
)

const signature = "\r\n\r\n\x00\r\nQUIT\n"

// Parse reads the header at the start of b, n bytes long.
func Parse(b []byte) (h Header, n int, v Verdict) {
	switch {
	case len(b) == 0:
		return h, 0, Truncated
	case b[0] == signature[0]:
		return parse2(b)
	}
	return parse1(b)
}

const prefix1 = "PROXY "

func parse1(b []byte) (h Header, n int, v Verdict) {
	line := b[:min(len(b), maxV1)]
	if !bytes.HasPrefix(line, []byte(prefix1)[:min(len(line), len(prefix1))]) {
		return h, 0, Foreign
	}
	end := bytes.IndexByte(line, '\n')
	if end < 0 {
		return h, 0, Truncated
	}
	line, ok := bytes.CutSuffix(line[:end], []byte{'\r'})
	if !ok {
		return h, 0, Truncated
	}
	if len(line) < len(prefix1) {
		return h, 0, Invalid
	}
	rest := line[len(prefix1):]
	if string(rest) == "UNKNOWN" {
		return h, end + 1, Valid
	}
	family, rest, _ := bytes.Cut(rest, space)
	src, rest, _ := bytes.Cut(rest, space)
	dst, rest, _ := bytes.Cut(rest, space)
	srcPort, dstPort, _ := bytes.Cut(rest, space)
	var six bool
	switch string(family) {
	case "TCP4":
	case "TCP6":
		six = true
	default:
		return h, 0, Invalid
	}
	if h.Src, ok = addrPort(src, srcPort, six); !ok {
		return Header{}, 0, Invalid
	}
	if h.Dst, ok = addrPort(dst, dstPort, six); !ok {
		return Header{}, 0, Invalid
	}
	return h, end + 1, Valid
}

var space = []byte{' '}

func addrPort(host, port []byte, six bool) (a netip.AddrPort, ok bool) {
	addr, err := netip.ParseAddr(string(host))
	if err != nil || addr.Is6() != six || addr.Zone() != "" {
		return a, false
	}
	if len(port) == 0 || len(port) > 1 && port[0] == '0' || port[0] == '+' {
		return a, false
	}
	n, err := strconv.ParseUint(string(port), 10, 16)
	return netip.AddrPortFrom(addr, uint16(n)), err == nil
}

// Bytes of a version 2 header.
const (
	headLen  = 16
	version2 = 0x20
	cmdLocal = 0x0
	cmdProxy = 0x1
	overTCP4 = 0x11
	overTCP6 = 0x21
	len4     = 12
	len6     = 36
)

func parse2(b []byte) (h Header, n int, v Verdict) {
	if !bytes.HasPrefix(b, []byte(signature)[:min(len(b), len(signature))]) {
		return h, 0, Foreign
	}
	if len(b) < headLen {
		return h, 0, Truncated
	}
	version, command, family := b[12]&0xf0, b[12]&0x0f, b[13]
	if version != version2 {
		return h, 0, Foreign
	}
	n = headLen + int(binary.BigEndian.Uint16(b[14:]))
	if len(b) < n {
		return h, 0, Truncated
	}
	body := b[headLen:n]
	switch {
	case command == cmdLocal:
		return h, n, Valid // a check by the proxy itself; what else it says is of no interest
	case command != cmdProxy:
		return h, 0, Invalid
	case family == overTCP4 && len(body) >= len4:
		h.Src = netip.AddrPortFrom(netip.AddrFrom4([4]byte(body)), binary.BigEndian.Uint16(body[8:]))
		h.Dst = netip.AddrPortFrom(netip.AddrFrom4([4]byte(body[4:])), binary.BigEndian.Uint16(body[10:]))
		h.TLVs = body[len4:]
	case family == overTCP6 && len(body) >= len6:
		h.Src = netip.AddrPortFrom(netip.AddrFrom16([16]byte(body)), binary.BigEndian.Uint16(body[32:]))
		h.Dst = netip.AddrPortFrom(netip.AddrFrom16([16]byte(body[16:])), binary.BigEndian.Uint16(body[34:]))
		h.TLVs = body[len6:]
	default:
		return h, 0, Invalid
	}
	if !h.readTLVs(b[:n]) {
		return Header{}, 0, Invalid
	}
	return h, n, Valid
}

// readTLVs looks into h.TLVs, which end the header whole. Of several of one type the
// last counts.
func (h *Header) readTLVs(whole []byte) bool {
	for rest := h.TLVs; len(rest) > 0; {
		typ, value, next, ok := cut(rest)
		if !ok {
			return false
		}
		switch typ {
		case TypeAuthority:
			if len(value) > maxAuthority {
				return false
			}
			h.Authority = value
		case TypeUniqueID:
			if len(value) > maxUniqueID {
				return false
			}
			h.UniqueID = value
		case TypeCRC32C:
			if len(value) != 4 || binary.BigEndian.Uint32(value) != checksum(whole, len(whole)-len(next)-4) {
				return false
			}
		}
		rest = next
	}
	return true
}

func cut(b []byte) (typ byte, value, rest []byte, ok bool) {
	if len(b) < 3 {
		return 0, nil, nil, false
	}
	n := 3 + int(binary.BigEndian.Uint16(b[1:]))
	if len(b) < n {
		return 0, nil, nil, false
	}
	return b[0], b[3:n:n], b[n:], true
}

// checksum is the CRC32c of a header whose four bytes at sum count as zeros.
func checksum(whole []byte, sum int) uint32 {
	c := crc32.Update(0, castagnoli, whole[:sum])
	c = crc32.Update(c, castagnoli, zeros)
	return crc32.Update(c, castagnoli, whole[sum+4:])
}

var (
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
	zeros      = []byte{0, 0, 0, 0}
)

// Each calls f for every TLV of a header that Parse found valid.
func (h *Header) Each(f func(typ byte, value []byte)) {
	for rest := h.TLVs; len(rest) > 0; {
		typ, value, next, _ := cut(rest)
		f(typ, value)
		rest = next
	}
}

// SSL is what a TypeSSL TLV tells of the client's TLS connection (specification,
// chapter 2.2.6).
type SSL struct {
	TLS      bool // the client came by TLS
	CertConn bool // it showed a certificate on this connection
	CertSess bool // or on another one of the session
	Verified bool // which was found valid

	Version, CommonName, Cipher, SigAlg, KeyAlg []byte // nil: not told
}

// ParseSSL reads the value of a TypeSSL TLV.
func ParseSSL(value []byte) (s SSL, ok bool) {
	if len(value) < 5 {
		return s, false
	}
	client := value[0]
	s.TLS, s.CertConn, s.CertSess = client&1 != 0, client&2 != 0, client&4 != 0
	s.Verified = binary.BigEndian.Uint32(value[1:]) == 0
	for rest := value[5:]; len(rest) > 0; {
		typ, v, next, ok := cut(rest)
		if !ok {
			return SSL{}, false
		}
		switch typ {
		case 0x21:
			s.Version = v
		case 0x22:
			s.CommonName = v
		case 0x23:
			s.Cipher = v
		case 0x24:
			s.SigAlg = v
		case 0x25:
			s.KeyAlg = v
		}
		rest = next
	}
	return s, true
}
