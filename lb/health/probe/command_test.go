package probe

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"baton/lb/health"
)

func TestCommand(t *testing.T) {
	dir := t.TempDir()
	script := func(text string) string {
		path := filepath.Join(dir, "check")
		if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
		return path
	}
	// The statuses and codes are HAProxy's.
	for _, c := range []struct {
		text string
		want health.Result
	}{
		{"exit 0", health.Result{Status: health.ProcessOK}},
		{"exit 3", health.Result{Status: health.ProcessError, Code: 3}},
		{"nosuchcommand", health.Result{Status: health.ProcessError, Code: 127}},
		{"kill -9 $$", health.Result{Status: health.ProcessError, Code: -1}},
		{`[ "$1 $2 $A $HOME" = "x y 1 " ]`, health.Result{Status: health.ProcessOK}},
	} {
		cmd := Command{Path: script(c.text), Args: []string{"x", "y"}, Env: []string{"A=1"}}
		got := cmd.Check(t.Context())
		if got.Duration = 0; got != c.want {
			t.Errorf("%s: %+v, want %+v", c.text, got, c.want)
		}
	}
	cmd := Command{Path: filepath.Join(dir, "none")}
	if got := cmd.Check(t.Context()); got.Status != health.ProcessError || got.Code != 255 || got.Info != "No such file or directory" {
		t.Errorf("no command: %+v", got)
	}
}

// The end of its time takes a command away, with what it has started.
func TestCommandTimeout(t *testing.T) {
	dir := t.TempDir()
	path, child := filepath.Join(dir, "check"), filepath.Join(dir, "child")
	text := "#!/bin/sh\nsleep 1000 &\necho $! > " + child + "\nwait\n"
	if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := Command{Path: path, Env: []string{"PATH=/bin:/usr/bin"}, Time: 500 * time.Millisecond}
	if got := cmd.Check(t.Context()); got.Status != health.ProcessTimeout {
		t.Errorf("%+v", got)
	}
	pid, err := os.ReadFile(child)
	if err != nil {
		t.Skip("the host was too busy to start it")
	}
	for range 1000 {
		stat, err := os.ReadFile("/proc/" + strings.TrimSpace(string(pid)) + "/stat")
		if err != nil || strings.Contains(string(stat), ") Z ") {
			return
		}
		time.Sleep(10 * time.Millisecond) // nobody tells when a grandchild has gone
	}
	t.Errorf("process %s lives on", pid)
}
