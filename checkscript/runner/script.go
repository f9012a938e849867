package runner

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"

	"baton/internal/sys"
)

// start runs the script. A failure to start is a result like any other.
func (s *script) start(_ context.Context, done chan<- result) run {
	cmd := &exec.Cmd{
		Path: s.path,
		Args: s.argv,
		Env:  scriptEnv(os.Environ()),
		SysProcAttr: &syscall.SysProcAttr{
			Setpgid: true,
			// Should baton be killed, its scripts go with it.
			Pdeathsig:  syscall.SIGKILL,
			Credential: s.credential,
		},
	}
	if err := cmd.Start(); err != nil {
		done <- result{text: fmt.Sprintf("cannot be started: %v", err)}
		return finished{}
	}
	p := &process{cmd: cmd}
	go func() { done <- p.wait() }()
	return p
}

// scriptEnv is baton's environment without what belongs to systemd's talk with
// baton itself.
func scriptEnv(env []string) []string {
	return slices.DeleteFunc(env, func(kv string) bool {
		name, _, _ := strings.Cut(kv, "=")
		switch name {
		case "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES":
			return true
		}
		return false
	})
}

// process is a script under way. The mutex keeps signals from being sent to a
// number that was reaped and may be somebody else's by now.
type process struct {
	cmd *exec.Cmd

	mu       sync.Mutex
	reaped   bool
	signaled bool
}

// wait returns the result when the script has exited and, if it had to be
// stopped, its whole process group is gone.
func (p *process) wait() result {
	pid := p.cmd.Process.Pid
	if err := sys.AwaitExit(pid); err != nil {
		return result{text: fmt.Sprintf("wait: %v", err)}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.signaled {
		// The leader obeyed SIGTERM; a child of it may not have. The zombie still
		// holds the group's number.
		_ = sys.SignalGroup(pid, syscall.SIGKILL)
	}
	err := p.cmd.Wait()
	p.reaped = true
	if err != nil {
		return result{text: err.Error()}
	}
	return result{ok: true, text: "exit status 0"}
}

func (p *process) terminate() { p.signal(syscall.SIGTERM) }
func (p *process) kill()      { p.signal(syscall.SIGKILL) }

func (p *process) signal(sig syscall.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.reaped {
		return
	}
	p.signaled = true
	// EPERM cannot happen to a child of ours that changed its user: CAP_KILL is
	// held where CAP_SETUID is. If it does, SIGKILL or the next run shows it.
	_ = sys.SignalGroup(p.cmd.Process.Pid, sig)
}
