package spec

import (
	"net/netip"
	"reflect"
	"testing"
)

// The lines are of HAProxy 2.6.
func TestReadServerStates(t *testing.T) {
	const header = "1\n# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight ...\n"
	got, errs := ReadServerStates(header +
		"3 be 1 a 192.0.2.1 2 0 11 11 4 6 3 4 6 0 0 0 - 8080 - 0 0 - - 0\n" +
		"3 be 2 b - 0 1 5 12 4 6 2 0 6 0 0 0 - 80 - 0 0 - - 0\n" +
		"3 be 3 c 2001:db8::1 2 8 1 1 4 6 3 4 6 0 0\n")
	want := []ServerState{
		{Backend: "be", Server: "a", Addr: netip.MustParseAddr("192.0.2.1"), Port: 8080, Weight: 11, Initial: 11, Health: 4},
		{Backend: "be", Server: "b", Port: 80, Down: true, Maint: true, Weight: 5, Initial: 12},
		{Backend: "be", Server: "c", Addr: netip.MustParseAddr("2001:db8::1"), Drain: true, Weight: 1, Initial: 1, Health: 4},
	}
	if !reflect.DeepEqual(got, want) || len(errs) > 0 {
		t.Errorf("%+v %v\nwant %+v", got, errs, want)
	}
	for _, c := range []struct {
		text         string
		states, errs int
	}{
		{"", 0, 0},
		{"2\n3 be 1 a 192.0.2.1 2 0 11 11 4 6 3 4 6 0 0\n", 0, 1},
		{"1\n3 be 1 a\n3 be 1 a 192.0.2.1 2 x 11 11 4 6 3 4\n3 be 1 a 192.0.2.1 2 0 11 11 4 6 3 4\n", 1, 2},
	} {
		if got, errs := ReadServerStates(c.text); len(got) != c.states || len(errs) != c.errs {
			t.Errorf("%q: %v %v", c.text, got, errs)
		}
	}
}

func FuzzReadServerStates(f *testing.F) {
	f.Add("1\n3 be 1 a 192.0.2.1 2 0 11 11 4 6 3 4 6 0 0 0 - 8080 - 0 0 - - 0\n")
	f.Fuzz(func(t *testing.T, text string) {
		states, _ := ReadServerStates(text)
		for _, s := range states {
			if s.Weight < 0 || s.Initial < 0 || s.Health < 0 {
				t.Errorf("%+v", s)
			}
		}
	})
}
