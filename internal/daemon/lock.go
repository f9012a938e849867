package daemon

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"

	"baton/internal/sys"
)

// lockName is an abstract unix socket. Abstract names belong to a network
// namespace, as addresses and VRIDs do, and they vanish with their process, also
// after SIGKILL: exactly one baton per namespace, and nothing to clean up. That
// is also what lets a starting baton take every address with its mark for an
// orphan.
const lockName = "@baton"

// Lock is the right to be the only baton of this network namespace.
type Lock struct{ listener *net.UnixListener }

// Acquire takes the lock, or names the process that has it.
func Acquire() (*Lock, error) {
	addr := &net.UnixAddr{Name: lockName, Net: "unix"}
	l, err := net.ListenUnix("unix", addr)
	if err == nil {
		return &Lock{l}, nil
	}
	if !errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("lock %s: %w", lockName, err)
	}
	conn, err := net.DialUnix("unix", nil, addr)
	if err != nil {
		return nil, fmt.Errorf("lock %s is held by another process that is just coming or going: %w", lockName, err)
	}
	defer conn.Close()
	pid := 0
	if raw, err := conn.SyscallConn(); err == nil {
		pid, _ = sys.PeerPID(raw)
	}
	return nil, fmt.Errorf("another baton runs in this network namespace: %s", describe(pid))
}

// Release gives the lock back.
func (l *Lock) Release() { _ = l.listener.Close() }

// describe names a process.
func describe(pid int) string {
	if pid == 0 {
		return "its pid is not visible from here" // it lives in another pid namespace
	}
	if args := commandLine(pid); args != "" {
		return fmt.Sprintf("pid %d (%s)", pid, args)
	}
	return fmt.Sprintf("pid %d", pid)
}

// commandLine returns a process's arguments, shortened for a message.
func commandLine(pid int) string {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil {
		return ""
	}
	s := strings.TrimSpace(strings.ReplaceAll(string(b), "\x00", " "))
	if len(s) > 80 {
		s = s[:77] + "..."
	}
	return s
}
