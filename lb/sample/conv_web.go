package sample

import (
	"bytes"
	"encoding/base64"
)

// webConverters read JSON, JSON web tokens (RFC 7519) and Forwarded headers (RFC 7239).
var webConverters = []converter{
	{"json_query", []argKind{argStr, argStr}, 1, Str, Any, runJSONQuery, checkJSONQuery, "value at a JSON path; type int for a number"},
	{"jwt_header_query", []argKind{argStr, argStr}, 0, Bin, Any, runJWTQuery(0), checkJWTQuery, "header of a JSON web token, or the value at a path in it"},
	{"jwt_payload_query", []argKind{argStr, argStr}, 0, Bin, Any, runJWTQuery(1), checkJWTQuery, "payload of a JSON web token, or the value at a path in it"},
	{"jwt_verify", []argKind{argStrVar, argPEM}, 2, Bin, Int, runJWTVerify, checkJWTVerify, "1 if a JSON web token's signature is right: algorithm, secret or file of the key; RS and ES allocate"},
	{"rfc7239_field", []argKind{argStr}, 1, Str, Str, runForwardedField, checkForwardedField, "for, by, host or proto of a Forwarded header's first element"},
	{"rfc7239_is_valid", nil, 0, Str, Bool, func(_ *Ctx, _ []Arg, s *Sample) bool { return s.setBool(validForwarded(s.B)) }, nil, "the value is that of a Forwarded header"},
	{"rfc7239_n2nn", nil, 0, Str, Any, runNodeName, nil, "name of a Forwarded node: an address, unknown or an obfuscated name"},
	{"rfc7239_n2np", nil, 0, Str, Any, runNodePort, nil, "port of a Forwarded node: a number or an obfuscated one"},
}

// jsonQuery is what the checks make of the arguments.
type jsonQuery struct {
	steps   []jsonStep
	integer bool
}

func checkJSONQuery(a []Arg) string {
	var q jsonQuery
	var problem string
	if q.steps, problem = parseJSONPath(a[0].Str); problem != "" {
		return problem
	}
	switch a[1].Str {
	case "":
	case "int":
		q.integer = true
	default:
		return "the only type of output is int, not '" + a[1].Str + "'"
	}
	a[0].Aux = q
	return ""
}

func runJSONQuery(c *Ctx, a []Arg, s *Sample) bool {
	q := a[0].Aux.(jsonQuery)
	v, ok := jsonFind(s.B, q.steps)
	return ok && c.jsonValue(s, v, q.integer)
}

func checkJWTQuery(a []Arg) string {
	if !a[0].Given {
		return ""
	}
	return checkJSONQuery(a)
}

// tokenPart returns the part of a token in compact form that is number n: header,
// payload, signature.
func tokenPart(token []byte, n int) ([]byte, bool) {
	if bytes.Count(token, dot) != 2 {
		return nil, false
	}
	for range n {
		_, token, _ = bytes.Cut(token, dot)
	}
	part, _, _ := bytes.Cut(token, dot)
	return part, true
}

var dot = []byte{'.'}

func (c *Ctx) decodeURL64(b []byte) ([]byte, bool) {
	out := c.room()[:scratchSize]
	if base64.RawURLEncoding.DecodedLen(len(b)) > len(out) {
		return nil, false
	}
	n, err := base64.RawURLEncoding.Decode(out, b)
	return out[:n], err == nil
}

func runJWTQuery(n int) func(*Ctx, []Arg, *Sample) bool {
	return func(c *Ctx, a []Arg, s *Sample) bool {
		part, ok := tokenPart(s.B, n)
		if !ok {
			return false
		}
		text, ok := c.decodeURL64(part)
		if !ok || !a[0].Given {
			return ok && s.setStr(text)
		}
		s.setStr(text)
		return runJSONQuery(c, a, s)
	}
}

func checkForwardedField(a []Arg) string {
	switch a[0].Str {
	case "for", "by", "host", "proto":
		return ""
	}
	return "the field is for, by, host or proto, not '" + a[0].Str + "'"
}

// nextForwarded reads one NAME=VALUE of a Forwarded header (RFC 7239 section 4). sep
// is what stands behind it: ; or , or 0 at the end.
func nextForwarded(b []byte) (name, value, rest []byte, sep byte, ok bool) {
	name, b, ok = bytes.Cut(trimBlanks(b), equals)
	if !ok || len(name) == 0 || bytes.ContainsAny(name, " \t,;\"") {
		return nil, nil, nil, 0, false
	}
	end := cookieEnd(b)
	value = trimBlanks(b[:end])
	if n := len(value); n > 0 && value[0] == '"' {
		if n < 2 || value[n-1] != '"' {
			return nil, nil, nil, 0, false
		}
		value = value[1 : n-1]
	} else if n == 0 || bytes.ContainsAny(value, " \t\"[]:") && !equalFold(name, "host") {
		return nil, nil, nil, 0, false // these need quotes
	}
	if end < len(b) {
		return name, value, b[end+1:], b[end], true
	}
	return name, value, nil, 0, true
}

func runForwardedField(_ *Ctx, a []Arg, s *Sample) bool {
	for rest := s.B; ; {
		name, value, after, sep, ok := nextForwarded(rest)
		if !ok {
			return false
		}
		if equalFold(name, a[0].Str) {
			return s.setStr(value)
		}
		if sep == 0 {
			return false
		}
		rest = after
	}
}

// validForwarded: every element has its parameters once, and nodes are nodes.
func validForwarded(b []byte) bool {
	seen := 0
	for {
		name, value, after, sep, ok := nextForwarded(b)
		if !ok {
			return false
		}
		bit := 0
		switch {
		case equalFold(name, "for"):
			bit = 1
		case equalFold(name, "by"):
			bit = 2
		case equalFold(name, "host"):
			bit = 4
		case equalFold(name, "proto"):
			bit = 8
		}
		if bit != 0 && seen&bit != 0 || len(value) == 0 {
			return false
		}
		if bit == 1 || bit == 2 {
			if _, _, ok := splitNode(value); !ok {
				return false
			}
		}
		seen |= bit
		switch sep {
		case 0:
			return true
		case ',':
			seen = 0
		}
		b = after
	}
}

// splitNode cuts a node (RFC 7239 section 6) into name and port, the brackets of an IPv6
// address taken off.
func splitNode(b []byte) (name, port []byte, ok bool) {
	if len(b) > 0 && b[0] == '[' {
		end := bytes.IndexByte(b, ']')
		if end < 0 {
			return nil, nil, false
		}
		ip, isIP := ParseAddr(b[1:end])
		name, port, ok = b[1:end], b[end+1:], isIP && ip.Is6()
		if len(port) > 0 {
			if port[0] != ':' {
				return nil, nil, false
			}
			port = port[1:]
			ok = ok && validNodePort(port)
		}
		return name, port, ok
	}
	name, port, found := bytes.Cut(b, colon)
	if found && !validNodePort(port) {
		return nil, nil, false
	}
	if ip, isIP := ParseAddr(name); isIP {
		return name, port, ip.Is4()
	}
	return name, port, equalFold(name, "unknown") || obfuscated(name)
}

func validNodePort(b []byte) bool {
	n, length := leadingInt(b)
	return len(b) > 0 && (obfuscated(b) || length == len(b) && 0 <= n && n <= 65535)
}

func obfuscated(b []byte) bool {
	if len(b) < 2 || b[0] != '_' {
		return false
	}
	for _, ch := range b[1:] {
		if !isAlnum(ch) && ch != '.' && ch != '_' && ch != '-' {
			return false
		}
	}
	return true
}

func runNodeName(_ *Ctx, _ []Arg, s *Sample) bool {
	name, _, ok := splitNode(s.B)
	if !ok {
		return false
	}
	if ip, isIP := ParseAddr(name); isIP {
		return s.setIP(ip)
	}
	return s.setStr(name)
}

func runNodePort(_ *Ctx, _ []Arg, s *Sample) bool {
	_, port, ok := splitNode(s.B)
	if !ok || len(port) == 0 {
		return false
	}
	if port[0] == '_' {
		return s.setStr(port)
	}
	return s.setInt(LeadingInt(port))
}
