package vip

import (
	"encoding/hex"
	"net/netip"
	"testing"
)

func TestAppendProbe(t *testing.T) {
	hw := [6]byte{2, 0, 0, 0, 0, 9}
	for ip, want := range map[string]string{
		"10.0.0.9": "ffffffffffff" + "020000000009" + "0806" + "0001080006040001" +
			"020000000009" + "00000000" + "000000000000" + "0a000009",
		// 8700+2001+0db8+0009 = b4c2; ff02+0001+ff00+0009+0018+003a = 1fe5e; both
		// 2b320, with the carry b322, complement 4cdd.
		"2001:db8::9": "3333ff000009" + "020000000009" + "86dd" + "6000000000183aff" +
			"00000000000000000000000000000000" + "ff0200000000000000000001ff000009" +
			"87004cdd" + "00000000" + "20010db8000000000000000000000009",
	} {
		f := AppendProbe(nil, hw, netip.MustParseAddr(ip))
		if got := hex.EncodeToString(f); got != want {
			t.Errorf("%s:\n got %s\nwant %s", ip, got, want)
		}
		if a, _, ok := ParseClaim(f); ok {
			t.Errorf("a probe for %s is taken for a claim of %s", ip, a)
		}
	}
}

func TestParseClaim(t *testing.T) {
	hw := [6]byte{2, 0, 0, 0, 0, 9}
	reply, _ := hex.DecodeString("020000000001" + "020000000009" + "0806" + "0001080006040002" +
		"020000000009" + "0a000009" + "020000000001" + "00000000" + "0000")
	for ip, f := range map[string][]byte{
		"10.0.0.9":    reply,
		"2001:db8::9": AppendNA(nil, hw, netip.MustParseAddr("2001:db8::9"), false),
	} {
		a, from, ok := ParseClaim(f)
		if !ok || a != netip.MustParseAddr(ip) || from != hw {
			t.Errorf("%s: read %s, %x, %t", ip, a, from, ok)
		}
		if _, _, ok := ParseClaim(f[:40]); ok {
			t.Errorf("%s: read half a frame", ip)
		}
	}
}

func FuzzParseClaim(f *testing.F) {
	f.Add(AppendNA(nil, [6]byte{1}, netip.MustParseAddr("fe80::1"), true))
	f.Add(AppendProbe(nil, [6]byte{1}, netip.MustParseAddr("10.0.0.1")))
	f.Fuzz(func(t *testing.T, b []byte) {
		if a, _, ok := ParseClaim(b); ok && (!a.IsValid() || len(b) < 42) {
			t.Fatalf("%s out of %d bytes", a, len(b))
		}
	})
}
