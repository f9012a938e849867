package notifier

import (
	"fmt"
	"reflect"

	"baton/checkscript"
	"baton/checkscript/runner"
	"baton/internal/diag"
)

// newTarget resolves the scripts of a target.
func (n *Notifier) newTarget(t checkscript.Target) (*target, error) {
	tt := &target{Target: t, n: n, queue: make(chan checkscript.News, queueLen), programs: make(map[string]*runner.Program)}
	for _, c := range (&checkscript.Notify{Targets: []checkscript.Target{t}}).Commands() {
		p, err := runner.NewProgram(*c, n.opt.Secure)
		if err != nil {
			return nil, fmt.Errorf("%s of %s: %w", c.Keyword, t.Name, err)
		}
		tt.programs[c.Keyword] = p
	}
	return tt, nil
}

// Reload goes on with other targets. What was told to one that is no more, or is
// another now, is still done. On an error nothing has changed. FIFOs stay as they are.
func (n *Notifier) Reload(targets []checkscript.Target) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	next := make(map[key]*target)
	for _, t := range targets {
		k := key{t.Group, t.Name}
		if old := n.targets[k]; old != nil && reflect.DeepEqual(unplaced(old.Target), unplaced(t)) {
			next[k] = old
			continue
		}
		tt, err := n.newTarget(t)
		if err != nil {
			return fmt.Errorf("reload: %w", err)
		}
		next[k] = tt
	}
	for k, old := range n.targets {
		if n.late != nil && next[k] != old {
			close(old.queue)
		}
	}
	for k, t := range next {
		if n.late != nil && n.targets[k] != t {
			late := n.late
			n.work.Go(func() { t.run(late) })
		}
	}
	n.targets = next
	return nil
}

// unplaced is a target without the places of its scripts in the files.
func unplaced(t checkscript.Target) checkscript.Target {
	plain := func(c *checkscript.Command) *checkscript.Command {
		if c == nil {
			return nil
		}
		d := *c
		d.Pos = diag.Pos{}
		return &d
	}
	scripts := make(map[checkscript.Word]*checkscript.Command)
	for w, c := range t.Scripts {
		scripts[w] = plain(c)
	}
	t.Scripts, t.Any = scripts, plain(t.Any)
	return t
}
