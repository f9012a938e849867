package runner

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"baton/checkscript"
)

func TestFileIsReadWhenItIsWritten(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "n")
	s := start(t, Options{Probes: []checkscript.Probe{{Name: "p", Kind: checkscript.File, Path: path, Init: &checkscript.FileInit{Value: 4}}}})
	expect := func(want int) {
		t.Helper()
		s.await(t, checkscript.Up)
		if got := s.Reading("p"); got.Value != want || !got.Number {
			t.Fatalf("reads %+v, want %d", got, want)
		}
	}
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	expect(4)
	write("n", "-7 and more\n")
	expect(-7)
	write("other", "5")
	write("n", "99999999999999999999")
	expect(1<<31 - 1)
	write("new", " 12")
	if err := os.Rename(filepath.Join(dir, "new"), path); err != nil {
		t.Fatal(err)
	}
	expect(12)
	write("n", "nothing")
	expect(0)
	write("n", "3")
	expect(3)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	expect(0)
}

// A folder that comes later is found, and an existing file keeps its number unless
// it is to be overwritten.
func TestFileInAFolderThatComesLater(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "later")
	path := filepath.Join(dir, "n")
	s := start(t, Options{Probes: []checkscript.Probe{{Name: "p", Kind: checkscript.File, Path: path}}})
	s.await(t, checkscript.Up) // missing counts as 0
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("8"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.await(t, checkscript.Up)
	if got := s.Reading("p").Value; got != 8 {
		t.Fatalf("reads %d, want 8", got)
	}
	for _, overwrite := range []bool{false, true} {
		p := &probe{Probe: checkscript.Probe{Path: path, Init: &checkscript.FileInit{Value: 1, Overwrite: overwrite}}}
		p.initFile()
		if got, _ := readNumber(path); (got == 1) != overwrite {
			t.Errorf("init_file, overwrite %v: the file holds %d", overwrite, got)
		}
	}
}

func TestInterfaceIsAsTold(t *testing.T) {
	s := start(t, Options{Probes: []checkscript.Probe{{Name: "p", Kind: checkscript.Interface, Interface: "eth1"}}})
	s.SetInterface("eth0", true)
	if v := s.Verdict("p"); v != checkscript.Pending {
		t.Fatalf("%v before a word about it", v)
	}
	s.SetInterface("eth1", true)
	s.await(t, checkscript.Up)
	s.SetInterface("eth1", true)
	s.SetInterface("eth1", false)
	s.await(t, checkscript.Down)
}

// The processes are found by the kernel's events or, in a container, by looking.
func TestProcessesAreCounted(t *testing.T) {
	name := filepath.Join(t.TempDir(), "batontest-sleep")
	sleep, err := exec.LookPath("sleep")
	if err != nil {
		t.Skip("needs sleep")
	}
	program, err := os.ReadFile(sleep)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, program, 0o700); err != nil {
		t.Fatal(err)
	}
	run := func() (end func()) {
		t.Helper()
		cmd := exec.Command(name, "1000")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		end = func() {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
		t.Cleanup(end)
		return end
	}
	first := run()
	s := start(t, Options{Probes: []checkscript.Probe{{
		Name: "p", Kind: checkscript.Process, Match: checkscript.Match{Name: filepath.Base(name)},
		Quorum: 1, QuorumMax: 1, TerminateDelay: 10 * time.Millisecond,
	}}})
	s.await(t, checkscript.Up)
	second := run()
	s.await(t, checkscript.Down) // too many
	second()
	s.await(t, checkscript.Up)
	first()
	s.await(t, checkscript.Down)
}
