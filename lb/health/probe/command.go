package probe

import (
	"context"
	"errors"
	"os/exec"
	"syscall"
	"time"

	"baton/lb/health"
)

// Command is an external check: a process whose exit status is the verdict.
type Command struct {
	Path string
	Args []string
	Env  []string
	Time time.Duration // after which its process group is killed; 0: none
}

// Check runs the command once. Its output goes nowhere. When ctx ends before it, it is
// killed and the result means nothing.
func (c *Command) Check(ctx context.Context) health.Result {
	begun := time.Now()
	if c.Time > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.Time)
		defer cancel()
	}
	cmd := exec.CommandContext(ctx, c.Path, c.Args...)
	cmd.Env = c.Env
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	// What the command has started goes with it.
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	err := cmd.Run()
	r := c.verdict(ctx, err)
	r.Duration = time.Since(begun)
	return r
}

func (c *Command) verdict(ctx context.Context, err error) health.Result {
	// As the shell says it of a command that cannot be run, and HAProxy.
	const notRun, killed = 255, -1
	var exit *exec.ExitError
	switch {
	case err == nil:
		return health.Result{Status: health.ProcessOK}
	case ctx.Err() != nil:
		return health.Result{Status: health.ProcessTimeout}
	case !errors.As(err, &exit):
		return health.Result{Status: health.ProcessError, Code: notRun, Info: reason(err)}
	case exit.ExitCode() < 0:
		return health.Result{Status: health.ProcessError, Code: killed}
	}
	return health.Result{Status: health.ProcessError, Code: exit.ExitCode()}
}
