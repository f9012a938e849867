package daemon

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestMaintenanceFile(t *testing.T) {
	dir := t.TempDir()
	socket := filepath.Join(dir, "run", "baton.sock")
	t.Setenv("STATE_DIRECTORY", "")
	if got, want := string(maintenanceFile(socket)), filepath.Join(dir, "run", "maintenance"); got != want {
		t.Errorf("without a state directory it is %s, want %s", got, want)
	}
	t.Setenv("STATE_DIRECTORY", filepath.Join(dir, "state")+":/elsewhere")
	f := maintenanceFile(socket)
	if got, want := string(f), filepath.Join(dir, "state", "maintenance"); got != want {
		t.Errorf("it is %s, want %s", got, want)
	}
	on := func(want bool) {
		t.Helper()
		if since, err := f.since(); err != nil || since.IsZero() == want || time.Since(since) < 0 {
			t.Errorf("since %v, %v; want it on: %v", since, err, want)
		}
	}
	turn := func(to bool) {
		t.Helper()
		if err := f.turn(to); err != nil {
			t.Error(err)
		}
	}
	on(false)
	turn(false)
	turn(true)
	on(true)
	turn(true)
	turn(false)
	on(false)

	// A folder that is a file: nothing can be read or written there.
	bad := filepath.Join(dir, "bad")
	if err := os.WriteFile(bad, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	f = switchFile(filepath.Join(bad, "maintenance"))
	if since, err := f.since(); err == nil || since.IsZero() {
		t.Errorf("since %v, %v; want an error, and on", since, err)
	}
	if err := f.turn(true); err == nil {
		t.Error("turned on where nothing can be written")
	}
}
