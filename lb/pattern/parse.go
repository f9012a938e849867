package pattern

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"strings"
)

// span is an integer pattern: all numbers from lo to hi.
type span struct{ lo, hi int64 }

// parseSpan reads a number, lo:hi, lo: or :hi.
func parseSpan(s string, dotted bool) (span, error) {
	low, high, isRange := strings.Cut(s, ":")
	if !isRange {
		n, ok := parseNumber(s, dotted)
		if !ok {
			return span{}, fmt.Errorf("'%s' is not a number", s)
		}
		return span{n, n}, nil
	}
	r := span{math.MinInt64, math.MaxInt64}
	ok := low != "" || high != ""
	if low != "" {
		r.lo, ok = parseNumber(low, dotted)
	}
	if ok && high != "" {
		r.hi, ok = parseNumber(high, dotted)
	}
	if !ok || r.lo > r.hi {
		return span{}, fmt.Errorf("'%s' is not a valid number range", s)
	}
	return r, nil
}

func parseNumber(s string, dotted bool) (int64, bool) {
	if dotted {
		major, minor, _ := strings.Cut(s, ".")
		high, err := strconv.ParseUint(major, 10, 15)
		low := uint64(0)
		if err == nil && minor != "" {
			low, err = strconv.ParseUint(minor, 10, 16)
		}
		return int64(high<<16 | low), err == nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil && s[0] != '+'
}

// Operators are the words that may stand before integer patterns on an acl line.
func Operators() []string { return []string{"eq", "ge", "gt", "le", "lt"} }

// Compare writes `operator number` as the range that it means: "gt", "5" is "6:".
func Compare(operator, number string, dotted bool) (pattern string, err error) {
	n, ok := parseNumber(number, dotted)
	switch {
	case operator == "eq":
		return number, nil
	case !ok && strings.Contains(number, ":"):
		return "", fmt.Errorf("operator '%s' makes no sense with the range '%s'", operator, number)
	case !ok:
		return "", fmt.Errorf("'%s' is not a number", number)
	case operator == "gt" && n == math.MaxInt64, operator == "lt" && n == math.MinInt64:
		return "", fmt.Errorf("nothing is %s %s", operator, number)
	case operator == "ge":
		return number + ":", nil
	case operator == "le":
		return ":" + number, nil
	}
	if n++; operator == "lt" {
		n -= 2
	}
	edge := strconv.FormatInt(n, 10)
	if dotted {
		edge = fmt.Sprintf("%d.%d", n>>16, n&0xffff)
	}
	if operator == "lt" {
		return ":" + edge, nil
	}
	return edge + ":", nil
}

var errAddress = errors.New("not an address or network")

// ParseNetwork reads an address or network as chapter 7.1.6 has them: IPv4 also
// abbreviated (10.1 is 10.0.0.1) and with a netmask of dots.
func ParseNetwork(s string) (netip.Prefix, error) {
	bad := func(why error) (netip.Prefix, error) {
		return netip.Prefix{}, fmt.Errorf("'%s' is not a valid IPv4 or IPv6 address: %w", s, why)
	}
	host, mask, masked := strings.Cut(s, "/")
	addr, err := netip.ParseAddr(host)
	if err != nil {
		if addr, err = shortIPv4(host); err != nil {
			return bad(err)
		}
	}
	if addr.Zone() != "" {
		return bad(errors.New("a zone matches nothing"))
	}
	bits := addr.BitLen()
	if masked {
		if bits, err = maskBits(mask, addr); err != nil {
			return bad(err)
		}
	}
	return netip.PrefixFrom(addr, bits).Masked(), nil
}

func maskBits(mask string, addr netip.Addr) (int, error) {
	if n, err := strconv.ParseUint(mask, 10, 8); err == nil && int(n) <= addr.BitLen() {
		return int(n), nil
	}
	m, err := netip.ParseAddr(mask)
	if err != nil || !m.Is4() || !addr.Is4() {
		return 0, fmt.Errorf("'%s' is not a netmask", mask)
	}
	b := m.As4()
	v := uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
	bits := 0
	for v<<bits != 0 {
		bits++
	}
	if v != ^uint32(0)<<(32-bits) {
		return 0, fmt.Errorf("netmask '%s' with gaps is not supported", mask)
	}
	return bits, nil
}

// shortIPv4 reads a.d and a.b.d: the octets left out are zeros before the last one.
func shortIPv4(s string) (netip.Addr, error) {
	parts := strings.Split(s, ".")
	if len(parts) < 2 || len(parts) > 3 {
		return netip.Addr{}, errAddress
	}
	var b [4]byte
	for i, p := range parts {
		n, err := strconv.ParseUint(p, 10, 8)
		if err != nil {
			return netip.Addr{}, errAddress
		}
		if i == len(parts)-1 {
			i = 3
		}
		b[i] = byte(n)
	}
	return netip.AddrFrom4(b), nil
}

func parseHex(s string) ([]byte, error) {
	if len(s)%2 != 0 {
		return nil, fmt.Errorf("'%s': an even number of hex digits is expected", s)
	}
	b, err := hex.DecodeString(s)
	if err != nil {
		return nil, fmt.Errorf("'%s' is not made of hex digits", s)
	}
	return b, nil
}
