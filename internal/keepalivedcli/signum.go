package keepalivedcli

import "syscall"

// Signals that Go has no names for: SIGRTMIN+2 and SIGRTMAX-1 as glibc counts.
const (
	SigJSON       = syscall.Signal(36)
	SigStatsClear = syscall.Signal(63)
)

// Signum is the signal for a word of --signum.
func Signum(name string) (syscall.Signal, bool) {
	switch name {
	case "STOP":
		return syscall.SIGTERM, true
	case "RELOAD":
		return syscall.SIGHUP, true
	case "DATA":
		return syscall.SIGUSR1, true
	case "STATS":
		return syscall.SIGUSR2, true
	case "STATS_CLEAR":
		return SigStatsClear, true
	case "JSON":
		return SigJSON, true
	}
	return 0, false
}
