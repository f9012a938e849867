package lb_test

import (
	"os"
	"path/filepath"
	"testing"
)

// Servers go on from a state file: one that was down stays so until its checks pass,
// one in maintenance or drain as somebody wanted it, with the weight of that time.
func TestServerState(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "states")
	const states = `1
# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight ...
2 be 1 down 127.0.0.1 0 0 1 1 4 6 3 0 6 0 0 0 - 80 - 0 0 - - 0
2 be 2 maint 127.0.0.1 0 1 1 1 4 6 3 0 6 0 0 0 - 80 - 0 0 - - 0
2 be 3 drain 127.0.0.1 2 8 5 10 4 6 3 4 6 0 0 0 - 80 - 0 0 - - 0
2 be 4 weight 127.0.0.1 2 0 5 11 4 6 3 4 6 0 0 0 - 80 - 0 0 - - 0
2 be 5 gone 127.0.0.1 2 0 5 11 4 6 3 4 6 0 0 0 - 80 - 0 0 - - 0
`
	if err := os.WriteFile(file, []byte(states), 0o600); err != nil {
		t.Fatal(err)
	}
	r := start(t, `
global
 server-state-file `+file+`
defaults
 timeout client 5s
 timeout server 5s
 timeout connect 5s
 load-server-state-from-file global
frontend fe
 bind {fe}
 default_backend be
backend be
 server down {s1} check inter 1h
 server maint {s2} check inter 1h
 server drain {s3} weight 10
 server weight {s4} weight 10
 server new {s5}
`)
	r.expectUsable("be 2") // those that share the traffic: weight and new
	for i, want := range []struct {
		state  string
		weight int
	}{{"DOWN", 1}, {"MAINT", 1}, {"DRAIN", 5}, {"no check", 10}, {"no check", 1}} {
		if s := r.backend("be").Servers[i]; i > 0 && (s.State != want.state || s.Weight != want.weight) {
			t.Errorf("%s: %s, weight %d, want %+v", s.Name, s.State, s.Weight, want)
		}
	}
	// The first check that passes is one of the two that the server needs.
	r.await("the first check", func() bool { return r.backend("be").Servers[0].State == "DOWN 1/2" })
}
