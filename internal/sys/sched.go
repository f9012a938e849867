package sys

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// RealTime gives the calling thread the policy SCHED_RR at its lowest priority:
// it runs before every ordinary thread and leaves the kernel's own real-time
// threads alone. Threads and processes that it starts are ordinary ones. It needs
// CAP_SYS_NICE or RLIMIT_RTPRIO.
func RealTime() error {
	err := unix.SchedSetAttr(0, &unix.SchedAttr{
		Size:     unix.SizeofSchedAttr,
		Policy:   unix.SCHED_RR,
		Flags:    unix.SCHED_FLAG_RESET_ON_FORK,
		Priority: 1,
	}, 0)
	if err != nil {
		return fmt.Errorf("sched_setattr SCHED_RR: %w", err)
	}
	return nil
}

// OrdinaryTime undoes RealTime for a thread of this process; 0 is the calling one.
func OrdinaryTime(thread int) error {
	if err := unix.SchedSetAttr(thread, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_NORMAL}, 0); err != nil {
		return fmt.Errorf("sched_setattr SCHED_OTHER: %w", err)
	}
	return nil
}

// LockMemory keeps every page that the process touches, now or later, in memory:
// nothing of it is swapped out. It does not populate what was only reserved
// (MCL_ONFAULT): Go's heap reserves far more than it uses.
//
// It refuses when RLIMIT_MEMLOCK would hold for this process: with locking on, an
// allocation beyond that limit fails, and a Go program dies of that. So the process
// must keep CAP_IPC_LOCK, where it has that, or have no limit.
func LockMemory() error {
	const capIPCLock Capability = unix.CAP_IPC_LOCK
	var r unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_MEMLOCK, &r); err != nil {
		return fmt.Errorf("getrlimit RLIMIT_MEMLOCK: %w", err)
	}
	if r.Cur != unix.RLIM_INFINITY && !HasCapability(capIPCLock) {
		return errors.New("mlockall: RLIMIT_MEMLOCK is finite (systemd: LimitMEMLOCK=infinity) and CAP_IPC_LOCK is missing")
	}
	if err := unix.Mlockall(unix.MCL_CURRENT | unix.MCL_FUTURE | unix.MCL_ONFAULT); err != nil {
		return fmt.Errorf("mlockall: %w", err)
	}
	return nil
}

// IsRealTime reports whether a thread of this process is under SCHED_RR; 0 is the
// calling one.
func IsRealTime(thread int) (bool, error) {
	a, err := unix.SchedGetAttr(thread, 0)
	if err != nil {
		return false, fmt.Errorf("sched_getattr: %w", err)
	}
	return a.Policy == unix.SCHED_RR, nil
}

// ThreadID is the calling thread's.
func ThreadID() int {
	r, _, _ := unix.RawSyscall(unix.SYS_GETTID, 0, 0, 0) // cannot fail
	return int(r)
}
