package notifier

import (
	"runtime"
	"testing"

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
	for running := false; !running; runtime.Gosched() {
		r.n.mu.Lock()
		running = r.n.late != nil
		r.n.mu.Unlock()
	}
	tell := r.path("tell")
	r.n.Tell(checkscript.News{Name: "gone", Word: checkscript.Deleted})
	kept := r.n.targets[key{false, "kept"}]
	moved := target("kept", tell)
	moved.Any.Pos.Line = 7
	if err := r.n.Reload([]checkscript.Target{moved, target("other", tell, "new"), target("more", tell)}); err != nil {
		t.Fatal(err)
	}
	if r.n.targets[key{false, "kept"}] != kept {
		t.Error("a target that is only in another place of the file was replaced")
	}
	if err := r.n.Reload([]checkscript.Target{target("kept", "/no/such/script")}); err == nil {
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
