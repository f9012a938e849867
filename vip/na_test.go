package vip

import (
	"encoding/hex"
	"net/netip"
	"testing"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv6"
)

// TestAppendNA: the frame by hand, and x/net's checksum.
func TestAppendNA(t *testing.T) {
	hw := [6]byte{2, 0, 0, 0, 0, 9}
	a := netip.MustParseAddr("2001:db8::9")
	for _, router := range []bool{false, true} {
		f := AppendNA(nil, hw, a, router)
		flags := "20"
		if router {
			flags = "a0"
		}
		want := "333300000001" + "020000000009" + "86dd" +
			"6000000000203aff" + "20010db8000000000000000000000009" + "ff020000000000000000000000000001" +
			"8800" + hex.EncodeToString(f[56:58]) + flags + "000000" + "20010db8000000000000000000000009" +
			"0201" + "020000000009"
		if got := hex.EncodeToString(f); got != want || len(f) != NALen {
			t.Errorf("router %t:\n got %s\nwant %s", router, got, want)
		}
		m := icmp.Message{Type: ipv6.ICMPTypeNeighborAdvertisement, Body: &icmp.RawBody{Data: f[58:]}}
		b, err := m.Marshal(icmp.IPv6PseudoHeader(f[22:38], f[38:54]))
		if err != nil {
			t.Fatal(err)
		}
		if got, want := hex.EncodeToString(f[54:]), hex.EncodeToString(b); got != want {
			t.Errorf("router %t: %s, x/net makes %s", router, got, want)
		}
	}
}
