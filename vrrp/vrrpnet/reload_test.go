package vrrpnet

import (
	"net/netip"
	"slices"
	"testing"

	"baton/internal/mono"
	"baton/vrrp"
)

// reload has the rig go on with other instances; its owner stays.
func (r *rig) reload(c Change, instances ...vrrp.Config) {
	r.t.Helper()
	c.Instances = instances
	if c.Owner == nil {
		c.Owner = func(mono.Time, map[string]string) Owner { return r.owner }
	}
	var err error
	r.host.Do(func() { err = r.s.Reload(r.t.Context(), c) })
	if err != nil {
		r.t.Fatal(err)
	}
	r.link()
}

func second(priority uint8) vrrp.Config {
	c := config(priority)
	c.Name, c.VRID, c.Advertised = "VI_2", 52, []netip.Addr{netip.MustParseAddr("10.0.0.200")}
	return c
}

// TestReload changes what runs, and looks whether anybody notices who should not.
func TestReload(t *testing.T) {
	t.Parallel()
	ha, hb, _ := hosts(t)
	a := run(t, ha, config(150))
	a.await("VI MASTER")
	b := run(t, hb, config(100), second(100))
	b.await("VI_2 MASTER")
	before := a.status()

	// The same once more: nothing but that it was done.
	a.reload(Change{}, config(150))
	if seen := a.await("VRRP works by the new configuration"); len(seen) != 1 {
		t.Errorf("a reload without a change: %q", seen)
	}

	// Another instance, of better priority than that of the other node.
	a.reload(Change{Groups: []Group{{Name: "G", Members: []string{"VI_2"}}}}, second(150), config(150))
	a.await("VI_2 MASTER: the master's priority is lower")
	b.await("VI_2 BACKUP: heard a higher priority")

	// The first under another name, with another address and priority, in other places
	// of the file; it stays master.
	other := config(140)
	other.Name, other.Advertised = "renamed", append(other.Advertised, netip.MustParseAddr("10.0.0.101"))
	var was map[string]string
	a.reload(Change{Moved: map[string]bool{"renamed": true}, Owner: func(_ mono.Time, w map[string]string) Owner {
		was = w
		return a.owner
	}}, other, second(150))
	if was["renamed"] != "VI" || was["VI_2"] != "VI_2" {
		t.Errorf("the owner was told that they were called %v", was)
	}
	seen := a.await("VRRP works by the new configuration")
	for _, want := range []string{"renamed priority is now 140", "renamed addresses up true", "renamed announce", "group G is INIT"} {
		if found := slices.Contains(seen, want); found != (want != "group G is INIT") {
			t.Errorf("%q: %v, in %q", want, found, seen)
		}
	}
	after := a.status()
	if after.State != vrrp.Master || after.Transitions != before.Transitions || after.Since != before.Since || after.Sent <= before.Sent || after.Priority != 140 {
		t.Errorf("before %+v\nafter %+v", before, after)
	}

	// A removed master resigns, and lets its addresses go.
	a.reload(Change{}, other)
	seen = a.await("VRRP works by the new configuration")
	if i, j := slices.Index(seen, "VI_2 addresses up false"), slices.Index(seen, "VI_2 INIT: removed by a reload"); i < 0 || j < i {
		t.Errorf("removed: %q", seen)
	}
	b.await("VI_2 MASTER: the master resigned")
	if st := b.status(); st.State != vrrp.Backup || st.Transitions != 1 {
		t.Errorf("b noticed something of the first instance: %+v", st)
	}

	// What contradicts itself changes nothing.
	if err := a.s.Reload(t.Context(), Change{Instances: []vrrp.Config{other, other}}); err == nil {
		t.Error("two of one name were accepted")
	}
	if st := a.s.Status(); len(st) != 1 || st[0].Name != "renamed" {
		t.Errorf("after a refused reload: %+v", st)
	}
}
