package compat

import (
	"encoding/binary"
	"hash/crc32"
	"strings"
)

// proxyHeader is a PROXY header, of which something may be wrong.
func (g grammar) proxyHeader() string {
	h := g.proxyLine()
	if g.in(2) {
		h = g.proxyBlock()
	}
	if g.in(4) {
		h = g.spoilByte(h)
	}
	return h
}

// proxyLine is a header of version 1.
func (g grammar) proxyLine() string {
	words := []string{"PROXY", "TCP4", "192.0.2.1", "198.51.100.7", "4711", "80"}
	addresses := []string{
		"192.0.2.1", "0.0.0.0", "255.255.255.255", "256.0.0.1", "1.2.3", "1.2.3.4.5", "01.2.3.4", "1.2.3.04", "0x1.2.3.4", "1", "", "a", "2001:db8::1", "::", "::1", "::ffff:192.0.2.1", "2001:DB8::1", "2001:db8:0:0:0:0:0:1", "2001:db8::1%lo", "[::1]", "1::2::3",
		"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "12345::", " 1.2.3.4", "1.2.3.4/8", "localhost",
	}
	ports := []string{"0", "1", "65535", "65536", "-1", "+1", "01", "00080", "0x50", "", "a", "80a", "99999999999999999999", "80 ", " 80", "8 0"}
	if g.in(3) {
		words = []string{"PROXY", "TCP6", "2001:db8::1", "2001:db8::2", "4711", "443"}
	}
	if g.in(8) {
		words = []string{"PROXY", "UNKNOWN"}
		if g.in(2) {
			words = append(words, g.one(addresses...), g.one(addresses...), g.one(ports...), g.one(ports...))
		}
	}
	for range g.IntN(3) {
		switch at := g.IntN(len(words)); at {
		case 0:
			words[0] = g.one("proxy", "PROXY1", "PROX", "PROXY ", " PROXY", "", "PROXY\t", "PROXY\x00", "GET")
		case 1:
			words[1] = g.one("TCP4", "TCP6", "TCP", "TCP5", "UDP4", "UNIX", "UNKNOWN", "tcp4", "", "UNKNOWNX", "TCP44", "TCP4\t")
		case 2, 3:
			words[at] = g.one(addresses...)
		default:
			words[at] = g.one(ports...)
		}
	}
	if g.in(10) {
		words = words[:1+g.IntN(len(words))]
	}
	if g.in(10) {
		words = append(words, g.one("", "x", "80", "\r", strings.Repeat("x", 100)))
	}
	end := "\r\n"
	if g.in(6) {
		end = g.one(alternatives[endToken]...)
	}
	space := " "
	if g.in(12) {
		space = g.one("  ", "\t", "")
	}
	return strings.Join(words, space) + end
}

// proxyBlock is a header of version 2.
func (g grammar) proxyBlock() string {
	command, family, size := byte(0x21), byte(0x11), 12
	if g.in(3) {
		family, size = 0x21, 36
	}
	if g.in(6) {
		command = byte(g.one("\x20", "\x22", "\x2f", "\x11", "\x31", "\x01", "\x00", "\xff")[0])
	}
	if g.in(6) {
		family = byte(g.one("\x00", "\x01", "\x10", "\x12", "\x13", "\x20", "\x22", "\x30", "\x31", "\x32", "\x41", "\xff", "\x11", "\x21")[0])
	}
	if g.in(8) {
		size = g.IntN(50)
	}
	if family&0xf0 == 0x30 && g.in(2) {
		size = 216
	}
	body := make([]byte, size)
	for i := range body {
		body[i] = byte(1 + g.IntN(250))
	}
	h := append([]byte("\r\n\r\n\x00\r\nQUIT\n"), command, family, 0, 0)
	h = append(h, body...)
	sum := 0
	for range g.IntN(4) {
		typ, value := byte(0), ""
		switch g.IntN(8) {
		case 0:
			typ, value = 0x01, "http/1.1"
		case 1:
			typ, value = 0x02, g.one("a.example", "", strings.Repeat("a", 255), strings.Repeat("a", 256), "a\x00b", "a b", "\xff")
		case 2:
			typ, value = 0x03, "\x00\x00\x00\x00"
			if g.in(6) {
				value = g.one("", "\x00", "\x00\x00\x00\x00\x00")
			} else if sum == 0 {
				sum = len(h) + 3
			}
		case 3:
			typ, value = 0x04, strings.Repeat("n", g.IntN(5))
		case 4:
			typ, value = 0x05, g.one("id", "", strings.Repeat("i", 128), strings.Repeat("i", 129), "i\x00d")
		case 5:
			typ, value = 0x20, g.one("\x01\x00\x00\x00\x00\x21\x00\x07TLSv1.3", "\x01", "", "\x00\x00\x00\x00\x00", "\x01\x00\x00\x00\x00\x21\x00\x09TLS", "\x01\x00\x00\x00\x00\x21")
		case 6:
			typ, value = 0x30, g.one("ns", "", "a/b")
		case 7:
			typ, value = byte(g.IntN(256)), "x"
		}
		length := len(value)
		if g.in(15) {
			length += g.IntN(5) - 2
		}
		h = append(h, typ, byte(length>>8), byte(length))
		h = append(h, value...)
	}
	length := len(h) - 16
	if g.in(10) {
		length = max(0, length+g.IntN(7)-3)
	}
	binary.BigEndian.PutUint16(h[14:], uint16(length))
	if sum > 0 && !g.in(5) {
		binary.BigEndian.PutUint32(h[sum:], crc32.Checksum(h, crc32.MakeTable(crc32.Castagnoli)))
	}
	return string(h)
}
