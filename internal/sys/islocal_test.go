package sys

import (
	"net"
	"net/netip"
	"testing"
)

func TestIsLocal(t *testing.T) {
	own, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range own {
		p := netip.MustParsePrefix(a.String())
		if addr := p.Addr(); !addr.IsLinkLocalUnicast() && !IsLocal(addr) { // those need a zone
			t.Errorf("%s is not local", addr)
		}
	}
	for _, a := range []string{"127.0.0.9", "::1", "::ffff:127.0.0.1"} {
		if !IsLocal(netip.MustParseAddr(a)) {
			t.Errorf("%s is not local", a)
		}
	}
	for _, a := range []string{"192.0.2.1", "2001:db8::1"} {
		if IsLocal(netip.MustParseAddr(a)) {
			t.Errorf("%s is local", a)
		}
	}
}

func TestTCPInfo(t *testing.T) {
	a, b, err := SocketPair()
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	defer b.Close()
	if _, ok := a.TCPInfo(); ok {
		t.Error("a unix socket has TCP_INFO")
	}
}
