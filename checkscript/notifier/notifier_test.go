package notifier

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"baton/checkscript"
)

// rig is a running Notifier with a script that writes its arguments to a file.
type rig struct {
	t    *testing.T
	dir  string
	n    *Notifier
	stop func() // ends it in order and waits
}

func newRig(t *testing.T, notify func(dir string) checkscript.Notify) *rig {
	t.Helper()
	r := &rig{t: t, dir: t.TempDir()}
	r.script("tell", `echo "$*" >> `+r.path("out"))
	n, err := New(Options{Notify: notify(r.dir), Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	if err != nil {
		t.Fatal(err)
	}
	r.n = n
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx) }()
	stopped := false
	r.stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(r.stop)
	return r
}

func (r *rig) path(name string) string { return filepath.Join(r.dir, name) }

func (r *rig) script(name, body string) {
	r.t.Helper()
	if err := os.WriteFile(r.path(name), []byte("#!/bin/sh\n"+body+"\n"), 0o700); err != nil {
		r.t.Fatal(err)
	}
}

// out returns the lines that scripts wrote.
func (r *rig) out() []string {
	text, err := os.ReadFile(r.path("out"))
	if err != nil {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
}

func me() string { return fmt.Sprint(os.Geteuid()) }

func command(keyword string, argv ...string) *checkscript.Command {
	return &checkscript.Command{Keyword: keyword, Argv: argv, User: me()}
}

// Scripts of one target run in the order of the changes, the special one before
// `notify`, however long they take; Run ends after all of them.
func TestScriptsKeepTheirOrder(t *testing.T) {
	r := newRig(t, func(dir string) checkscript.Notify {
		tell := filepath.Join(dir, "tell")
		return checkscript.Notify{Targets: []checkscript.Target{
			{
				Name: "V1", Any: command("notify", tell, "any", "a b"),
				Scripts: map[checkscript.Word]*checkscript.Command{
					checkscript.ToMaster: command("notify_master", "/bin/sh", "-c", "sleep 0.3; "+tell+" slow master"),
					checkscript.RxLower:  command("notify_master_rx_lower_pri", tell, "lower"),
				},
			},
			{Group: true, Name: "V1"}, // a group may have an instance's name
		}}
	})
	for _, w := range []checkscript.Word{checkscript.ToBackup, checkscript.ToMaster, checkscript.RxLower, checkscript.MasterPriority, checkscript.ToFault, checkscript.Stopped} {
		r.n.Tell(checkscript.News{Name: "V1", Word: w, Priority: 100})
		r.n.Tell(checkscript.News{Name: "V1", Group: true, Word: w})
		r.n.Tell(checkscript.News{Name: "V2", Word: w})
	}
	r.stop()
	want := []string{
		"any a b INSTANCE V1 BACKUP 100", "slow master", "any a b INSTANCE V1 MASTER 100", "lower",
		"any a b INSTANCE V1 FAULT 100", "any a b INSTANCE V1 STOP 100",
	}
	if d := cmp.Diff(want, r.out()); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

// A FIFO gets every line, also those from before there was a reader, and its
// script reads to the end before Run returns. The pipe is gone then.
func TestFIFOAndItsScript(t *testing.T) {
	r := newRig(t, func(dir string) checkscript.Notify {
		if err := os.WriteFile(filepath.Join(dir, "read"), []byte("#!/bin/sh\necho \"reader $*\" >> "+dir+"/out\ncat \"$2\" >> "+dir+"/out\n"), 0o700); err != nil {
			t.Fatal(err)
		}
		return checkscript.Notify{
			Targets: []checkscript.Target{{Name: "V1", Priorities: true}, {Group: true, Name: "G"}},
			FIFOs: []checkscript.FIFO{
				{Keyword: "vrrp_notify_fifo", Path: filepath.Join(dir, "one"), User: me(), Script: command("vrrp_notify_fifo_script", filepath.Join(dir, "read"), "x")},
				{Keyword: "notify_fifo", Path: filepath.Join(dir, "two"), User: me()},
			},
		}
	})
	r.n.Tell(checkscript.News{Name: "V1", Word: checkscript.ToMaster, Priority: 100})
	r.n.Tell(checkscript.News{Name: "V1", Word: checkscript.MasterPriority, Priority: 90})
	r.n.Tell(checkscript.News{Group: true, Name: "G", Word: checkscript.ToMaster})
	r.n.Tell(checkscript.News{Group: true, Name: "G", Word: checkscript.MasterPriority}) // not asked for
	want := []string{`INSTANCE "V1" MASTER 100`, `INSTANCE "V1" MASTER_PRIORITY 90`, `GROUP "G" MASTER 0`}

	pipe := r.awaitPipe("two")
	var got []string
	for s := bufio.NewScanner(pipe); len(got) < len(want) && s.Scan(); {
		got = append(got, s.Text())
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("a reader of one's own, -want +got:\n%s", d)
	}
	r.awaitLine("reader x " + r.path("one"))
	r.stop()
	if d := cmp.Diff(append([]string{"reader x " + r.path("one")}, want...), r.out()); d != "" {
		t.Errorf("the script, -want +got:\n%s", d)
	}
	for _, name := range []string{"one", "two"} {
		if _, err := os.Stat(r.path(name)); err == nil {
			t.Errorf("pipe %s is left behind", name)
		}
	}
}

// awaitPipe opens a pipe as soon as it is there; nothing tells of that.
func (r *rig) awaitPipe(name string) *os.File {
	r.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if _, err := os.Stat(r.path(name)); err != nil {
			continue
		}
		f, err := os.Open(r.path(name))
		if err != nil {
			r.t.Fatal(err)
		}
		r.t.Cleanup(func() { _ = f.Close() })
		return f
	}
	r.t.Fatalf("pipe %s never comes", name)
	return nil
}

// awaitLine waits for a line of a script.
func (r *rig) awaitLine(line string) {
	r.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		for _, l := range r.out() {
			if l == line {
				return
			}
		}
	}
	r.t.Fatalf("no script wrote %q: %q", line, r.out())
}

// What stands in the way of a pipe is not opened as one, and not removed.
func TestFIFOIsNoOtherFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	if err := os.WriteFile(path, []byte("keep"), 0o600); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{path, link} {
		n, err := New(Options{Notify: checkscript.Notify{FIFOs: []checkscript.FIFO{{Keyword: "notify_fifo", Path: p, User: me()}}}, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		if err := n.Run(t.Context()); err == nil {
			t.Errorf("%s was taken for a pipe", p)
		}
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != "keep" {
		t.Errorf("the file holds %q (%v)", text, err)
	}
}

// A script that never ends is ended, with what it started, some time after the stop.
func TestEndlessScriptIsEnded(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for the farewell")
	}
	r := newRig(t, func(dir string) checkscript.Notify {
		return checkscript.Notify{Targets: []checkscript.Target{{
			Name: "V1", Any: command("notify", "/bin/sh", "-c", "echo begun >> "+dir+"/out; sleep 1000 & wait"),
		}}}
	})
	r.n.Tell(checkscript.News{Name: "V1", Word: checkscript.ToMaster})
	r.awaitLine("begun")
	r.stop() // goleak and this return say the rest
}
