package daemon

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"baton/checkscript"
)

const trackedInstance = `
vrrp_script chk {
    script "pidof haproxy"
}
vrrp_instance VI_1 {
    interface eth0
    virtual_router_id 51
    virtual_ipaddress {
        192.0.2.10/24
    }
    track_script {
        chk
    }
}
`

const oneFrontend = `
defaults
    mode http
    timeout connect 5s
    timeout client 10s
    timeout server 10s
frontend web
    bind 127.0.0.1:8080
    monitor-uri /
`

func load(t *testing.T, text string) (*Config, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "baton.cfg")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, found := Load(t.Context(), LoadOptions{Files: []string{path}, Node: "lb1"})
	var b strings.Builder
	if err := found.Write(&b); err != nil {
		t.Fatal(err)
	}
	return cfg, b.String()
}

// Whether `pidof haproxy` means ourselves depends on who balances here.
func TestSelfProbeNeedsABalancer(t *testing.T) {
	cfg, found := load(t, trackedInstance+oneFrontend)
	if found != "" {
		t.Fatal(found)
	}
	if got := cfg.VRRP.Probes[0].Kind; got != checkscript.Self {
		t.Errorf("with a balancer the probe is a %v, want self", got)
	}
	cfg, found = load(t, trackedInstance)
	if found != "" {
		t.Fatal(found)
	}
	p := cfg.VRRP.Probes[0]
	if p.Kind != checkscript.Script || !filepath.IsAbs(p.Argv[0]) || filepath.Base(p.Argv[0]) != "pidof" || p.Argv[1] != "haproxy" {
		t.Errorf("without a balancer the probe is %v %q, want the script", p.Kind, p.Argv)
	}
	if cfg.Balancer != nil {
		t.Error("there is a balancer without a proxy")
	}
}

// A check that looks for HAProxy in a way that is not answered from inside would
// fail for ever.
func TestScriptsThatLookForHAProxy(t *testing.T) {
	file := filepath.Join(t.TempDir(), "check")
	if err := os.WriteFile(file, []byte("#!/bin/sh\n# pidof haproxy\npgrep -u haproxy haproxy || exit 1\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		command string
		warned  bool
	}{
		{"/bin/sh -c 'systemctl is-active haproxy'", true},
		{file, true},
		{"/bin/sh -c 'test -d /etc/haproxy'", false},
	} {
		files := strings.Replace(trackedInstance, "pidof haproxy", tt.command, 1)
		if _, found := load(t, files+oneFrontend); strings.Contains(found, "warning: vrrp_script chk looks for HAProxy") != tt.warned {
			t.Errorf("%s beside a balancer: %q", tt.command, found)
		}
		if _, found := load(t, files); strings.Contains(found, "looks for HAProxy") {
			t.Errorf("%s without a balancer: %q", tt.command, found)
		}
	}
}

// Mistakes of the parser's must not end in the checks that follow it.
func TestEmptyScript(t *testing.T) {
	if _, found := load(t, strings.Replace(trackedInstance, "pidof haproxy", "", 1)+oneFrontend); !strings.Contains(found, "the command is empty") {
		t.Errorf("findings %q", found)
	}
}

func TestHalvesAreOptional(t *testing.T) {
	cfg, found := load(t, oneFrontend)
	if found != "" || cfg.VRRP != nil || cfg.Balancer == nil {
		t.Errorf("config %+v, findings %s", cfg, found)
	}
	if got, want := cfg.Summary(), "1 frontend"; got != want {
		t.Errorf("summary %q, want %q", got, want)
	}
	_, found = load(t, "global\n    maxconn 10\n")
	if !strings.Contains(found, "there is nothing to run") {
		t.Errorf("findings %q", found)
	}
}

// Findings of every stage come in one list, in the order of the lines.
func TestAllStagesReport(t *testing.T) {
	_, found := load(t, strings.NewReplacer(
		"pidof haproxy", "/no/such/script",
		"virtual_router_id 51", "virtual_router_id 0",
		"        chk\n    }", "        chk\n    }\n    track_backend nowhere { min_servers 1 weight -5 }",
	).Replace(trackedInstance)+strings.Replace(oneFrontend, "monitor-uri", "monitr-uri", 1))
	last := -1
	for _, want := range []string{":3:12: error: vrrp_script chk cannot run /no/such/script", ":7:23: error: ", "there is no backend nowhere", "'monitr-uri'"} {
		at := strings.Index(found, want)
		if at < 0 {
			t.Errorf("%q is missing in:\n%s", want, found)
		} else if at < last {
			t.Errorf("%q is out of order in:\n%s", want, found)
		}
		last = at
	}
}

// A probe of something that can never be well is a mistake.
func TestProbesThatCannotSucceed(t *testing.T) {
	const balancer = `
frontend off
    bind 127.0.0.1:8081
    disabled
frontend nobind
    monitor-uri /
frontend raw
    mode tcp
    bind 127.0.0.1:8082
backend empty
backend away
    disabled
    server s 192.0.2.1:80
backend two
    server s1 192.0.2.1:80
    server s2 192.0.2.2:80
`
	_, found := load(t, strings.Replace(trackedInstance, "    track_script {", `
    track_traffic a { frontend off }
    track_traffic b { frontend nobind }
    track_traffic c { frontend raw }
    track_traffic d { frontend web weight 0 }
    track_backend empty { }
    track_backend away { }
    track_backend two { min_servers 2 weight 0 }
    track_script {`, 1)+oneFrontend+balancer)
	for _, want := range []string{
		"frontend off is disabled", "frontend nobind (", "frontend raw (", "backend empty (", "has 0 servers, and min_servers is 1", "backend away is disabled",
	} {
		if !strings.Contains(found, want) {
			t.Errorf("%q is missing in:\n%s", want, found)
		}
	}
	if strings.Contains(found, "frontend web (") || strings.Contains(found, "backend two") {
		t.Errorf("findings about what is right:\n%s", found)
	}
}

// zero-warning makes an error of warnings, but not of lines that are right and
// have no effect here.
func TestZeroWarning(t *testing.T) {
	if _, found := load(t, "global\n zero-warning\n chroot /var/empty\n"+oneFrontend); strings.Contains(found, "error:") {
		t.Errorf("refused: %s", found)
	}
	_, found := load(t, "global\n zero-warning\n .warning beware\n"+oneFrontend)
	if !strings.Contains(found, "error: 1 warning, and zero-warning is set") {
		t.Errorf("not refused: %s", found)
	}
}
