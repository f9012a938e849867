package sys

import (
	"errors"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// policy returns the calling thread's scheduling policy.
func policy(t *testing.T) uint32 {
	t.Helper()
	a, err := unix.SchedGetAttr(0, 0)
	if err != nil {
		t.Fatal(err)
	}
	return a.Policy
}

func TestRealTime(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := RealTime(); errors.Is(err, EPERM) {
		t.Skipf("needs CAP_SYS_NICE and a control group with real-time budget: %v", err)
	} else if err != nil {
		t.Fatal(err)
	}
	if p := policy(t); p != unix.SCHED_RR {
		t.Errorf("policy %d, want SCHED_RR", p)
	}
	if err := OrdinaryTime(0); err != nil {
		t.Fatal(err)
	}
	if p := policy(t); p != unix.SCHED_NORMAL {
		t.Errorf("policy %d, want SCHED_OTHER", p)
	}
}

// TestLockMemory locks in a process of its own, with a heap that grows and shrinks
// under the lock.
func TestLockMemory(t *testing.T) {
	if os.Getenv("SYS_TEST_LOCK") == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^TestLockMemory$", "-test.v")
		cmd.Env = append(os.Environ(), "SYS_TEST_LOCK=1")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		if strings.Contains(string(out), "--- SKIP") {
			t.Skipf("%s", out)
		}
		return
	}
	if err := LockMemory(); err != nil {
		t.Skipf("not allowed here: %v", err)
	}
	for range 4 {
		b := make([]byte, 8<<20)
		for i := 0; i < len(b); i += 4096 {
			b[i] = 1
		}
		runtime.KeepAlive(b)
	}
	runtime.GC()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if kb, ok := strings.CutPrefix(line, "VmLck:"); ok && strings.TrimSpace(kb) == "0 kB" {
			t.Errorf("nothing is locked")
		}
	}
}

func TestPollSet(t *testing.T) {
	var p PollSet
	wake, err := NewEventFD()
	if err != nil {
		t.Fatal(err)
	}
	defer wake.Close()
	other, err := NewEventFD()
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	for range 2 { // a set is used again
		p.Reset()
		p.Add(other.FD)
		p.Add(wake.FD)
		p.Wait(-1)
		if p.Ready(0) || p.Ready(1) {
			t.Error("ready, though nobody woke it")
		}
		wake.Wake()
		p.Wait(time.Minute)
		if p.Ready(0) || !p.Ready(1) {
			t.Errorf("ready: %v, %v", p.Ready(0), p.Ready(1))
		}
		wake.Drain()
	}
}
