package vrrpnet

import (
	"runtime"
	"testing"

	"baton/internal/sys"
)

// TestThreadFollows: whichever thread the loop runs on is a real-time one, and no
// other.
func TestThreadFollows(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := sys.RealTime(); err != nil {
		t.Skipf("needs CAP_SYS_NICE and a control group with real-time budget: %v", err)
	}
	if err := sys.OrdinaryTime(0); err != nil {
		t.Fatal(err)
	}
	check := func(id int, want bool) {
		t.Helper()
		if got, err := sys.IsRealTime(id); err != nil || got != want {
			t.Errorf("thread %d is real-time: %v, %v; want %v", id, got, err, want)
		}
	}
	var vrrp thread
	vrrp.follow()
	first := sys.ThreadID()
	check(first, true)
	other, end := make(chan int), make(chan struct{})
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		vrrp.follow()
		other <- sys.ThreadID()
		<-end
	}()
	second := <-other
	if first == second {
		t.Fatal("one thread for both")
	}
	check(first, false)
	check(second, true)
	vrrp.follow()
	check(first, true)
	check(second, false)
	vrrp.release()
	check(first, false)
	close(end)
}
