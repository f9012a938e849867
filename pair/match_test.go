package pair

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestMatch(t *testing.T) {
	a, b, c := Key{"a", 51, 4}, Key{"b", 51, 4}, Key{"c", 51, 6}
	for _, tt := range []struct {
		name string
		ours []Key
		list []Key
		want []int
	}{
		{"same", []Key{a, b}, []Key{b, a}, []int{1, 0}},
		{"another name", []Key{a}, []Key{c, b}, []int{1}},
		{"another family", []Key{a}, []Key{c}, []int{-1}},
		{"ambiguous there", []Key{{"x", 51, 4}}, []Key{a, b}, []int{-1}},
		{"ambiguous here", []Key{a, b}, []Key{{"x", 51, 4}}, []int{-1, -1}},
	} {
		for i, want := range tt.want {
			if got := Match(tt.ours, i, tt.list); got != want {
				t.Errorf("%s: %v is %d, want %d", tt.name, tt.ours[i], got, want)
			}
		}
	}
}

func TestDifferences(t *testing.T) {
	key := func(name string, vrid uint8) Key { return Key{name, vrid, 4} }
	ours := Hello{Version: "1.0", Node: "lb1", Instances: []InstanceConfig{
		{key("A", 1), time.Second, Digest{1}, Digest{1}},
		{key("B", 2), time.Second, Digest{1}, Digest{1}},
		{key("C", 3), time.Second, Digest{1}, Digest{1}},
	}}
	if d := Differences(ours, ours); d != nil {
		t.Errorf("with itself: %q", d)
	}
	theirs := Hello{Version: "1.1", Node: "lb2", Instances: []InstanceConfig{
		{key("A", 1), 2 * time.Second, Digest{2}, Digest{2}},
		{key("b", 2), time.Second, Digest{1}, Digest{2}},
		{key("D", 4), time.Second, Digest{1}, Digest{1}},
	}}
	want := []string{
		"baton 1.0 here, 1.1 on lb2",
		"instance A: advert_int is 1s here, 2s on lb2",
		"instance A: other virtual addresses on lb2",
		"instance A: other VRRP version or authentication on lb2",
		"instance B (b there): other VRRP version or authentication on lb2",
		"instance C (VRID 3) has no counterpart on lb2",
		"instance D (VRID 4) of lb2 has no counterpart here",
	}
	if d := cmp.Diff(want, Differences(ours, theirs)); d != "" {
		t.Error(d)
	}
}

func TestViews(t *testing.T) {
	ours := []Backend{{"app", 2, 2, nil}, {"only", 1, 1, nil}, {"same", 0, 1, []string{"x"}}}
	theirs := []Backend{{"app", 1, 2, []string{"web1"}}, {"same", 0, 1, []string{"x"}}, {"more", 1, 1, nil}}
	want := []string{
		"backend app: 2 of 2 servers usable here, 1 of 2 on lb2, where web1 is down",
		"backend only is not on lb2",
		"backend more of lb2 is not here",
	}
	if d := cmp.Diff(want, Views(ours, theirs, "lb2")); d != "" {
		t.Error(d)
	}
}
