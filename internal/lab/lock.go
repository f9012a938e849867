package lab

import (
	"errors"
	"fmt"
	"net"
	"syscall"

	"baton/internal/sys"
)

// lock keeps other lab commands from changing this lab at the same time. A demo
// holds it to its end. It is an abstract unix socket, so it ends with its holder,
// also after SIGKILL: a lab without its demo is then known to be a leftover.
func (l *Lab) lock() (unlock func(), err error) {
	addr := &net.UnixAddr{Name: "@baton-lab/" + l.name, Net: "unix"}
	s, err := net.ListenUnix("unix", addr)
	if err == nil {
		return func() { _ = s.Close() }, nil
	}
	if !errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("lock the lab: %w", err)
	}
	who := "another baton lab command"
	if c, err := net.DialUnix("unix", nil, addr); err == nil {
		defer c.Close()
		if raw, err := c.SyscallConn(); err == nil {
			if pid, err := sys.PeerPID(raw); err == nil && pid > 0 {
				who += fmt.Sprintf(" (pid %d)", pid)
			}
		}
	}
	return nil, fmt.Errorf("%s is at work with this lab, a demo perhaps: let it end, or stop it with Ctrl-C", who)
}
