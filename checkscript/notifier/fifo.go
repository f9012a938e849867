package notifier

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"time"

	"baton/checkscript"
	"baton/checkscript/runner"
	"baton/internal/sys"
)

const (
	// writeTime is how long a line may wait for room in the pipe before it is lost:
	// nobody reads then.
	writeTime = 100 * time.Millisecond

	// drainTime is how long a reader that is not ours gets for the last lines.
	drainTime = 500 * time.Millisecond
	drainLook = 5 * time.Millisecond

	// A script that ends is started again, the sooner the longer it lived.
	firstRestart = time.Second
	lastRestart  = time.Minute
)

// fifo is a named pipe and the script that reads it.
type fifo struct {
	checkscript.FIFO
	n       *Notifier
	queue   chan string
	program *runner.Program
	file    *os.File
	made    bool
}

// open makes the pipe unless it is there, and opens it for reading as well: so
// writing needs no reader, and what is written waits in the pipe for one.
func (f *fifo) open() error {
	uid, gid, err := runner.Owner(f.User, f.Group)
	if err != nil {
		return fmt.Errorf("%s: %w", f.Keyword, err)
	}
	if err := sys.MakeFIFO(f.Path, 0o600); err == nil {
		f.made = true
		if err := os.Chown(f.Path, uid, gid); err != nil {
			f.remove()
			if errors.Is(err, fs.ErrPermission) {
				err = fmt.Errorf("%w (baton may not give files away without CAP_CHOWN: name the user that baton runs as, or make the pipe yourself)", err)
			}
			return fmt.Errorf("%s: %w", f.Keyword, err)
		}
	} else if !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s: make pipe %s: %w", f.Keyword, f.Path, err)
	}
	// O_NOFOLLOW: a link put there by somebody else must not lead a root process astray.
	file, err := os.OpenFile(f.Path, os.O_RDWR|syscall.O_NONBLOCK|syscall.O_NOFOLLOW, 0)
	if err != nil {
		f.remove()
		return fmt.Errorf("%s: %w", f.Keyword, err)
	}
	if info, err := file.Stat(); err != nil || info.Mode()&fs.ModeNamedPipe == 0 {
		_ = file.Close()
		return fmt.Errorf("%s: %s is there and is no named pipe", f.Keyword, f.Path)
	}
	f.file = file
	return nil
}

// remove takes away the pipe that open made.
func (f *fifo) remove() {
	if f.made {
		_ = os.Remove(f.Path)
		f.made = false
	}
}

// run writes the queue's lines until it is closed and empty.
func (f *fifo) run(late context.Context) {
	stopping, stop := context.WithCancel(context.Background())
	reader := make(chan struct{})
	go func() {
		defer close(reader)
		if f.program != nil {
			f.keepReader(stopping, late)
		}
	}()
	full := false
	for line := range f.queue {
		_ = f.file.SetWriteDeadline(time.Now().Add(writeTime)) // a pipe can
		if _, err := f.file.WriteString(line); err != nil {
			if !full {
				f.n.opt.Log.Error(fmt.Sprintf("%s: nobody reads %s, lines are lost: %v", f.Keyword, f.Path, err))
			}
			full = true
			continue
		}
		full = false
	}
	stop()
	f.drain(late)
	_ = f.file.Close() // the reader sees the end
	<-reader
}

// drain waits until the last lines are read: what is in the pipe when nobody has it
// open any more is lost. Where no script reads it, nobody might.
func (f *fifo) drain(late context.Context) {
	patience := drainTime
	if f.program != nil {
		patience = farewell
	}
	for end := time.Now().Add(patience); sys.Unread(f.file) > 0 && late.Err() == nil && time.Now().Before(end); {
		time.Sleep(drainLook)
	}
}

// keepReader runs the script, again and again, until stopping; then it waits for
// the script to read to the end.
func (f *fifo) keepReader(stopping, late context.Context) {
	pause := firstRestart
	for stopping.Err() == nil {
		began := time.Now()
		argv := append(f.Script.Argv[:len(f.Script.Argv):len(f.Script.Argv)], f.Path)
		p, err := f.program.Start(argv)
		if err == nil {
			select {
			case <-p.Done():
				err = fmt.Errorf("ended (%s)", orWell(p.Failure()))
			case <-stopping.Done():
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
		f.n.opt.Log.Warn(fmt.Sprintf("%s: %v; starting it again in %v", f.Script.Keyword, err, pause))
		select {
		case <-time.After(pause):
		case <-stopping.Done():
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
