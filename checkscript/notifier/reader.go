package notifier

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"baton/checkscript"
	"baton/checkscript/runner"
)

// A script that ends is started again, the sooner the longer it lived.
const (
	firstRestart = time.Second
	lastRestart  = time.Minute
)

// reader keeps the script running that reads a pipe. A nil one is none.
type reader struct {
	command checkscript.Command
	path    string // of the pipe: the script's last argument
	program *runner.Program
	log     *slog.Logger

	stopping context.Context // it is not to be started again
	stop     context.CancelFunc
	kill     context.CancelFunc // it is to end now; set by start
	turn     chan struct{}      // closed when its predecessor has ended
	done     chan struct{}
}

// newReader finds the script of a pipe.
func (n *Notifier) newReader(f checkscript.FIFO, secure bool) (*reader, error) {
	if f.Script == nil {
		return nil, nil
	}
	p, err := runner.NewProgram(*f.Script, secure)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Script.Keyword, err)
	}
	r := &reader{command: *f.Script, path: f.Path, program: p, log: n.opt.Log, turn: make(chan struct{}), done: make(chan struct{})}
	r.stopping, r.stop = context.WithCancel(context.Background())
	return r, nil
}

// start runs the script, when its predecessor, if there is one, has ended: of two
// readers of a pipe each gets some of the lines. Notifier.mu is held.
func (r *reader) start(n *Notifier, late context.Context, before *reader) {
	if before != nil {
		before.stop()
		before.kill()
	}
	if r == nil {
		return
	}
	late, r.kill = context.WithCancel(late)
	n.work.Go(func() {
		defer close(r.done)
		before.wait()
		close(r.turn)
		r.run(late)
	})
}

// await waits until the one before does not read any more: it could take a part of a
// line with it.
func (r *reader) await(late context.Context) {
	if r == nil {
		return
	}
	select {
	case <-r.turn:
	case <-late.Done():
	}
}

// finish has the script not be started again.
func (r *reader) finish() {
	if r != nil {
		r.stop()
	}
}

// wait waits until it has ended.
func (r *reader) wait() {
	if r != nil {
		<-r.done
	}
}

// run runs the script, again and again, until it is stopping; then it waits for the
// script to read to the end.
func (r *reader) run(late context.Context) {
	pause := firstRestart
	for r.stopping.Err() == nil {
		began := time.Now()
		p, err := r.program.Start(append(r.command.Argv[:len(r.command.Argv):len(r.command.Argv)], r.path))
		if err == nil {
			select {
			case <-p.Done():
				err = fmt.Errorf("ended (%s)", orWell(p.Failure()))
			case <-r.stopping.Done():
				select {
				case <-p.Done():
				case <-late.Done():
					end(p)
				}
				return
			}
		}
		if time.Since(began) > lastRestart {
			pause = firstRestart
		}
		r.log.Warn(fmt.Sprintf("%s: %v; starting it again in %v", r.command.Keyword, err, pause))
		select {
		case <-time.After(pause):
		case <-r.stopping.Done():
		}
		pause = min(2*pause, lastRestart)
	}
}

func orWell(failure string) string {
	if failure == "" {
		return "exit status 0"
	}
	return failure
}
