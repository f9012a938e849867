package vrrpnet

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"baton/internal/mono"
	"baton/vrrp"
	"baton/vrrp/packet"
)

// sighting is an instance of a configuration, and what it has seen: nothing.
func sighting(c vrrp.Config) (*vrrp.Instance, *sights) {
	g := vrrp.NewGroup(c)
	return g.Member(0), &sights{}
}

func advertOf(c vrrp.Config) packet.Advert {
	return packet.Advert{Version: max(c.Version, 2), VRID: c.VRID, Priority: 150, Interval: c.AdvertInterval, Auth: c.Auth, PlainSum: c.PlainSum, Addresses: c.Advertised}
}

// TestSightTells: each difference has a sentence, and says whether it costs the advert.
func TestSightTells(t *testing.T) {
	two := withPassword(config(100), "secret")
	three := config(100)
	three.Version, three.AdvertInterval = 3, 100*time.Millisecond
	from := netip.MustParseAddr("10.0.0.2")
	for _, tt := range []struct {
		name string
		c    vrrp.Config
		edit func(*packet.Advert)
		want string
	}{
		{"alike", two, func(*packet.Advert) {}, ""},
		{"no authentication", two, func(a *packet.Advert) { a.Auth = packet.Auth{} }, "10.0.0.2 has another authentication type: its adverts are refused"},
		{"password", two, func(a *packet.Advert) { a.Auth.Data[0] = 'S' }, "10.0.0.2 has another auth_pass: its adverts are refused"},
		{"interval", two, func(a *packet.Advert) { a.Interval = 2 * time.Second }, "advert_int of 10.0.0.2 is 2s, here 1s: its adverts are refused"},
		{"interval of version 3", three, func(a *packet.Advert) { a.Interval = time.Second }, "advert_int of 10.0.0.2 is 1s, here 100ms: as long as it is master its interval counts"},
		{"addresses", two, func(a *packet.Advert) { a.Addresses = nil }, "10.0.0.2 advertises other addresses than this node has: what only one of them has goes away with it"},
		{"checksum", three, func(a *packet.Advert) { a.PlainSum = true }, "10.0.0.2 makes its checksums otherwise (v3_checksum_as_v2): baton takes both, it may refuse this node's adverts"},
	} {
		i, s := sighting(tt.c)
		ad := advertOf(tt.c)
		tt.edit(&ad)
		sight, news := s.see(0, from, ad.Version, i, &ad)
		if got := strings.Join(sight.Tell(&tt.c), "; "); got != tt.want || news != (tt.want != "") {
			t.Errorf("%s: %q, news %v, want %q", tt.name, got, news, tt.want)
		}
	}
	i, s := sighting(two)
	sight, _ := s.see(0, from, 3, i, nil)
	if diff := cmp.Diff([]string{"10.0.0.2 speaks VRRP version 3, this node version 2: its adverts are refused"}, sight.Tell(&two)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestSightsOnce: a difference is news once, its end is news, a silent node is
// forgotten, and strangers cannot make the list grow.
func TestSightsOnce(t *testing.T) {
	c := config(100)
	i, s := sighting(c)
	at := func(seconds int) mono.Time { return mono.Time(seconds) * mono.Time(time.Second) }
	peer := func(n byte) netip.Addr { return netip.AddrFrom4([4]byte{10, 0, 0, n}) }
	see := func(seconds int, from netip.Addr, interval time.Duration) bool {
		ad := advertOf(c)
		ad.Interval = interval
		_, news := s.see(at(seconds), from, 2, i, &ad)
		return news
	}
	for _, tt := range []struct {
		at       int
		interval time.Duration
		want     bool
	}{
		{1, time.Second, false}, {2, 2 * time.Second, true}, {3, 2 * time.Second, false}, {9, time.Second, true}, {10, time.Second, false},
	} {
		if got := see(tt.at, peer(2), tt.interval); got != tt.want {
			t.Errorf("at %d s with %v: news %v, want %v", tt.at, tt.interval, got, tt.want)
		}
	}
	told := 0
	for n := range byte(200) {
		if see(20, peer(n+20), 2*time.Second) {
			told++
		}
	}
	if want := maxSights - 1; told != want || len(s.present(at(20))) != maxSights {
		t.Errorf("%d strangers told, %d remembered, want %d and %d", told, len(s.present(at(20))), want, maxSights)
	}
	if left := s.present(at(20 + 61)); len(left) != 0 {
		t.Errorf("still remembered after a minute's silence: %v", left)
	}
	if !see(20+61, peer(250), 2*time.Second) {
		t.Error("no room where everybody is silent")
	}
}

// TestPeerDiffers: it comes through the socket, into the events and the status.
func TestPeerDiffers(t *testing.T) {
	t.Parallel()
	ha, hb, _ := hosts(t)
	a := run(t, ha, config(150))
	a.await("VI MASTER")
	s := newSender(t, hb)
	ad := advertOf(config(150))
	ad.Interval = 2 * time.Second
	s.send(packet.Group().String(), 255, ad.Append(nil, packet.Pseudo{}))
	a.await("VI advert_int of 10.0.0.2 is 2s, here 1s: its adverts are refused; 10.0.0.2 has the same priority, 150: when two masters meet the higher address decides")
	st := a.status()
	if len(st.Sights) != 1 || st.Sights[0].Differs != vrrp.OtherInterval|vrrp.SamePriority {
		t.Errorf("%+v", st.Sights)
	}
}
