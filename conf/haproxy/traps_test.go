package haproxy

import (
	"strings"
	"testing"

	"baton/internal/diag"
	"baton/lb/spec"
)

// What is decided about lines of well-known articles that HAProxy itself rejects,
// ignores or reads in an unexpected way: docs/haproxy.md, Traps.
func TestTraps(t *testing.T) {
	const preset = "defaults\n mode http\n timeout client 1s\n timeout server 1s\n timeout connect 1s\n"
	for _, c := range []struct {
		trap, text string
		severity   diag.Severity
		says       string // in a finding, or in its hint; empty: there is none
	}{
		{"T1 one process is what baton is", "global\n nbproc 1\n", diag.Warning, "nbproc"},
		{"T1 more are refused", "global\n nbproc 2\n", diag.Error, "nbproc"},
		{"T2 headers behind the version of httpchk", preset + "backend b\n option httpchk GET /health HTTP/1.1\\r\\nHost:\\ a\n server s 10.0.0.1:80\n", diag.Warning, "http-check send"},
		{"T3 modules of the enterprise edition", "global\n module-path /opt/modules\n", diag.Warning, "module-path"},
		{"T5 redirect before http-request", preset + "frontend f\n bind :80\n redirect scheme https if { path /a }\n http-request deny if { path /b }\n", diag.Warning, "redirect"},
		{"T9 an address that is not here yet", preset + "frontend f\n bind 192.0.2.1:80\n", diag.Error, ""},
		{"T12 two backends of one name", preset + "backend b\n server s 10.0.0.1:80\nbackend b\n server s 10.0.0.1:80\n", diag.Error, "'b'"},
		{"T12 a frontend and a backend may share one", preset + "frontend b\n bind :80\n default_backend b\nbackend b\n server s 10.0.0.1:80\n", diag.Error, ""},
		{"T18 chroot", "global\n chroot /var/lib/haproxy\n", diag.Warning, "chroot"},
	} {
		_, errs := lower(c.text)
		found := false
		for _, d := range errs {
			found = found || d.Severity == c.severity && c.says != "" && strings.Contains(d.Msg+" "+d.Hint, c.says)
			if d.Severity == diag.Error && c.severity != diag.Error {
				t.Errorf("%s: refused: %v", c.trap, d)
			}
		}
		switch {
		case c.says != "" && !found:
			t.Errorf("%s: nothing is said of %q: %v", c.trap, c.says, errs)
		case c.says == "" && errs.Errors() > 0:
			t.Errorf("%s: %v", c.trap, errs)
		}
	}
}

// T13: newer versions of HAProxy choose random where no line says how.
func TestTrapNoBalance(t *testing.T) {
	cfg, errs := lower("defaults\n mode http\nbackend b\n server s 10.0.0.1:80\n")
	if errs.Errors() > 0 {
		t.Fatal(errs)
	}
	if got := cfg.Backends[0].Balance.Algorithm; got != spec.RoundRobin {
		t.Errorf("a backend without balance: %v", got)
	}
}
