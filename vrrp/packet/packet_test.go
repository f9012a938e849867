package packet

import (
	"encoding/hex"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func addrs(list ...string) (out []netip.Addr) {
	for _, s := range list {
		out = append(out, netip.MustParseAddr(s))
	}
	return out
}

var sameAddrs = cmp.Options{
	cmp.Comparer(func(a, b netip.Addr) bool { return a == b }),
	cmpopts.EquateEmpty(),
}

// wire holds adverts worked out by hand from RFC 3768 section 5.1, and adverts
// that Debian's keepalived 2.2.7 sent.
var wire = []struct {
	name, hex string
	advert    Advert
	ph        Pseudo
}{
	{
		// 2101+6401+0001+c0a8+0164 = 1470f, with the carry 4710, complement b8ef.
		"by hand: no authentication",
		"21 01 64 01 00 01 b8ef c0a80164 0000000000000000",
		Advert{Version: 2, VRID: 1, Priority: 100, Interval: time.Second, Addresses: addrs("192.168.1.100")},
		Pseudo{},
	},
	{
		// 2133+0002+0102+0a00+0032+0a00+0033+7365+6372+6574 = 172e7, 72e8, 8d17.
		"by hand: resigning, two addresses, password",
		"21 33 00 02 01 02 8d17 0a000032 0a000033 7365637265740000",
		Advert{
			Version: 2, VRID: 51, Interval: 2 * time.Second, Addresses: addrs("10.0.0.50", "10.0.0.51"),
			Auth: Auth{Type: AuthSimple, Data: [8]byte{'s', 'e', 'c', 'r', 'e', 't'}},
		},
		Pseudo{},
	},
	{
		"keepalived: no authentication",
		"2133640100 01705d 0a090064 0000000000000000",
		Advert{Version: 2, VRID: 51, Priority: 100, Interval: time.Second, Addresses: addrs("10.9.0.100")},
		Pseudo{},
	},
	{
		"keepalived: resigning",
		"2133000100 01d45d 0a090064 0000000000000000",
		Advert{Version: 2, VRID: 51, Interval: time.Second, Addresses: addrs("10.9.0.100")},
		Pseudo{},
	},
	{
		"keepalived: auth_pass your_secure_password, cut to 8 bytes",
		"2134960201027f31 0a090065 0a090066 796f75725f736563",
		Advert{
			Version: 2, VRID: 52, Priority: 150, Interval: 2 * time.Second, Addresses: addrs("10.9.0.101", "10.9.0.102"),
			Auth: Auth{Type: AuthSimple, Data: [8]byte([]byte("your_sec"))},
		},
		Pseudo{},
	},
	{
		// 3101+6401+0064+c0a8+0164 = 15772; c0a8+0101+e000+0012+0070+000c = 1a237;
		// both 2f9a9, with the carry f9ab, complement 0654.
		"by hand: version 3, pseudo header",
		"31 01 64 01 0064 0654 c0a80164",
		Advert{Version: 3, VRID: 1, Priority: 100, Interval: time.Second, Addresses: addrs("192.168.1.100")},
		Pseudo{netip.MustParseAddr("192.168.1.1"), Group()},
	},
	{
		// 15772, with the carry 5773, complement a88c.
		"by hand: version 3, no pseudo header",
		"31 01 64 01 0064 a88c c0a80164",
		Advert{Version: 3, VRID: 1, Priority: 100, Interval: time.Second, PlainSum: true, Addresses: addrs("192.168.1.100")},
		Pseudo{netip.MustParseAddr("192.168.1.1"), Group()},
	},
	{
		// 3101+6401+0001+fe80+0064 = 193e7; fe80+0001+ff02+0012+0070+0018 = 1fe1d;
		// both 39204, with the carry 9207, complement 6df8.
		"by hand: version 3, IPv6, 10 ms",
		"31 01 64 01 0001 6df8 fe800000000000000000000000000064",
		Advert{Version: 3, VRID: 1, Priority: 100, Interval: 10 * time.Millisecond, Addresses: addrs("fe80::64")},
		Pseudo{netip.MustParseAddr("fe80::1"), Group6()},
	},
}

func TestWire(t *testing.T) {
	for _, tt := range wire {
		t.Run(tt.name, func(t *testing.T) {
			want := unhex(t, tt.hex)
			if diff := cmp.Diff(hex.EncodeToString(want), hex.EncodeToString(tt.advert.Append(nil, tt.ph))); diff != "" {
				t.Errorf("Append (-want +got):\n%s", diff)
			}
			for _, padding := range []int{0, 1, 26} { // Ethernet pads a 40-byte packet to 46 bytes
				var got Advert
				if r := got.Parse(append(want[:len(want):len(want)], make([]byte, padding)...), tt.advert.Version, tt.ph); r != OK {
					t.Fatalf("Parse with %d bytes of padding: %v", padding, r)
				}
				if diff := cmp.Diff(tt.advert, got, sameAddrs); diff != "" {
					t.Errorf("Parse with %d bytes of padding (-want +got):\n%s", padding, diff)
				}
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	good := "2133640100 01705d 0a090064 0000000000000000"
	for _, tt := range []struct {
		name string
		hex  string
		want Reason
	}{
		{"empty", "", Short},
		{"seven bytes", "21336401000170", Short},
		{"head alone", "2133640100 01705d", Count},
		{"authentication data cut", "2133640100 01705d 0a090064 00000000000000", Count},
		{"two announced, one there", "2133640200 01705c 0a090064 0000000000000000", Count},
		{"version 3", "3133640100 64605d 0a090064 0000000000000000", Version},
		{"type 2", "2233640100 016f5d 0a090064 0000000000000000", Type},
		{"priority flipped", "2133650100 01705d 0a090064 0000000000000000", Checksum},
		{"authentication data flipped", "2133640100 01705d 0a090064 0000000000000001", Checksum},
		{"whole", good, OK},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var a Advert
			if got := a.Parse(unhex(t, tt.hex), 2, Pseudo{}); got != tt.want {
				t.Errorf("Parse = %v, want %v", got, tt.want)
			}
		})
	}
}

// TestParseRefuses3: the same of version 3.
func TestParseRefuses3(t *testing.T) {
	four := Pseudo{netip.MustParseAddr("192.168.1.1"), Group()}
	six := Pseudo{netip.MustParseAddr("fe80::1"), Group6()}
	for _, tt := range []struct {
		name, hex string
		ph        Pseudo
		want      Reason
	}{
		{"seven bytes", "31016401006406", four, Short},
		{"head alone", "31 01 64 01 0064 0654", four, Count},
		{"address cut", "31 01 64 01 0064 0654 c0a801", four, Count},
		{"an IPv4 address over IPv6", "31 01 64 01 0001 6df8 c0a80164", six, Count},
		{"version 2", "21 01 64 01 00 01 b8ef c0a80164 0000000000000000", four, Version},
		{"type 2", "32 01 64 01 0064 0554 c0a80164", four, Type},
		{"priority flipped", "31 01 65 01 0064 0654 c0a80164", four, Checksum},
		{"from another source", "31 01 64 01 0064 0654 c0a80164", Pseudo{netip.MustParseAddr("192.168.1.2"), Group()}, Checksum},
		{"IPv6 without pseudo header", "31 01 64 01 0001 6c17 fe800000000000000000000000000064", six, Checksum},
		{"reserved bits are ignored", "31 01 64 01 f064 1653 c0a80164", four, OK},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var a Advert
			if got := a.Parse(unhex(t, tt.hex), 3, tt.ph); got != tt.want {
				t.Errorf("Parse = %v, want %v", got, tt.want)
			}
		})
	}
	if r := (&Advert{Version: 3, Interval: time.Second}).Check(Auth{Type: AuthSimple}, time.Minute); r != OK {
		t.Errorf("Check minds the interval or the password of version 3: %v", r)
	}
}

func TestCheck(t *testing.T) {
	pass := Auth{Type: AuthSimple, Data: [8]byte([]byte("12345678"))}
	other := Auth{Type: AuthSimple, Data: [8]byte([]byte("12345679"))}
	junk := Auth{Data: [8]byte{9}}
	for _, tt := range []struct {
		name       string
		sent, ours Auth
		interval   time.Duration
		want       Reason
	}{
		{"same", pass, pass, time.Second, OK},
		{"last byte of the password", other, pass, time.Second, AuthData},
		{"none sent", Auth{}, pass, time.Second, AuthKind},
		{"none expected", pass, Auth{}, time.Second, AuthKind},
		{"AH sent", Auth{Type: 2}, Auth{}, time.Second, AuthKind},
		{"data without authentication is ignored", junk, Auth{}, time.Second, OK},
		{"interval", Auth{}, Auth{}, 2 * time.Second, Interval},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := Advert{VRID: 1, Priority: 1, Interval: time.Second, Auth: tt.sent}
			if got := a.Check(tt.ours, tt.interval); got != tt.want {
				t.Errorf("Check = %v, want %v", got, tt.want)
			}
		})
	}
}

// TestIPv4 compares with x/net's reader of headers.
func TestIPv4(t *testing.T) {
	src := netip.MustParseAddr("10.9.0.1")
	b := AppendIPv4(nil, Pseudo{src, Group()}, 255, 20)
	// The header of keepalived's advert above, with Identification 0 in place of 1.
	if diff := cmp.Diff("45c0002800000000ff70d0890a090001e0000012", hex.EncodeToString(b)); diff != "" {
		t.Errorf("AppendIPv4 (-want +got):\n%s", diff)
	}
	h, err := ipv4.ParseHeader(b)
	if err != nil {
		t.Fatal(err)
	}
	if h.TTL != 255 || h.Protocol != 112 || h.TOS != 0xc0 || h.TotalLen != 40 || h.Dst.String() != "224.0.0.18" || Sum(b) != 0 {
		t.Errorf("x/net reads %+v", h)
	}

	packet := append(b, make([]byte, 20+6)...)
	got, payload, r := ParseIPv4(packet)
	if r != OK || got != (Header{Pseudo{src, Group()}, 255}) || len(payload) != 20 {
		t.Errorf("ParseIPv4 = %+v, %d bytes, %v", got, len(payload), r)
	}
	withOptions := append([]byte{0x46}, b[1:]...)
	withOptions = append(withOptions, make([]byte, 20)...) // 4 bytes of options, 16 of payload
	if _, payload, r := ParseIPv4(withOptions); r != OK || len(payload) != 16 {
		t.Errorf("with options: %d bytes, %v", len(payload), r)
	}
	for name, bad := range map[string][]byte{
		"cut":            packet[:39],
		"no header":      b[:19],
		"version 6":      append([]byte{0x65}, packet[1:]...),
		"header too big": append([]byte{0x4f}, packet[1:]...),
		"header of 16":   append([]byte{0x44}, packet[1:]...),
	} {
		if _, _, r := ParseIPv4(bad); r != NotIPv4 {
			t.Errorf("%s: %v", name, r)
		}
	}
}

// TestIPv6 compares with x/net's reader of headers.
func TestIPv6(t *testing.T) {
	b := AppendIP(nil, Pseudo{netip.MustParseAddr("fe80::1"), Group6()}, 255, 24)
	h, err := ipv6.ParseHeader(b)
	if err != nil {
		t.Fatal(err)
	}
	if h.HopLimit != 255 || h.NextHeader != 112 || h.TrafficClass != 0xc0 || h.FlowLabel != 0 || h.PayloadLen != 24 ||
		h.Src.String() != "fe80::1" || h.Dst.String() != "ff02::12" || len(b) != IPv6HeaderLen {
		t.Errorf("x/net reads %+v", h)
	}
}

func TestNoAllocation(t *testing.T) {
	buf := make([]byte, 0, MaxLen)
	in := Advert{Addresses: make([]netip.Addr, 0, 255)}
	for _, w := range wire {
		a := w.advert
		if n := testing.AllocsPerRun(100, func() {
			b := a.Append(buf[:0], w.ph)
			if in.Parse(b, a.Version, w.ph) != OK || in.Check(a.Auth, a.Interval) != OK {
				t.Fatal("not accepted")
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations per advert", w.name, n)
		}
	}
}

func TestReasonsHaveNames(t *testing.T) {
	seen := map[string]bool{}
	for r := range NumReasons {
		for _, s := range []string{r.String(), r.Key()} {
			if s == "" || strings.HasPrefix(s, "unknown reason") || s == "unknown" || seen[s] && s != "ok" {
				t.Errorf("reason %d: name %q", r, s)
			}
			seen[s] = true
		}
	}
}

// FuzzPacket: what parses is written back to the same bytes, and read again to
// the same advert.
func FuzzPacket(f *testing.F) {
	for _, w := range wire {
		f.Add(unhex(f, w.hex), w.ph.Destination.Is6())
	}
	f.Add(append([]byte{0x31, 1, 100, 1, 0, 100}, make([]byte, 14)...), false)
	f.Fuzz(func(t *testing.T, b []byte, six bool) {
		if _, payload, r := ParseIPv4(b); r == OK && len(payload) > len(b)-IPv4HeaderLen {
			t.Fatalf("payload of %d bytes in a packet of %d", len(payload), len(b))
		}
		ph := Pseudo{netip.MustParseAddr("192.168.1.1"), Group()}
		if six {
			ph = Pseudo{netip.MustParseAddr("fe80::1"), Group6()}
		}
		for _, version := range []uint8{2, 3} {
			var a Advert
			if r := a.Parse(b, version, ph); r != OK {
				if r >= NumReasons {
					t.Fatalf("reason %d", r)
				}
				continue
			}
			out := a.Append(nil, ph)
			want := append([]byte(nil), b[:len(out)]...)
			if version == 3 && b[4]&0xf0 != 0 { // reserved bits, which we send as 0
				continue
			}
			// A checksum of ffff verifies like one of 0000: there are two zeros in ones' complement.
			if want[6] == 0xff && want[7] == 0xff && out[6] == 0 && out[7] == 0 {
				out[6], out[7] = 0xff, 0xff
			}
			if diff := cmp.Diff(want, out); diff != "" {
				t.Fatalf("written back (-read +written):\n%s", diff)
			}
			var again Advert
			if r := again.Parse(out, version, ph); r != OK {
				t.Fatalf("read again: %v", r)
			}
			if diff := cmp.Diff(a, again, sameAddrs); diff != "" {
				t.Fatalf("read again (-first +second):\n%s", diff)
			}
		}
	})
}
