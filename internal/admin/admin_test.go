package admin

import (
	"context"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/google/go-cmp/cmp"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func serve(t *testing.T, path string, st Status) (stop func()) {
	t.Helper()
	s, err := Listen(path, func() Status { return st }, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func TestStatusOverTheSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "baton.sock")
	want := Status{Version: "1.2.3", PID: 7, State: "running", Instances: []Instance{{Name: "VI_1", Shares: []Share{{Probe: "web", Delta: 2}}}}}
	stop := serve(t, path, want)

	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != 0o660 {
		t.Errorf("socket mode %o, want 660", got)
	}
	raw, got, err := Fetch(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("status (-want +got):\n%s", d)
	}
	if !strings.Contains(string(raw), `"base_priority": 0`) {
		t.Errorf("raw JSON: %s", raw)
	}

	if _, err := Listen(path, nil, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "another process answers") {
		t.Errorf("second Listen: %v, want a refusal", err)
	}

	stop()
	if _, err := os.Stat(filepath.Dir(path)); !os.IsNotExist(err) {
		t.Errorf("the folder made for the socket is left behind: %v", err)
	}
}

func TestStaleSocketIsReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "baton.sock")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false) // as after SIGKILL
	_ = l.Close()
	if _, _, err := Fetch(t.Context(), path); err == nil || !strings.Contains(err.Error(), "nobody listens") {
		t.Errorf("Fetch on a stale socket: %v", err)
	}
	serve(t, path, Status{})()
}

func TestForeignFileIsNotRemoved(t *testing.T) {
	path := filepath.Join(t.TempDir(), "baton.sock")
	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(path, nil, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "something else than a socket") {
		t.Errorf("Listen over a file: %v", err)
	}
	if b, _ := os.ReadFile(path); string(b) != "precious" {
		t.Error("the file is gone")
	}
}

func TestNoDaemon(t *testing.T) {
	path := filepath.Join(t.TempDir(), "baton.sock")
	_, _, err := Fetch(t.Context(), path)
	if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "systemctl") {
		t.Errorf("error %v names neither socket nor remedy", err)
	}
}

func TestPathsThatNoSocketCanHave(t *testing.T) {
	for path, want := range map[string]string{
		"": "is empty", "/run/" + strings.Repeat("x", 103): "longer than 107 characters",
	} {
		if _, err := Listen(path, nil, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Listen on %q: %v, want %q", path, err, want)
		}
		if _, _, err := Fetch(t.Context(), path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Fetch from %q: %v, want %q", path, err, want)
		}
	}
}
