package sys

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// AwaitExit blocks until the child pid has ended and leaves it as a zombie: its
// number, and that of the process group it leads, cannot be taken by another
// process before the caller reaps it.
func AwaitExit(pid int) error {
	for {
		err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// SignalGroup sends a signal to every process of a group. A group that is gone
// is no error.
func SignalGroup(pgid int, sig syscall.Signal) error {
	if err := unix.Kill(-pgid, sig); err != nil && !errors.Is(err, unix.ESRCH) {
		return fmt.Errorf("kill process group %d with %v: %w", pgid, sig, err)
	}
	return nil
}

// Capability is a Linux capability's number.
type Capability uint

// The capabilities that baton asks about.
const (
	CapSetGID         Capability = unix.CAP_SETGID
	CapSetUID         Capability = unix.CAP_SETUID
	CapNetBindService Capability = unix.CAP_NET_BIND_SERVICE
	CapNetAdmin       Capability = unix.CAP_NET_ADMIN
	CapNetRaw         Capability = unix.CAP_NET_RAW
)

func (c Capability) String() string {
	switch c {
	case CapSetGID:
		return "CAP_SETGID"
	case CapSetUID:
		return "CAP_SETUID"
	case CapNetBindService:
		return "CAP_NET_BIND_SERVICE"
	case CapNetAdmin:
		return "CAP_NET_ADMIN"
	case CapNetRaw:
		return "CAP_NET_RAW"
	}
	return "capability " + strconv.Itoa(int(c))
}

// HasCapability reports whether this process holds c in its effective set.
func HasCapability(c Capability) bool {
	hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&hdr, &data[0]); err != nil {
		return false
	}
	return data[c/32].Effective&(1<<(c%32)) != 0
}

// ClearAmbient empties the ambient capability set of every thread, so that
// programs which the process starts do not inherit its capabilities. What the
// process itself may do stays as it is. In a cgo build it fails with ENOTSUP.
func ClearAmbient() error {
	if !hasAmbient() {
		return nil
	}
	if _, _, errno := syscall.AllThreadsSyscall6(unix.SYS_PRCTL, unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0, 0); errno != 0 {
		return fmt.Errorf("prctl PR_CAP_AMBIENT_CLEAR_ALL: %w", errno)
	}
	return nil
}

func hasAmbient() bool {
	b, err := os.ReadFile("/proc/thread-self/status")
	if err != nil {
		return true
	}
	for line := range strings.Lines(string(b)) {
		if v, ok := strings.CutPrefix(line, "CapAmb:"); ok {
			return strings.Trim(v, " \t\n0") != ""
		}
	}
	return false
}
