package vip

import (
	"fmt"
	"net/netip"
	"testing"
)

// What a renewal cannot give an address makes it a new one; what it can does not.
func TestDiffOptions(t *testing.T) {
	for _, tt := range []struct {
		prefix string
		change func(*Address)
		want   string
	}{
		{"10.0.0.9/24", func(a *Address) { a.NoPrefixRoute = true }, "[remove add]"},
		{"10.0.0.9/24", func(a *Address) { a.Label = "eth0:1" }, "[remove add]"},
		{"2001:db8::9/64", func(a *Address) { a.NoPrefixRoute, a.Home, a.TempAddresses = true, true, true }, "[renew]"},
		{"2001:db8::9/64", func(a *Address) { a.Preference = Deprecated }, "[renew]"},
	} {
		have := Address{Prefix: netip.MustParsePrefix(tt.prefix), Interface: "eth0"}
		want := have
		tt.change(&want)
		var ops []Op
		for _, st := range Diff(Set{{Address: have}}, Set{{Address: want}}) {
			ops = append(ops, st.Op)
		}
		if got := fmt.Sprint(ops); got != tt.want {
			t.Errorf("%+v: %s, want %s", want, got, tt.want)
		}
	}
}
