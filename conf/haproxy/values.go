package haproxy

import (
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

const timeHint = "write a whole number and a unit: us, ms (when there is none), s, m, h, d"

const overflow = "the longest time is 2147483647ms (24.8 days)"

// maxTime is the longest time HAProxy's millisecond timers hold: 24.8 days.
const maxTime = math.MaxInt32 * time.Millisecond

// parseTime reads a time as chapter 2.5 has it: an integer and a unit,
// milliseconds when there is none. problem is empty on success.
func parseTime(s string) (d time.Duration, problem string) {
	digits := len(s) - len(strings.TrimLeft(s, "0123456789"))
	if digits == 0 {
		return 0, "it must begin with a digit"
	}
	unit, ok := map[string]time.Duration{
		"us": time.Microsecond, "ms": time.Millisecond, "": time.Millisecond,
		"s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour,
	}[s[digits:]]
	if !ok {
		return 0, fmt.Sprintf("unknown unit '%s'", s[digits:])
	}
	n, err := strconv.ParseInt(s[:digits], 10, 64)
	if err != nil || n > int64(maxTime/unit) {
		return 0, overflow
	}
	return time.Duration(n) * unit, ""
}

// parseInt reads a decimal integer and nothing else: no blanks, no plus sign,
// no suffix that HAProxy's atoi would silently drop.
func parseInt(s string, lo, hi int) (int, bool) {
	digits := strings.TrimPrefix(s, "-")
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.Atoi(s)
	return n, err == nil && n >= lo && n <= hi
}

// badNameByte returns the first character of a proxy, server or ACL name that
// chapter 4 does not allow, or "".
func badNameByte(name string) string {
	for _, r := range name {
		if !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_.:", r)) {
			return string(r)
		}
	}
	return ""
}

// parseNetwork reads an address or network of an ACL or of `except`: IPv4 with
// octets left out (10.12 is 10.0.0.12), a bit count or an IPv4 netmask; IPv6
// with a bit count.
func parseNetwork(s string) (netip.Prefix, bool) {
	host, mask, masked := strings.Cut(s, "/")
	addr, err := netip.ParseAddr(host)
	if err != nil {
		var ok bool
		if addr, ok = shortIPv4(host); !ok {
			return netip.Prefix{}, false
		}
	}
	if addr.Zone() != "" {
		return netip.Prefix{}, false
	}
	bits := addr.BitLen()
	if masked {
		n, ok := parseInt(mask, 0, addr.BitLen())
		if !ok && addr.Is4() {
			n, ok = netmaskBits(mask)
		}
		if !ok {
			return netip.Prefix{}, false
		}
		bits = n
	}
	return netip.PrefixFrom(addr, bits).Masked(), true
}

// shortIPv4 reads the abbreviated form of chapter 7.1.6, where the octets left
// out are zeros before the last one.
func shortIPv4(s string) (netip.Addr, bool) {
	parts := strings.Split(s, ".")
	if len(parts) < 2 || len(parts) > 3 {
		return netip.Addr{}, false
	}
	var b [4]byte
	for i, p := range parts {
		n, ok := parseInt(p, 0, 255)
		if !ok {
			return netip.Addr{}, false
		}
		if i == len(parts)-1 {
			i = 3
		}
		b[i] = byte(n)
	}
	return netip.AddrFrom4(b), true
}

// netmaskBits turns 255.255.0.0 into 16; a mask with holes is refused.
func netmaskBits(s string) (int, bool) {
	mask, err := netip.ParseAddr(s)
	if err != nil || !mask.Is4() {
		return 0, false
	}
	b := mask.As4()
	inverted := ^(uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3]))
	if inverted&(inverted+1) != 0 {
		return 0, false
	}
	n := 32
	for ; inverted != 0; inverted >>= 1 {
		n--
	}
	return n, true
}

// splitHostPort cuts an address at its last colon, which separates the port even
// from a bare IPv6 address (chapter 4.2, bind). Brackets round the host are
// dropped. port is "" when there is none.
func splitHostPort(s string) (host, port string) {
	if strings.HasPrefix(s, "[") {
		if i := strings.IndexByte(s, ']'); i > 0 {
			if rest := s[i+1:]; rest == "" || rest[0] == ':' {
				return s[1:i], strings.TrimPrefix(rest, ":")
			}
		}
		return s, ""
	}
	if i := strings.LastIndexByte(s, ':'); i >= 0 {
		return s[:i], s[i+1:]
	}
	return s, ""
}

// cutFamily cuts the prefix of an address such as ipv4@10.0.0.1, "" when there is none.
func cutFamily(s string) (family, rest string) {
	if before, after, found := strings.Cut(s, "@"); found {
		return before, after
	}
	return "", s
}

// validHost tells whether s is an IP address or could be a host name.
func validHost(s string) bool {
	if addr, err := netip.ParseAddr(s); err == nil {
		return addr.Zone() == ""
	}
	if s == "" || len(s) > 253 || strings.Trim(s, ".0123456789") == "" {
		return false
	}
	for label := range strings.SplitSeq(strings.TrimSuffix(s, "."), ".") {
		if label == "" || len(label) > 63 || strings.Contains(label, ":") || badNameByte(label) != "" {
			return false
		}
	}
	return true
}
