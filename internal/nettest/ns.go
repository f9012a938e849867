package nettest

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/vishvananda/netns"
)

// NS is a network namespace as `ip netns` knows it, with lo up. Its methods
// fail the test that made it when something goes wrong.
type NS struct {
	Name string // as for `ip netns exec Name ...`
	t    testing.TB
}

// Require skips the test unless namespaces can be made here.
func Require(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root to make network namespaces")
	}
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skip("needs the program ip (Debian: apt-get install iproute2)")
	}
}

// NewNS makes a namespace that ends with the test. hint becomes part of its name.
func NewNS(t testing.TB, hint string) *NS {
	t.Helper()
	Require(t)
	ns := &NS{t: t}
	// The number makes the name unique within the process; the directory is the
	// registry, so two tests at the same time cannot take the same one.
	for i := 0; ; i++ {
		ns.Name = fmt.Sprintf("baton-%d-%d-%s", os.Getpid(), i, hint)
		if _, err := os.Stat(filepath.Join("/run/netns", ns.Name)); err == nil {
			continue
		}
		out, err := exec.Command("ip", "netns", "add", ns.Name).CombinedOutput()
		if err == nil {
			break
		}
		if !bytes.Contains(out, []byte("File exists")) {
			t.Fatalf("ip netns add %s: %v\n%s", ns.Name, err, out)
		}
	}
	t.Cleanup(func() {
		if out, err := exec.Command("ip", "netns", "del", ns.Name).CombinedOutput(); err != nil {
			t.Errorf("ip netns del %s: %v\n%s", ns.Name, err, out)
		}
	})
	ns.IP("link", "set", "lo", "up")
	return ns
}

// Do runs f on an OS thread of its own inside the namespace and waits for it.
// Sockets that f opens belong to the namespace for good; goroutines that f
// starts run outside of it. f may end the test (t.Fatal).
func (n *NS) Do(f func()) {
	n.t.Helper()
	var err error
	var panicked any
	finished := false
	done := make(chan struct{})
	go func() {
		defer close(done)
		// The thread is never unlocked: it dies with the goroutine, and with it
		// the namespace that it has entered.
		runtime.LockOSThread()
		h, e := netns.GetFromName(n.Name)
		if e == nil {
			e = netns.Set(h)
			_ = h.Close()
		}
		if e != nil {
			err, finished = e, true
			return
		}
		defer func() { panicked = recover() }()
		f()
		finished = true
	}()
	<-done
	switch {
	case err != nil:
		n.t.Fatalf("enter namespace %s: %v", n.Name, err)
	case panicked != nil:
		panic(panicked)
	case !finished: // f called t.FailNow or t.SkipNow, which end their goroutine only
		runtime.Goexit()
	}
}

// Command prepares a program inside the namespace. If it still runs when the
// test ends, it is killed.
func (n *NS) Command(name string, args ...string) *exec.Cmd {
	// ip replaces itself with the program, so the process is the program's.
	cmd := exec.Command("ip", append([]string{"netns", "exec", n.Name, name}, args...)...)
	n.t.Cleanup(func() {
		if cmd.Process != nil {
			_ = cmd.Process.Kill()
			_, _ = cmd.Process.Wait()
		}
	})
	return cmd
}

// Output runs a program inside the namespace and returns what it printed. The
// test fails when the program does.
func (n *NS) Output(name string, args ...string) string {
	n.t.Helper()
	out, err := n.Command(name, args...).CombinedOutput()
	if err != nil {
		n.t.Fatalf("%s in %s: %v\n%s", strings.Join(append([]string{name}, args...), " "), n.Name, err, out)
	}
	return string(out)
}

// IP runs `ip -n NAME args...` and returns what it printed.
func (n *NS) IP(args ...string) string {
	n.t.Helper()
	out, err := exec.Command("ip", append([]string{"-n", n.Name}, args...)...).CombinedOutput()
	if err != nil {
		n.t.Fatalf("ip -n %s %s: %v\n%s", n.Name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// Sysctl sets a variable below net, as in Sysctl("net.ipv4.ip_forward", "1").
// An interface name with a dot in it does not work.
func (n *NS) Sysctl(name, value string) {
	n.t.Helper()
	file := "/proc/sys/" + strings.ReplaceAll(name, ".", "/")
	n.Do(func() {
		if err := os.WriteFile(file, []byte(value), 0); err != nil {
			n.t.Fatalf("sysctl %s in %s: %v", name, n.Name, err)
		}
	})
}
