package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// batonPath is the binary under test, built once.
var batonPath string

func TestMain(m *testing.M) {
	if os.Geteuid() != 0 { // every test here skips itself
		os.Exit(m.Run())
	}
	dir, err := os.MkdirTemp("", "baton-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if err := os.Chmod(dir, 0o755); err != nil { // one test runs it as nobody
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	batonPath = filepath.Join(dir, "baton")
	build := exec.Command("go", "build", "-buildvcs=false", "-ldflags", "-X main.version=e2e", "-o", batonPath, "baton/cmd/baton")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}
