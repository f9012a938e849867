package runner

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// processWait adds up how long the threads of this process have been waiting for a
// processor while they could run (the second number of /proc/PID/task/TID/schedstat).
// It is false where the kernel does not count that.
func processWait() (total time.Duration, ok bool) {
	files, err := filepath.Glob("/proc/self/task/*/schedstat")
	if err != nil {
		return 0, false
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			continue // that thread has just ended
		}
		if wait, good := parseSchedstat(string(text)); good {
			total, ok = total+wait, true
		}
	}
	return total, ok
}

// parseSchedstat reads "CPU-ns WAIT-ns SLICES".
func parseSchedstat(text string) (wait time.Duration, ok bool) {
	fields := strings.Fields(text)
	if len(fields) != 3 {
		return 0, false
	}
	ns, err := strconv.ParseUint(fields[1], 10, 63)
	return time.Duration(ns), err == nil
}
