package daemon

import (
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"strings"
)

// WritePIDFile writes the file that `pidfile` names. It is a favour to scripts and
// no reason not to serve: systemd knows the pid anyway, and its unit may well keep
// baton from writing where an old file was.
func WritePIDFile(path string, log *slog.Logger) {
	if path == "" {
		return
	}
	if err := os.WriteFile(path, fmt.Appendf(nil, "%d\n", os.Getpid()), 0o644); err != nil {
		log.Warn(fmt.Sprintf("pidfile: %v", err))
	}
}

// RemovePIDFile removes the file if it is still ours.
func RemovePIDFile(path string, log *slog.Logger) {
	if path == "" {
		return
	}
	b, err := os.ReadFile(path)
	if err != nil || strings.TrimSpace(string(b)) != strconv.Itoa(os.Getpid()) {
		return
	}
	if err := os.Remove(path); err != nil {
		log.Warn(fmt.Sprintf("pidfile: %v", err))
	}
}
