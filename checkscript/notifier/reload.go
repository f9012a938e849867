package notifier

import (
	"context"
	"fmt"
	"reflect"
	"slices"

	"baton/checkscript"
	"baton/checkscript/runner"
	"baton/internal/diag"
)

// newTarget resolves the scripts of a target.
func (n *Notifier) newTarget(t checkscript.Target, secure bool) (*target, error) {
	tt := &target{Target: t, n: n, queue: make(chan checkscript.News, queueLen), programs: make(map[string]*runner.Program)}
	for _, c := range (&checkscript.Notify{Targets: []checkscript.Target{t}}).Commands() {
		p, err := runner.NewProgram(*c, secure)
		if err != nil {
			return nil, fmt.Errorf("%s of %s: %w", c.Keyword, t.Name, err)
		}
		tt.programs[c.Keyword] = p
	}
	return tt, nil
}

// Reload goes on with other targets and pipes, and with enable_script_security as it is
// now. What was told to one that is no more, or is another now, is still done. A pipe is
// known by its path: one that stays loses no line, whoever reads it. On an error nothing
// has changed.
func (n *Notifier) Reload(to checkscript.Notify, secure bool) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	targets, err := n.nextTargets(to.Targets, secure)
	if err != nil {
		return fmt.Errorf("reload: %w", err)
	}
	next, err := n.nextFIFOs(to.FIFOs, secure)
	if err != nil {
		return fmt.Errorf("reload: %w", err)
	}
	late := n.late
	if late == nil { // it does not run yet, or not any more
		n.targets, n.fifos = targets, next
		return nil
	}
	var more []*fifo
	for _, f := range next {
		if !n.writes(f.Path, nil) {
			more = append(more, f)
		}
	}
	if err := openAll(more); err != nil {
		return fmt.Errorf("reload: %w", err)
	}
	n.replaceTargets(targets, late)
	n.replaceFIFOs(next, late)
	return nil
}

func (n *Notifier) nextTargets(list []checkscript.Target, secure bool) (map[key]*target, error) {
	next := make(map[key]*target)
	for _, t := range list {
		k := key{t.Group, t.Name}
		if old := n.targets[k]; old != nil && reflect.DeepEqual(unplaced(old.Target), unplaced(t)) {
			next[k] = old
			continue
		}
		tt, err := n.newTarget(t, secure)
		if err != nil {
			return nil, err
		}
		next[k] = tt
	}
	return next, nil
}

func (n *Notifier) replaceTargets(next map[key]*target, late context.Context) {
	for k, old := range n.targets {
		if next[k] != old {
			close(old.queue)
		}
	}
	for k, t := range next {
		if n.targets[k] != t {
			n.work.Go(func() { t.run(late) })
		}
	}
	n.targets = next
}

func (n *Notifier) nextFIFOs(list []checkscript.FIFO, secure bool) ([]*fifo, error) {
	var next []*fifo
	for _, c := range list {
		f, err := n.newFIFO(c, secure)
		if err != nil {
			return nil, err
		}
		next = append(next, f)
	}
	return next, nil
}

// replaceFIFOs starts those that are new, which are open, gives those that stay their
// new readers, and lets the others end.
func (n *Notifier) replaceFIFOs(next []*fifo, late context.Context) {
	old := n.fifos
	n.fifos = make([]*fifo, 0, len(next))
	for _, f := range next {
		at := slices.IndexFunc(old, func(o *fifo) bool { return o.Path == f.Path })
		if at < 0 {
			f.start(late)
			n.fifos = append(n.fifos, f)
			continue
		}
		kept := old[at]
		if !sameScript(kept.Script, f.Script) {
			f.reader.start(n, late, kept.reader)
			kept.reader = f.reader
		}
		if err := kept.give(f.User, f.Group); err != nil {
			n.opt.Log.Error(fmt.Sprintf("reload: %v", err))
		}
		kept.Script, kept.User, kept.Group = f.Script, f.User, f.Group
		n.fifos = append(n.fifos, kept)
	}
	for _, f := range old {
		if !n.writes(f.Path, nil) {
			close(f.queue)
		}
	}
}

// writes reports whether a path is that of a pipe of the configuration, but not this one.
func (n *Notifier) writes(path string, but *fifo) bool {
	return slices.ContainsFunc(n.fifos, func(f *fifo) bool { return f != but && f.Path == path })
}

func sameScript(a, b *checkscript.Command) bool {
	if a == nil || b == nil {
		return a == b
	}
	return reflect.DeepEqual(plain(a), plain(b))
}

// unplaced is a target without the places of its scripts in the files.
func unplaced(t checkscript.Target) checkscript.Target {
	scripts := make(map[checkscript.Word]*checkscript.Command)
	for w, c := range t.Scripts {
		scripts[w] = plain(c)
	}
	t.Scripts, t.Any = scripts, plain(t.Any)
	return t
}

func plain(c *checkscript.Command) *checkscript.Command {
	if c == nil {
		return nil
	}
	d := *c
	d.Pos = diag.Pos{}
	return &d
}
