package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"github.com/vishvananda/netns"
)

// alreadyRuns reports whether the pid file names a process that is a keepalived or
// a baton. Any other has got the number of a dead one.
func alreadyRuns(pidFile string) (pid int, runs bool) {
	b, err := os.ReadFile(pidFile)
	if err != nil {
		return 0, false
	}
	pid, err = strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil || pid <= 0 || pid == os.Getpid() {
		return 0, false
	}
	words, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil {
		return 0, false
	}
	program, _, _ := strings.Cut(string(words), "\x00")
	switch filepath.Base(program) {
	case "keepalived", "baton":
		return pid, true
	}
	return 0, false
}

// namespaceEnv tells a process that enterNamespace has started it.
const namespaceEnv = "BATON_NETNS"

// enterNamespace makes this process anew in a network namespace: only a new one is
// in it with all its threads. It returns there, or on failure.
func enterNamespace(name string) error {
	if name == "" || os.Getenv(namespaceEnv) == name {
		return os.Unsetenv(namespaceEnv)
	}
	h, err := netns.GetFromName(name)
	if err != nil {
		return fmt.Errorf("network namespace %s: %w", name, err)
	}
	defer h.Close()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := netns.Set(h); err != nil {
		return fmt.Errorf("network namespace %s: %w", name, err)
	}
	err = syscall.Exec("/proc/self/exe", os.Args, append(os.Environ(), namespaceEnv+"="+name))
	return fmt.Errorf("network namespace %s: %w", name, err)
}
