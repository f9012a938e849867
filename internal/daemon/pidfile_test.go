package daemon

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPIDFile(t *testing.T) {
	var said strings.Builder
	log := slog.New(slog.NewTextHandler(&said, nil))
	path := filepath.Join(t.TempDir(), "baton.pid")

	WritePIDFile("", log)
	RemovePIDFile("", log)
	WritePIDFile(path, log)
	if b, err := os.ReadFile(path); err != nil || string(b) != fmt.Sprintf("%d\n", os.Getpid()) {
		t.Errorf("the file holds %q, %v", b, err)
	}
	RemovePIDFile(path, log)
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("the file is still there: %v", err)
	}
	if err := os.WriteFile(path, []byte("1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	RemovePIDFile(path, log)
	if _, err := os.Stat(path); err != nil {
		t.Errorf("another process's file was removed: %v", err)
	}
	if said.Len() > 0 {
		t.Errorf("said %s", said.String())
	}
	WritePIDFile(filepath.Join(path, "x"), log)
	if !strings.Contains(said.String(), "not a directory") {
		t.Errorf("a file that cannot be written is passed over: %q", said.String())
	}
}
