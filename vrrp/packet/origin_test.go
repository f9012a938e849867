package packet

import (
	"net/netip"
	"testing"
)

func TestOrigin(t *testing.T) {
	for _, text := range []string{"10.0.0.1", "fe80::1"} {
		addr := netip.MustParseAddr(text)
		b := AppendOrigin([]byte("advert"), addr)[len("advert"):]
		if got, ok := ParseOrigin(append(b, 0, 0), addr.Is6()); !ok || got != addr {
			t.Errorf("%v: parsed %v, %v", addr, got, ok)
		}
		if _, ok := ParseOrigin(b, addr.Is4()); ok {
			t.Errorf("%v passes for the other family", addr)
		}
		for i := range b {
			if _, ok := ParseOrigin(b[:i], addr.Is6()); ok {
				t.Errorf("%v: %d bytes of it pass", addr, i)
			}
			b[i] ^= 0x10
			if _, ok := ParseOrigin(b, addr.Is6()); ok {
				t.Errorf("%v: byte %d can be changed", addr, i)
			}
			b[i] ^= 0x10
		}
	}
	for _, text := range []string{"0.0.0.0", "224.0.0.18"} {
		if _, ok := ParseOrigin(AppendOrigin(nil, netip.MustParseAddr(text)), false); ok {
			t.Errorf("%s passes for a host", text)
		}
	}
}

func FuzzOrigin(f *testing.F) {
	f.Add(AppendOrigin(nil, netip.MustParseAddr("10.0.0.1")), false)
	f.Add(AppendOrigin(nil, netip.MustParseAddr("fe80::1")), true)
	f.Fuzz(func(t *testing.T, b []byte, ipv6 bool) {
		addr, ok := ParseOrigin(b, ipv6)
		if !ok {
			return
		}
		again, ok := ParseOrigin(AppendOrigin(nil, addr), ipv6)
		if !ok || again != addr {
			t.Errorf("%v becomes %v, %v", addr, again, ok)
		}
	})
}
