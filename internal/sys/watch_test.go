package sys

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
)

func TestFolderWatchTellsWritersEnds(t *testing.T) {
	dir := t.TempDir()
	w, err := WatchFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	file := filepath.Join(dir, "a")
	if err := os.WriteFile(file, []byte("1"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(file, filepath.Join(dir, "b")); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "b")); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	var got []string
	for gone := false; !gone; {
		var names []string
		if names, gone, err = w.Next(); err != nil {
			t.Fatal(err)
		}
		got = append(got, names...)
	}
	if want := []string{"a", "a", "b", "b"}; !slices.Equal(got[:min(len(got), 4)], want) {
		t.Errorf("got %q, want %q first", got, want)
	}
}

func TestProcEventsFollowAProcess(t *testing.T) {
	p, err := OpenProcEvents()
	if err != nil {
		t.Skipf("needs root outside of a container: %v", err)
	}
	defer p.Close()
	cmd := exec.Command("/bin/true")
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	var got []ProcEventKind
	for !slices.Contains(got, ProcEnded) {
		e, err := p.Next()
		if err != nil {
			t.Fatal(err)
		}
		if e.Kind == ProcLost {
			t.Skip("the host is too busy")
		}
		if e.PID == cmd.Process.Pid {
			got = append(got, e.Kind)
		}
	}
	if got[0] != ProcStarted || !slices.Contains(got, ProcChanged) {
		t.Errorf("events %v of /bin/true, want started, changed, ended", got)
	}
}
