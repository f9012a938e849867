package sample

import (
	"encoding/binary"
	"math"
	"net/netip"
	"strconv"
	"unsafe"
)

// Type is what a sample holds.
type Type uint8

// The types of chapter 7.3. Addr stands in tables for either kind of address.
const (
	Any Type = iota
	Bool
	Int // signed, 64 bits
	Addr
	IPv4
	IPv6
	Str
	Bin
	Meth // an HTTP method
)

func (t Type) String() string {
	return [...]string{"any", "bool", "int", "addr", "ipv4", "ipv6", "str", "bin", "meth"}[t]
}

// Sample is one value. Which of the last three fields counts, follows from Type.
type Sample struct {
	Type Type
	Int  int64      // Int; Bool: 0 or 1
	IP   netip.Addr // Addr, IPv4, IPv6; without a zone
	B    []byte     // Str, Bin, Meth
}

func (s *Sample) setBool(b bool) bool {
	s.Type, s.Int = Bool, 0
	if b {
		s.Int = 1
	}
	return true
}

func (s *Sample) setInt(n int64) bool {
	s.Type, s.Int = Int, n
	return true
}

func (s *Sample) setStr(b []byte) bool {
	s.Type, s.B = Str, b
	return true
}

func (s *Sample) setBin(b []byte) bool {
	s.Type, s.B = Bin, b
	return true
}

// setIP makes s an address, if a is one.
func (s *Sample) setIP(a netip.Addr) bool {
	s.Type, s.IP = IPv6, a
	if a.Is4() {
		s.Type = IPv4
	}
	return a.IsValid()
}

// castable tells whether a sample of type from can be made one of type to, in
// principle: a string that is no address still fails when the time comes.
func castable(from, to Type) bool {
	if from == to || from == Any || to == Any || from == Addr && (to == IPv4 || to == IPv6) {
		return true
	}
	switch from {
	case Bool:
		return to == Int || to == Str || to == Bin
	case Int:
		return to != Meth
	case Addr, IPv4:
		return to == Int || to == Str || to == Bin || to == Addr || to == IPv6
	case IPv6:
		return to == Str || to == Bin || to == Addr || to == IPv4
	case Str:
		return true
	case Bin:
		return to == Str
	case Meth:
		return to == Str || to == Bin
	}
	return false
}

// cast makes s a sample of type to where its value allows it.
func (c *Ctx) cast(s *Sample, to Type) bool {
	switch to {
	case Any:
		return true
	case Bool, Int:
		if !s.toInt() {
			return false
		}
		s.Type = Int
		if to == Bool {
			return s.setBool(s.Int != 0)
		}
	case Addr, IPv4, IPv6:
		return s.toAddr(to)
	case Str, Meth:
		if s.Type == Bin {
			s.B = untilNUL(s.B)
		}
		s.B = c.text(s)
		s.Type = to
	case Bin:
		c.toBin(s)
	}
	return true
}

func (s *Sample) toInt() (ok bool) {
	switch s.Type {
	case IPv4:
		b := s.IP.As4()
		s.Int = int64(binary.BigEndian.Uint32(b[:]))
	case Str:
		if len(s.B) == 0 {
			return false
		}
		s.Int = LeadingInt(s.B)
	case Bool, Int:
	default:
		return false
	}
	return true
}

func (s *Sample) toAddr(to Type) bool {
	a := s.IP
	switch s.Type {
	case Int, Bool:
		var b [4]byte
		binary.BigEndian.PutUint32(b[:], uint32(s.Int))
		a = netip.AddrFrom4(b)
	case Str:
		var ok bool
		if a, ok = ParseAddr(s.B); !ok {
			return false
		}
	case IPv4, IPv6:
	default:
		return false
	}
	switch {
	case to == IPv4 && !a.Is4():
		if a = a.Unmap(); !a.Is4() {
			return false
		}
	case to == IPv6 && a.Is4():
		a = netip.AddrFrom16(a.As16())
	}
	return s.setIP(a)
}

func (c *Ctx) toBin(s *Sample) {
	switch s.Type {
	case Bool, Int:
		s.B = binary.BigEndian.AppendUint64(c.room(), uint64(s.Int))
	case IPv4:
		b := s.IP.As4()
		s.B = append(c.room(), b[:]...)
	case IPv6:
		b := s.IP.As16()
		s.B = append(c.room(), b[:]...)
	}
	s.Type = Bin
}

// text is the sample as a string; s stays what it is. Numbers and addresses are
// written into the scratch area.
func (c *Ctx) text(s *Sample) []byte {
	switch s.Type {
	case Bool, Int:
		return strconv.AppendInt(c.room(), s.Int, 10)
	case IPv4, IPv6:
		return AppendAddr(c.room(), s.IP)
	}
	return s.B
}

// AppendAddr writes an address as inet_ntop does: netip differs from it where an
// IPv6 address ends with an IPv4 one (::192.0.2.1).
func AppendAddr(dst []byte, a netip.Addr) []byte {
	if a.Is4() {
		return a.AppendTo(dst)
	}
	b := a.As16()
	if [12]byte(b[:12]) == [12]byte{} && (b[12] != 0 || b[13] != 0) {
		return netip.AddrFrom4([4]byte(b[12:])).AppendTo(append(dst, "::"...))
	}
	return a.AppendTo(dst)
}

// ParseAddr reads an IP address without a zone.
func ParseAddr(b []byte) (netip.Addr, bool) {
	if len(b) < 2 || len(b) > len("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255") {
		return netip.Addr{}, false
	}
	for _, c := range b {
		if !isHex(c) && c != ':' && c != '.' {
			return netip.Addr{}, false
		}
	}
	// No copy: an Addr without a zone keeps nothing of the text.
	a, err := netip.ParseAddr(view(b))
	return a, err == nil
}

// view is b as a string that must not outlive it.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// LeadingInt reads the decimal number that b begins with; what follows it is not
// looked at, 0 if there is none. Numbers out of range become the nearest one.
func LeadingInt(b []byte) int64 {
	n, _ := leadingInt(b)
	return n
}

func leadingInt(b []byte) (n int64, length int) {
	i := 0
	negative := len(b) > 0 && b[0] == '-'
	if negative || len(b) > 0 && b[0] == '+' {
		i++
	}
	for ; i < len(b) && '0' <= b[i] && b[i] <= '9'; i++ {
		d := int64(b[i] - '0')
		switch {
		case negative && n < (math.MinInt64+d)/10:
			n = math.MinInt64
		case negative:
			n = 10*n - d
		case n > (math.MaxInt64-d)/10:
			n = math.MaxInt64
		default:
			n = 10*n + d
		}
	}
	return n, i
}

func untilNUL(b []byte) []byte {
	for i, c := range b {
		if c == 0 {
			return b[:i]
		}
	}
	return b
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}
