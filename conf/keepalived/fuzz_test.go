package keepalived

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"baton/conf"
	"baton/vrrp/packet"
)

// FuzzKeepalived lowers anything. Beside not panicking: findings have a place in
// the file, an error-free configuration keeps the promises of the types it fills,
// and lowering twice says the same.
func FuzzKeepalived(f *testing.F) {
	for _, pattern := range []string{"testdata/*.txt", "testdata/examples/*.conf"} {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, p := range paths {
			data, err := os.ReadFile(p)
			if err != nil {
				f.Fatal(err)
			}
			input, _, _ := strings.Cut(string(data), separator)
			f.Add(input)
		}
	}
	f.Fuzz(func(t *testing.T, input string) {
		if strings.Contains(input, "include") {
			return // the only file is the input itself
		}
		src := conf.Source{FS: fstest.MapFS{"k.conf": {Data: []byte(input)}}, Dir: "/", Node: "lb1"}
		tree, parseErrs := conf.Parse(src, []string{"k.conf"})
		c, errs := Lower(tree)
		_, again := Lower(tree)
		if len(errs) != len(again) {
			t.Fatalf("%d findings, then %d", len(errs), len(again))
		}
		for _, d := range errs {
			if d.Pos.File != "k.conf" || d.Pos.Line < 1 || d.Pos.Col < 1 || d.Msg == "" {
				t.Fatalf("finding without a place: %+v", d)
			}
		}
		if parseErrs.Errors()+errs.Errors() == 0 {
			checkInvariants(t, c)
		}
		CheckScripts(c, func(string) error { return nil })
		Link(c, nil, nil)
	})
}

// checkInvariants is what the users of a Config rely on.
func checkInvariants(t *testing.T, c *Config) {
	probes := make(map[string]bool)
	for _, p := range c.Probes {
		if probes[p.Name] {
			t.Fatalf("two probes %q", p.Name)
		}
		probes[p.Name] = true
		if p.Interval <= 0 || p.Timeout <= 0 || p.Rise < 1 || p.Fall < 1 || p.Weight < -254 || p.Weight > 254 {
			t.Fatalf("probe %+v", p)
		}
		if (p.Kind == 0) && len(p.Argv) == 0 {
			t.Fatalf("script without a command: %+v", p)
		}
	}
	for _, i := range c.Instances {
		v := i.VRRP
		if v.Interface == "" || v.VRID == 0 || v.Priority == 0 || v.IPv6 && v.Version != 3 {
			t.Fatalf("instance %+v", v)
		}
		if len(v.Advertised) > len(i.VIP.Addresses) || len(v.Advertised) > 255 || i.VIP.Announce.RefreshRepeat < 1 {
			t.Fatalf("%d addresses advertised of %d, announced by %+v", len(v.Advertised), len(i.VIP.Addresses), i.VIP.Announce)
		}
		// What the packet cannot express makes it panic.
		from, to := netip.MustParseAddr("10.0.0.1"), packet.Group()
		if v.IPv6 {
			from, to = netip.MustParseAddr("fe80::1"), packet.Group6()
		}
		ad := packet.Advert{Version: v.Version, VRID: v.VRID, Interval: v.AdvertInterval, Auth: v.Auth, Addresses: v.Advertised}
		b := ad.Append(nil, packet.Pseudo{Source: from, Destination: to})
		if r := ad.Parse(b, v.Version, packet.Pseudo{Source: from, Destination: to}); r != packet.OK || v.AdvertInterval <= 0 {
			t.Fatalf("%v: advert of %+v", r, v)
		}
		for _, p := range v.Peers {
			if p.Addr.Is6() != v.IPv6 || p.MinTTL > p.MaxTTL {
				t.Fatalf("peer %+v", p)
			}
		}
		for _, a := range i.VIP.Addresses {
			if !a.Prefix.IsValid() || a.Prefix.Addr().Is4In6() || a.Interface == "" {
				t.Fatalf("address %+v", a)
			}
		}
		for _, tr := range i.Tracks {
			if !probes[tr.Probe] {
				t.Fatalf("track of nothing: %+v", tr)
			}
		}
	}
}
