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
)

// fifo is a named pipe.
type fifo struct {
	checkscript.FIFO
	n      *Notifier
	queue  chan string
	reader *reader // nil: one that is not ours; Notifier.mu guards it until the queue is closed
	file   *os.File
	made   bool
}

// newFIFO finds the script that reads a pipe.
func (n *Notifier) newFIFO(c checkscript.FIFO, secure bool) (*fifo, error) {
	f := &fifo{FIFO: c, n: n, queue: make(chan string, queueLen)}
	var err error
	f.reader, err = n.newReader(c, secure)
	return f, err
}

// open makes the pipe unless it is there, and opens it for reading as well: so
// writing needs no reader, and what is written waits in the pipe for one.
func (f *fifo) open() error {
	if err := sys.MakeFIFO(f.Path, 0o600); err == nil {
		f.made = true
		if err := f.give(f.User, f.Group); err != nil {
			f.remove()
			return err
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

// give makes a user and group the owner of the pipe, if baton has made it.
func (f *fifo) give(user, group string) error {
	if !f.made {
		return nil
	}
	uid, gid, err := runner.Owner(user, group)
	if err == nil {
		err = os.Chown(f.Path, uid, gid)
	}
	if errors.Is(err, fs.ErrPermission) {
		err = fmt.Errorf("%w (baton may not give files away without CAP_CHOWN: name the user that baton runs as, or make the pipe yourself)", err)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", f.Keyword, err)
	}
	return nil
}

// openAll opens all or none.
func openAll(list []*fifo) error {
	for i, f := range list {
		if err := f.open(); err != nil {
			for _, o := range list[:i] {
				o.close()
			}
			return err
		}
	}
	return nil
}

// close undoes open.
func (f *fifo) close() {
	_ = f.file.Close()
	f.remove()
}

// remove takes away the pipe that open made.
func (f *fifo) remove() {
	if f.made {
		_ = os.Remove(f.Path)
		f.made = false
	}
}

// start runs an open pipe and its reader. Notifier.mu is held.
func (f *fifo) start(late context.Context) {
	f.n.work.Go(func() { f.run(late) })
	f.reader.start(f.n, late, nil)
}

// run writes the queue's lines until it is closed and empty.
func (f *fifo) run(late context.Context) {
	full := false
	for line := range f.queue {
		f.present().await(late)
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
	f.reader.finish()
	f.drain(late)
	_ = f.file.Close() // the reader sees the end
	f.reader.wait()
	f.n.mu.Lock()
	defer f.n.mu.Unlock()
	if !f.n.writes(f.Path, f) {
		f.remove()
	}
}

// present returns the reader that a reload may have put there.
func (f *fifo) present() *reader {
	f.n.mu.Lock()
	defer f.n.mu.Unlock()
	return f.reader
}

// drain waits until the last lines are read: what is in the pipe when nobody has it
// open any more is lost. Where no script reads it, nobody might.
func (f *fifo) drain(late context.Context) {
	patience := drainTime
	if f.reader != nil {
		patience = farewell
	}
	for end := time.Now().Add(patience); sys.Unread(f.file) > 0 && late.Err() == nil && time.Now().Before(end); {
		time.Sleep(drainLook)
	}
}
