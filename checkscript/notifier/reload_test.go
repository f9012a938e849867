package notifier

import (
	"io"
	"os"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"baton/checkscript"
)

func TestReload(t *testing.T) {
	target := func(name, script string, args ...string) checkscript.Target {
		return checkscript.Target{Name: name, Any: &checkscript.Command{Keyword: "notify", Argv: append([]string{script}, args...)}}
	}
	deleted := func(t checkscript.Target) checkscript.Target {
		t.Deleted = true
		return t
	}
	r := newRig(t, func(dir string) checkscript.Notify {
		return checkscript.Notify{Targets: []checkscript.Target{target("kept", dir+"/tell"), deleted(target("gone", dir+"/tell")), target("other", dir+"/tell", "old")}}
	})
	awaitRunning(r)
	tell := r.path("tell")
	r.n.Tell(checkscript.News{Name: "gone", Word: checkscript.Deleted})
	kept := r.n.targets[key{false, "kept"}]
	moved := target("kept", tell)
	moved.Any.Pos.Line = 7
	if err := r.n.Reload(checkscript.Notify{Targets: []checkscript.Target{moved, target("other", tell, "new"), target("more", tell)}}, false); err != nil {
		t.Fatal(err)
	}
	if r.n.targets[key{false, "kept"}] != kept {
		t.Error("a target that is only in another place of the file was replaced")
	}
	if err := r.n.Reload(checkscript.Notify{Targets: []checkscript.Target{target("kept", "/no/such/script")}}, false); err == nil {
		t.Error("a script that is not there was accepted")
	}
	for _, name := range []string{"other", "more", "gone"} {
		r.n.Tell(checkscript.News{Name: name, Word: checkscript.ToMaster})
	}
	r.stop()
	got := map[string]bool{}
	for _, line := range r.out() {
		got[line] = true
	}
	want := map[string]bool{"INSTANCE gone DELETED 0": true, "new INSTANCE other MASTER 0": true, "INSTANCE more MASTER 0": true}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("scripts (-want +got):\n%s", d)
	}
}

// Pipes come and go with a reload. One that stays loses no line, and its new reader gets
// all that the old one has not taken.
func TestReloadFIFOs(t *testing.T) {
	r := newRig(t, func(dir string) checkscript.Notify {
		return checkscript.Notify{Targets: []checkscript.Target{{Name: "V1"}}, FIFOs: []checkscript.FIFO{
			{Keyword: "notify_fifo", Path: dir + "/gone", User: me()},
			{Keyword: "vrrp_notify_fifo", Path: dir + "/kept", User: me(), Script: command("vrrp_notify_fifo_script", "/bin/sh", "-c", `while read line <"$0"; do echo "old $line" >>`+dir+`/out; done`)},
		}}
	})
	awaitRunning(r)
	tell := func(word checkscript.Word) { r.n.Tell(checkscript.News{Name: "V1", Word: word, Priority: 9}) }
	tell(checkscript.ToBackup)
	await(t, func() bool { return slices.Equal(r.out(), []string{`old INSTANCE "V1" BACKUP 9`}) })
	pipe, err := os.Open(r.path("gone"))
	if err != nil {
		t.Fatal(err)
	}
	defer pipe.Close()

	next := func(script, more string) checkscript.Notify {
		return checkscript.Notify{Targets: []checkscript.Target{{Name: "V1"}}, FIFOs: []checkscript.FIFO{
			{Keyword: "vrrp_notify_fifo", Path: r.path("kept"), User: me(), Script: command("vrrp_notify_fifo_script", "/bin/sh", "-c", script)},
			{Keyword: "notify_fifo", Path: r.path(more), User: me()},
		}}
	}
	write := `while read line; do echo "new $line" >>` + r.path("out") + `; done <"$0"`
	if err := r.n.Reload(next(write, "no/such/folder"), false); err == nil {
		t.Error("a pipe that cannot be made was accepted")
	}
	if err := r.n.Reload(next("exec /bin/sleep 1000", "more"), false); err != nil {
		t.Fatal(err)
	}
	tell(checkscript.ToMaster) // which the sleeper does not read
	if err := r.n.Reload(next(write, "more"), false); err != nil {
		t.Fatal(err)
	}
	await(t, func() bool {
		return slices.Equal(r.out(), []string{`old INSTANCE "V1" BACKUP 9`, `new INSTANCE "V1" MASTER 9`})
	})
	got, err := io.ReadAll(pipe)
	if d := cmp.Diff("INSTANCE \"V1\" BACKUP 9\n", string(got)); d != "" || err != nil {
		t.Errorf("lines of the pipe that goes: %v (-want +got):\n%s", err, d)
	}
	await(t, func() bool { _, err := os.Stat(r.path("gone")); return err != nil })
	if info, err := os.Stat(r.path("more")); err != nil || info.Mode()&os.ModeNamedPipe == 0 {
		t.Errorf("the new pipe: %v", err)
	}
	r.stop()
	for _, name := range []string{"kept", "more"} {
		if _, err := os.Stat(r.path(name)); err == nil {
			t.Errorf("%s is left behind", name)
		}
	}
}

func awaitRunning(r *rig) {
	await(r.t, func() bool {
		r.n.mu.Lock()
		defer r.n.mu.Unlock()
		return r.n.late != nil
	})
}

func await(t *testing.T, done func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !done(); runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatal("it does not come")
		}
	}
}
