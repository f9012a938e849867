package checkscript

import (
	"slices"
	"strings"
)

// maxComm is how many bytes of a process's name the kernel keeps (TASK_COMM_LEN).
const maxComm = 15

// Matches reports whether a process counts: comm is its name, argv its command
// line, which is looked at only where CommandLine asks for it.
func (m *Match) Matches(comm string, argv []string) bool {
	if !m.CommandLine {
		return comm == m.Name[:min(len(m.Name), maxComm)]
	}
	if len(argv) == 0 || argv[0] != m.Name {
		return false
	}
	args := argv[1:]
	switch n := len(m.Args); {
	case m.Partial:
		return len(args) >= n && slices.Equal(args[:n], m.Args)
	case m.Initial && n > 0:
		return len(args) == n && slices.Equal(args[:n-1], m.Args[:n-1]) && strings.HasPrefix(args[n-1], m.Args[n-1])
	default:
		return slices.Equal(args, m.Args)
	}
}
