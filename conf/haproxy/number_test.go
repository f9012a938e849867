package haproxy

import (
	"fmt"
	"strings"
	"testing"
)

// Proxies without an id get the first free ones, in the order of the file, as seen in
// HAProxy 2.6; expressions that ask for rates make the balancer count them.
func TestProxyNumbers(t *testing.T) {
	cfg, errs := lower(`frontend a
 bind :80
 timeout client 1s
frontend b
 id 2
 bind :81
 timeout client 1s
backend a
backend c
 id 4
listen l
 bind :82
 timeout client 1s
 acl busy fe_sess_rate gt 10
`)
	if errs.Errors() > 0 {
		t.Fatal(errs)
	}
	var got []string
	for _, f := range cfg.Frontends {
		got = append(got, fmt.Sprint(f.Name, f.Number))
	}
	for _, b := range cfg.Backends {
		got = append(got, fmt.Sprint(b.Name, b.Number))
	}
	if got, want := strings.Join(got, " "), "a1 b2 l5 a3 c4 l5"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if !cfg.Rates {
		t.Error("fe_sess_rate is not counted")
	}
}
