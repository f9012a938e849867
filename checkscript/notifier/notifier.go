package notifier

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"baton/checkscript"
	"baton/checkscript/runner"
)

const (
	// queueLen bounds what may wait for a slow script or a reader that is not there.
	queueLen = 256

	// holdUp is how long a script may keep the next one of its target waiting.
	holdUp = 30 * time.Second

	// maxLeft bounds how many scripts of a target may be left running beside.
	maxLeft = 8

	// farewell is how long all that waits may take when the daemon stops
	// (keepalived's child_wait_time), before what still runs is terminated.
	farewell = 5 * time.Second
)

// Options make a Notifier.
type Options struct {
	Notify checkscript.Notify
	Secure bool // enable_script_security
	Log    *slog.Logger
}

// Notifier runs the scripts and writes the FIFOs.
type Notifier struct {
	opt Options // but for what mu guards

	mu      sync.Mutex // guards what follows, and the sending to queues against their closing
	fifos   []*fifo
	targets map[key]*target
	late    context.Context // of the targets that run; nil: before Run and after it
	work    sync.WaitGroup
}

type key struct {
	group bool
	name  string
}

// New resolves the scripts against this machine. It starts nothing and makes no
// file. A script that cannot be run is an error here.
func New(o Options) (*Notifier, error) {
	n := &Notifier{opt: o, targets: make(map[key]*target)}
	for _, t := range o.Notify.Targets {
		tt, err := n.newTarget(t, o.Secure)
		if err != nil {
			return nil, err
		}
		n.targets[key{t.Group, t.Name}] = tt
	}
	for _, f := range o.Notify.FIFOs {
		ff, err := n.newFIFO(f, o.Secure)
		if err != nil {
			return nil, err
		}
		n.fifos = append(n.fifos, ff)
	}
	return n, nil
}

// Run works until ctx ends, and then until what was told before is done, but not
// for long. Tell must not be called any more when ctx has ended.
func (n *Notifier) Run(ctx context.Context) error {
	late, tooLate := context.WithCancel(context.Background())
	defer tooLate()
	n.mu.Lock()
	if err := openAll(n.fifos); err != nil {
		n.mu.Unlock()
		return err
	}
	n.late = late
	for _, t := range n.targets {
		n.work.Go(func() { t.run(late) })
	}
	for _, f := range n.fifos {
		f.start(late)
	}
	n.mu.Unlock()
	<-ctx.Done()
	n.mu.Lock()
	n.late = nil
	for _, t := range n.targets {
		close(t.queue)
	}
	for _, f := range n.fifos {
		close(f.queue)
	}
	n.mu.Unlock()
	timer := time.AfterFunc(farewell, tooLate)
	defer timer.Stop()
	n.work.Wait()
	return nil
}

// Tell queues the news for whoever wants them. It does not block: what finds no
// room is lost, and said so.
func (n *Notifier) Tell(news checkscript.News) {
	n.mu.Lock()
	defer n.mu.Unlock()
	t := n.targets[key{news.Group, news.Name}]
	if t == nil || !t.Wanted(news.Word) {
		return
	}
	news = t.Heed(news)
	if len(t.Runs(news)) > 0 {
		select {
		case t.queue <- news:
		default:
			n.opt.Log.Error(fmt.Sprintf("%s is not told that it is %s: %d changes wait for its scripts", news.Name, news.Word, queueLen))
		}
	}
	for _, f := range n.fifos {
		select {
		case f.queue <- news.Line():
		default:
			n.opt.Log.Error(fmt.Sprintf("%s %s: lost the line %q", f.Keyword, f.Path, news.Line()))
		}
	}
}

// end stops a process: SIGTERM, a moment, SIGKILL.
func end(p *runner.Process) {
	p.Terminate()
	select {
	case <-p.Done():
	case <-time.After(checkscript.KillAfter):
		p.Kill()
		select {
		case <-p.Done():
		case <-time.After(checkscript.KillAfter): // it hangs in the kernel
		}
	}
}
