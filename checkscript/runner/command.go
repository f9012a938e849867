package runner

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"baton/checkscript"
)

// ValidateCommand is Validate for a script that runs when something happens.
func ValidateCommand(c checkscript.Command, secure bool) error {
	_, err := prepare(asProbe(c), secure)
	return err
}

// Owner resolves the owner of a file that belongs to scripts: a user and a group
// by name, with the defaults of script_user.
func Owner(userName, groupName string) (uid, gid int, err error) {
	id, _, err := identify(userName, groupName)
	return int(id.uid), int(id.gid), err
}

func asProbe(c checkscript.Command) checkscript.Probe {
	return checkscript.Probe{Kind: checkscript.Script, Argv: c.Argv, User: c.User, Group: c.Group}
}

// Program is a script, resolved against this machine.
type Program struct{ s *script }

// NewProgram finds the program, and refuses what this process cannot run.
func NewProgram(c checkscript.Command, secure bool) (*Program, error) {
	s, err := prepare(asProbe(c), secure)
	if err == nil {
		err = s.permitted()
	}
	if err != nil {
		return nil, err
	}
	return &Program{s}, nil
}

// Process is a started Program.
type Process struct {
	p    *process
	done chan struct{}
	err  string
}

// Start runs the program with these arguments, the first of which is its name, in
// a process group of its own and without a shell. It is not killed with baton: it
// tells the outside of a state that goes on.
func (p *Program) Start(argv []string) (*Process, error) {
	cmd := &exec.Cmd{
		Path:        p.s.path,
		Args:        argv,
		Env:         scriptEnv(os.Environ()),
		SysProcAttr: &syscall.SysProcAttr{Setpgid: true, Credential: p.s.credential},
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", filepath.Base(p.s.path), errors.Unwrap(err))
	}
	r := &Process{p: &process{cmd: cmd}, done: make(chan struct{})}
	go func() {
		if res := r.p.wait(); !res.ok {
			r.err = res.text
		}
		close(r.done)
	}()
	return r, nil
}

// Done is closed when the program has exited.
func (r *Process) Done() <-chan struct{} { return r.done }

// Failure says after Done how the program failed; "" if it did not.
func (r *Process) Failure() string { return r.err }

// Terminate sends SIGTERM to the process group, and makes its end that of all.
func (r *Process) Terminate() { r.p.terminate() }

// Kill sends SIGKILL to the process group.
func (r *Process) Kill() { r.p.kill() }
