package runner

import (
	"os"
	"testing"
	"time"

	"baton/checkscript"
)

func TestReload(t *testing.T) {
	pass, fail := writeScript(t, "#!/bin/sh\nexit 0\n"), writeScript(t, "#!/bin/sh\nexit 1\n")
	script := func(name, path string) checkscript.Probe {
		return checkscript.Probe{Name: name, Kind: checkscript.Script, Argv: []string{path}, Interval: 20 * time.Millisecond, Timeout: patience}
	}
	usable := 1
	backend := checkscript.Probe{Name: "b", Kind: checkscript.Backend, Backend: "web", MinServers: 1}
	s := start(t, Options{Probes: []checkscript.Probe{script("a", pass), backend}, Usable: func(string) int { return usable }})
	defer s.stop()
	for range 2 {
		if v := <-s.verdicts; v != checkscript.Up {
			t.Fatalf("verdict %v at the start", v)
		}
	}
	kept := s.set.Load().probes["b"]

	// A probe that is another keeps its verdict until its own results say otherwise.
	slow := script("a", fail)
	slow.Fall = 2
	moved := backend
	moved.Pos.Line = 7
	if err := s.Reload([]checkscript.Probe{moved, slow, script("c", fail)}, false); err != nil {
		t.Fatal(err)
	}
	if s.set.Load().probes["b"] != kept {
		t.Error("a probe that is only in another place of the file was replaced")
	}
	for range 2 {
		if v := <-s.verdicts; v != checkscript.Down {
			t.Errorf("verdict %v of a script that fails", v)
		}
	}
	if a := s.set.Load().probes["a"].status.Load(); a.Runs < 2 {
		t.Errorf("down after %d runs with fall 2: the old verdict was forgotten", a.Runs)
	}
	if st := s.Status(); len(st) != 3 || st[0].Probe.Name != "b" || st[0].Verdict != checkscript.Up {
		t.Errorf("status after the reload: %+v", st)
	}

	// One that cannot run changes nothing; one that is gone runs no more.
	if err := s.Reload([]checkscript.Probe{script("d", "/no/such/check")}, false); err == nil {
		t.Error("a script that is not there was accepted")
	}
	if len(s.Status()) != 3 {
		t.Error("a refused reload changed the probes")
	}
	gone := s.set.Load().probes["c"]
	if err := s.Reload([]checkscript.Probe{backend}, false); err != nil {
		t.Fatal(err)
	}
	s.stop() // returns when all have ended
	if s.Verdict("c") != checkscript.Pending || gone.status.Load().Runs == 0 {
		t.Error("c ran never, or still counts")
	}
}

// enable_script_security counts for what a reload brings.
func TestReloadSecurity(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only scripts that run as root are looked at")
	}
	open := writeScript(t, "#!/bin/sh\nexit 0\n")
	if err := os.Chmod(open, 0o777); err != nil {
		t.Fatal(err)
	}
	r, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	probes := []checkscript.Probe{{Name: "a", Kind: checkscript.Script, Argv: []string{open}, User: "root"}}
	if err := r.Reload(probes, true); err == nil {
		t.Error("a script that all can write was accepted")
	}
	if err := r.Reload(probes, false); err != nil {
		t.Error(err)
	}
}
