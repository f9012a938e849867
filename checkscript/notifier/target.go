package notifier

import (
	"context"
	"fmt"
	"sync"
	"time"

	"baton/checkscript"
	"baton/checkscript/runner"
)

// target is an instance or a sync group with its scripts.
type target struct {
	checkscript.Target
	n        *Notifier
	queue    chan checkscript.News
	programs map[string]*runner.Program // by keyword
	left     []*runner.Process          // run on beside the later ones, the oldest first
}

// run works off the queue until it is closed and empty, or it is too late.
func (t *target) run(late context.Context) {
	for news := range t.queue {
		for _, c := range t.Runs(news) {
			if late.Err() == nil {
				t.execute(late, c, news)
			}
		}
	}
	var ends sync.WaitGroup
	for _, p := range t.left {
		ends.Go(func() { t.await(late, p) })
	}
	ends.Wait()
}

// execute runs one script and waits for it, as long as that is reasonable.
func (t *target) execute(late context.Context, c checkscript.Command, news checkscript.News) {
	p, err := t.programs[c.Keyword].Start(c.Argv)
	if err != nil {
		t.n.opt.Log.Error(fmt.Sprintf("%s of %s (%s): %v", c.Keyword, t.Name, news.Word, err))
		return
	}
	timer := time.NewTimer(holdUp)
	defer timer.Stop()
	select {
	case <-p.Done():
		if f := p.Failure(); f != "" {
			t.n.opt.Log.Warn(fmt.Sprintf("%s of %s (%s): %s", c.Keyword, t.Name, news.Word, f))
		}
	case <-late.Done():
		end(p)
	case <-timer.C:
		t.n.opt.Log.Warn(fmt.Sprintf("%s of %s (%s) runs for %v already; the next script does not wait for it", c.Keyword, t.Name, news.Word, holdUp))
		t.leave(p)
	}
}

// leave lets a script run on, and ends the oldest when there are too many.
func (t *target) leave(p *runner.Process) {
	kept := t.left[:0]
	for _, old := range t.left {
		select {
		case <-old.Done():
		default:
			kept = append(kept, old)
		}
	}
	t.left = append(kept, p)
	if len(t.left) > maxLeft {
		t.n.opt.Log.Error(fmt.Sprintf("%s: more than %d of its scripts run on; ending the oldest", t.Name, maxLeft))
		end(t.left[0])
		t.left = t.left[1:]
	}
}

func (t *target) await(late context.Context, p *runner.Process) {
	select {
	case <-p.Done():
	case <-late.Done():
		end(p)
	}
}
