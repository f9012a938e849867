package vrrpnet

import (
	"net"
	"testing"
	"time"

	"baton/internal/nettest"
	"baton/vrrp"
	"baton/vrrp/packet"

	"golang.org/x/net/ipv4"
)

// sender injects IP packets from a host.
type sender struct {
	t   *testing.T
	raw *ipv4.RawConn
}

func newSender(t *testing.T, host *nettest.Host) *sender {
	t.Helper()
	s := &sender{t: t}
	host.Do(func() {
		c, err := net.ListenPacket("ip4:112", "0.0.0.0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		if s.raw, err = ipv4.NewRawConn(c); err != nil {
			t.Fatal(err)
		}
		ifi, err := net.InterfaceByName("eth0")
		if err != nil {
			t.Fatal(err)
		}
		if err := s.raw.SetMulticastInterface(ifi); err != nil {
			t.Fatal(err)
		}
	})
	return s
}

func (s *sender) send(dst string, ttl int, payload []byte) {
	s.t.Helper()
	h := &ipv4.Header{
		Version: 4, Len: ipv4.HeaderLen, TotalLen: ipv4.HeaderLen + len(payload),
		TTL: ttl, Protocol: 112, Src: net.ParseIP("10.0.0.2"), Dst: net.ParseIP(dst),
	}
	if err := s.raw.WriteTo(h, payload, nil); err != nil {
		s.t.Fatal(err)
	}
}

// TestMalformed sends what must not be listened to: counted by reason, told once,
// and no change of state.
func TestMalformed(t *testing.T) {
	t.Parallel()
	ha, hb, _ := hosts(t)
	// Every one of these would end its time as master, were it accepted.
	better := packet.Advert{
		VRID: 51, Priority: 255, Interval: time.Second, Auth: withPassword(config(1), "secret").Auth,
		Addresses: config(1).Advertised,
	}
	edit := func(f func(*packet.Advert)) []byte {
		a := better
		f(&a)
		return a.Append(nil, packet.Pseudo{})
	}
	good := edit(func(*packet.Advert) {})
	flip := func(i int, bits byte) []byte {
		b := edit(func(*packet.Advert) {})
		b[i] ^= bits
		return b
	}
	wrongPassword := withPassword(config(1), "Secret").Auth
	group := packet.Group().String()

	a := run(t, ha, withPassword(config(150), "secret"))
	a.await("VI MASTER")
	s := newSender(t, hb)
	for _, tt := range []struct {
		name    string
		dst     string
		ttl     int
		payload []byte
		want    packet.Reason
	}{
		{"TTL 254", group, 254, good, packet.TTL},
		{"unicast", "10.0.0.1", 255, good, packet.Destination},
		{"one byte", group, 255, good[:1], packet.Short},
		{"seven bytes", group, 255, good[:7], packet.Short},
		{"without its end", group, 255, good[:len(good)-1], packet.Count},
		{"version 3", group, 255, flip(0, 0x10), packet.Version},
		{"type 3", group, 255, flip(0, 0x02), packet.Type},
		{"another checksum", group, 255, flip(7, 0x01), packet.Checksum},
		{"another byte", group, 255, flip(9, 0x01), packet.Checksum},
		{"no authentication", group, 255, edit(func(a *packet.Advert) { a.Auth = packet.Auth{} }), packet.AuthKind},
		{"AH", group, 255, edit(func(a *packet.Advert) { a.Auth.Type = 2 }), packet.AuthKind},
		{"another password", group, 255, edit(func(a *packet.Advert) { a.Auth = wrongPassword }), packet.AuthData},
		{"another interval", group, 255, edit(func(a *packet.Advert) { a.Interval = 2 * time.Second }), packet.Interval},
		{"another VRID", group, 255, edit(func(a *packet.Advert) { a.VRID = 50 }), packet.VRID},
	} {
		before := a.status()
		s.send(tt.dst, tt.ttl, tt.payload)
		await(t, poll(func() string {
			if a.status().Refused[tt.want] == before.Refused[tt.want]+1 {
				return "counted"
			}
			return ""
		}), "counted")
		after := a.status()
		if after.State != vrrp.Master || after.Transitions != before.Transitions {
			t.Fatalf("%s: %+v", tt.name, after)
		}
		for r := range packet.NumReasons {
			if r != tt.want && after.Refused[r] != before.Refused[r] {
				t.Errorf("%s: counted as %v, want %v", tt.name, r, tt.want)
			}
		}
	}
	// The well-formed one does what the others could not.
	s.send(group, 255, append(good, make([]byte, 18)...))
	lines := a.await("VI BACKUP: heard a higher priority (10.0.0.2, priority 255)")

	// Told once per reason, though Short, Checksum and AuthKind came twice.
	count := map[string]int{}
	for _, l := range lines {
		count[l]++
	}
	for _, want := range []string{
		"advert of 10.0.0.2 refused: TTL is not 255",
		"advert of 10.0.0.2 refused: too short",
		"VI advert of 10.0.0.2 refused: wrong checksum",
		"VI advert of 10.0.0.2 refused: authentication type differs",
		"VI advert of 10.0.0.2 refused: advert interval differs",
	} {
		if count[want] != 1 {
			t.Errorf("%q was told %d times of %v", want, count[want], count)
		}
	}
}
