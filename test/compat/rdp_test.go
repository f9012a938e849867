package compat

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// rdpRequest is an RDP connection request ([MS-RDPBCGR] 2.2.1.1) with a line of text.
func rdpRequest(line string) string {
	n := 11 + len(line)
	head := []byte{3, 0, 0, 0, byte(n - 5), 0xe0, 0, 0, 0, 0, 0}
	binary.BigEndian.PutUint16(head[2:], uint16(n))
	return string(head) + line
}

// token is the cookie by which a terminal server asks for itself.
func token(at netip.AddrPort) string {
	ip := at.Addr().As4()
	p := at.Port()
	return fmt.Sprintf("msts=%d.%d.0000", binary.LittleEndian.Uint32(ip[:]), p<<8|p>>8)
}

// named are servers that tell their name and close.
func named(t *testing.T, n int) []netip.AddrPort {
	var addrs []netip.AddrPort
	for i := range n {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			for {
				c, err := ln.Accept()
				if err != nil {
					return
				}
				fmt.Fprintf(c, "s%d", i+1)
				c.Close()
			}
		}()
		t.Cleanup(func() { ln.Close() })
		addrs = append(addrs, netip.MustParseAddrPort(ln.Addr().String()))
	}
	return addrs
}

// Both send RDP connections to the same servers, by their tokens and by their users.
func TestSameRDPServers(t *testing.T) {
	settings := []string{
		"persist rdp-cookie\n balance rdp-cookie",
		"persist rdp-cookie\n balance rdp-cookie\n option persist",
		"persist rdp-cookie(MSTS)\n balance rdp-cookie(MstsHash)\n hash-type consistent wt6",
		"persist rdp-cookie(other)\n balance rdp-cookie(user)\n hash-type map-based crc32 avalanche",
		"persist rdp-cookie\n balance first\n ignore-persist if TRUE", "persist rdp-cookie\n balance first\n force-persist if TRUE",
	}
	at := named(t, 4)
	config := func(addr string) (text string, fronts []string) {
		var b strings.Builder
		b.WriteString("global\n nbthread 1\ndefaults\n mode tcp\n timeout client 30s\n timeout server 30s\n timeout connect 5s\nlisten first\n bind " + addr + "\n server s " + at[0].String() + "\n")
		for i, s := range settings {
			front := free(t)
			fronts = append(fronts, front)
			fmt.Fprintf(&b, "listen l%d\n bind %s\n tcp-request inspect-delay 5s\n tcp-request content accept if { req.len gt 10 }\n %s\n", i, front, s)
			fmt.Fprintf(&b, " server s1 %s\n server s2 %s weight 3\n server s3 %s disabled\n server s4 %s backup\n", at[0], at[1], at[2], at[3])
		}
		return b.String(), fronts
	}
	lines := []string{
		"Cookie: " + token(at[0]) + "\r\n", "Cookie: " + token(at[1]) + "\r\n", "Cookie: " + token(at[2]) + "\r\n", "Cookie: " + token(at[3]) + "\r\n",
		"Cookie: " + strings.Replace(token(at[3]), "msts", "MSTS", 1) + "\r\n", "cookie:" + token(at[3]) + "\r\n", "Cookie: " + token(at[3])[:12] + "\r\n",
		"Cookie: msts=1.2\r\n", "Cookie: msts=a.b.c\r\n", "Cookie: msts=" + "99999999999.1.0000\r\n", "Cookie: msts=1.99999.0000\r\n", "no cookie at all",
		"Cookie: " + strings.TrimSuffix(token(at[3]), ".0000") + "\r\n", "Cookie: " + strings.TrimSuffix(token(at[3]), "0000") + "\r\n", "Cookie: " + token(at[3]) + "x\r\n", "Cookie: " + strings.Replace(token(at[3]), "msts", "other", 1) + "\r\n",
	}
	for i := range 40 {
		lines = append(lines, fmt.Sprintf("Cookie: mstshash=user%d\r\n\x01\x00", i), fmt.Sprintf("Cookie: user=%d\r\n", i*7919))
	}
	theirs, ours := free(t), free(t)
	theirText, theirFronts := config(theirs)
	ourText, ourFronts := config(ours)
	runHAProxy(t, theirText, theirs)
	runBaton(t, ourText)
	for i, s := range settings {
		for _, line := range lines {
			w, g := rdpServer(t, theirFronts[i], line), rdpServer(t, ourFronts[i], line)
			if w != g {
				t.Errorf("%s: %q is served by %q, HAProxy's by %q", s, line, g, w)
			}
		}
	}
}

func rdpServer(t *testing.T, addr, line string) string {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(c, rdpRequest(line)); err != nil {
		t.Fatal(err)
	}
	who := make([]byte, 2)
	if n, err := io.ReadFull(c, who); err != nil {
		return fmt.Sprint(string(who[:n]), " then ", err)
	}
	return string(who)
}
