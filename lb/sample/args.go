package sample

import (
	"encoding/base64"
	"net/netip"
	"strconv"
	"strings"
)

// argKind says how an argument is read.
type argKind uint8

const (
	argStr      argKind = iota
	argInt              // a whole number
	argIPv4             // 192.0.2.1
	argIPv6             // 2001:db8::1
	argMask4            // 24 or 255.255.255.0
	argMask6            // 64 or ffff:ffff::
	argVar              // txn.name
	argIntVar           // a whole number or a variable
	argStrVar           // a string, or a variable when it looks like one
	argKeyVar           // base64, or a variable
	argBackend          // a backend; the own one when absent
	argFrontend         // a frontend; the own one when absent
	argServer           // backend/server, or server of the own backend
	argUserlist
	argMap // a map file
	argPEM // a string, a variable, or a file with a public key
)

func (k argKind) String() string {
	return [...]string{
		"string", "integer", "IPv4 address", "IPv6 address", "IPv4 mask", "IPv6 mask", "variable", "integer or variable",
		"string or variable", "base64 or variable", "backend", "frontend", "server", "userlist", "map file", "secret or file",
	}[k]
}

// Arg is one argument of a fetch or converter, read. Str is always as written.
type Arg struct {
	Str   string
	B     []byte // Str as bytes; argKeyVar: decoded
	Int   int64
	IP    netip.Addr
	Var   VarName // Name is "" when the argument is no variable
	Given bool    // it stands in the text, not empty
	Aux   any     // what the keyword's check made of it
}

// read fills in a as k wants it, or says what is wrong with it.
func (a *Arg) read(k argKind) (problem string) {
	a.B = []byte(a.Str)
	switch k {
	case argInt:
		return a.readInt()
	case argIPv4, argIPv6:
		ip, err := netip.ParseAddr(a.Str)
		if err != nil || ip.Is4() != (k == argIPv4) || ip.Zone() != "" {
			return "not an " + k.String()
		}
		a.IP = ip
	case argMask4, argMask6:
		return a.readMask(k)
	case argVar:
		var problem string
		a.Var, problem = ParseVarName(a.Str)
		return problem
	case argIntVar:
		if a.readInt() == "" {
			return ""
		}
		if a.readVar() {
			return ""
		}
		return "neither a whole number nor a variable"
	case argStrVar, argPEM:
		a.readVar()
	case argKeyVar:
		if a.readVar() {
			return ""
		}
		key, err := base64.StdEncoding.DecodeString(a.Str)
		if err != nil {
			return "neither base64 nor a variable"
		}
		a.B = key
	}
	return ""
}

func (a *Arg) readInt() string {
	n, err := strconv.ParseInt(a.Str, 10, 64)
	if err != nil {
		return "not a whole number"
	}
	a.Int = n
	return ""
}

func (a *Arg) readVar() bool {
	v, problem := ParseVarName(a.Str)
	if problem != "" {
		return false
	}
	a.Var = v
	return true
}

// readMask leaves the mask in Int, as a number of leading bits, where it is one, and
// in IP.
func (a *Arg) readMask(k argKind) string {
	size := 32
	if k == argMask6 {
		size = 128
	}
	if n, err := strconv.Atoi(a.Str); err == nil {
		if n < 0 || n > size {
			return "not an " + k.String()
		}
		a.IP = netip.PrefixFrom(netip.AddrFrom4([4]byte{255, 255, 255, 255}), min(n, 32)).Masked().Addr()
		if size == 128 {
			ones := netip.AddrFrom16([16]byte{255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255})
			a.IP = netip.PrefixFrom(ones, n).Masked().Addr()
		}
		return ""
	}
	ip, err := netip.ParseAddr(a.Str)
	if err != nil || ip.BitLen() != size || ip.Zone() != "" {
		return "not an " + k.String()
	}
	a.IP = ip
	return ""
}

// masked is a with mask's clear bits cleared. Both have the same length.
func masked(a, mask netip.Addr) netip.Addr {
	if a.Is4() {
		x, m := a.As4(), mask.As4()
		for i := range x {
			x[i] &= m[i]
		}
		return netip.AddrFrom4(x)
	}
	x, m := a.As16(), mask.As16()
	for i := range x {
		x[i] &= m[i]
	}
	return netip.AddrFrom16(x)
}

// splitArgs reads the arguments that begin behind an opening parenthesis: text up to
// the closing one, split at commas. Quotes protect both, a backslash protects the next
// character where it would mean something. It returns the index behind the closing
// parenthesis, or 0 and what is wrong.
func splitArgs(text string) (args []Arg, offsets []int, end int, problem string) {
	var b strings.Builder
	quote := byte(0)
	start := 0
	for i := 0; i < len(text); i++ {
		ch := text[i]
		switch {
		case quote == '\'' && ch != '\'':
			b.WriteByte(ch)
		case ch == '\\' && i+1 < len(text):
			next, known := unescape(text[i+1])
			if !known {
				b.WriteByte(ch)
				continue
			}
			b.WriteByte(next)
			i++
		case quote != 0 && ch == quote:
			quote = 0
		case quote != 0:
			b.WriteByte(ch)
		case ch == '"' || ch == '\'':
			quote = ch
		case ch == ',' || ch == ')':
			args = append(args, Arg{Str: b.String(), Given: i > start})
			offsets = append(offsets, start)
			b.Reset()
			start = i + 1
			if ch == ')' {
				return args, offsets, i + 1, ""
			}
		default:
			b.WriteByte(ch)
		}
	}
	if quote != 0 {
		return nil, nil, 0, "missing closing quote"
	}
	return nil, nil, 0, "missing ')'"
}

// unescape follows chapter 2.2 without \#, \$ and \xNN.
func unescape(c byte) (byte, bool) {
	switch c {
	case '\\', '"', '\'', ' ':
		return c, true
	case 'n':
		return '\n', true
	case 'r':
		return '\r', true
	case 't':
		return '\t', true
	}
	return 0, false
}
