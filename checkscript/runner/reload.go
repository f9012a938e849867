package runner

import (
	"context"
	"fmt"
	"reflect"

	"baton/checkscript"
	"baton/internal/diag"
)

// set is the probes of one configuration.
type set struct {
	probes map[string]*probe
	order  []*probe
}

// makeSet makes the probes of a configuration. One that the old set has in the same
// form is taken from there, with all it knows; one that is another under the same
// name begins with the old verdict, as with keepalived.
func (r *Runner) makeSet(probes []checkscript.Probe, secure bool, old *set) (*set, error) {
	s := &set{probes: make(map[string]*probe)}
	for _, p := range probes {
		var before *probe
		if old != nil {
			before = old.probes[p.Name]
		}
		one := before
		if before == nil || !equal(before.Probe, p) {
			var err error
			if one, err = r.newProbe(p, secure, before); err != nil {
				return nil, err
			}
		}
		s.probes[p.Name] = one
		s.order = append(s.order, one)
	}
	return s, nil
}

// equal reports whether two probes are the same, wherever they stand in the files.
func equal(a, b checkscript.Probe) bool {
	a.Pos, a.CommandPos, b.Pos, b.CommandPos = diag.Pos{}, diag.Pos{}, diag.Pos{}, diag.Pos{}
	return reflect.DeepEqual(a, b)
}

// Reload goes on with other probes, and with enable_script_security as it is now. Those
// that are the same run on undisturbed. On an error nothing has changed.
func (r *Runner) Reload(probes []checkscript.Probe, secure bool) error {
	begin, err := r.Prepare(probes, secure)
	if err == nil {
		begin()
	}
	return err
}

// Prepare does of a Reload what can fail; begin does the rest. There must be no other
// Reload between the two.
func (r *Runner) Prepare(probes []checkscript.Probe, secure bool) (begin func(), err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	old := r.set.Load()
	next, err := r.makeSet(probes, secure, old)
	if err != nil {
		return nil, fmt.Errorf("reload: %w", err)
	}
	return func() { r.replace(old, next) }, nil
}

func (r *Runner) replace(old, next *set) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.set.Store(next)
	if r.ctx == nil || r.ctx.Err() != nil {
		return
	}
	for _, p := range old.order {
		if next.probes[p.Name] != p {
			p.cancel()
		}
	}
	r.begin(next)
}

// begin runs the probes that do not run yet. r.mu is held.
func (r *Runner) begin(s *set) {
	for _, p := range s.order {
		if p.cancel != nil {
			continue
		}
		var ctx context.Context
		ctx, p.cancel = context.WithCancel(r.ctx)
		r.work.Go(func() error {
			p.run(ctx)
			return nil
		})
	}
	if r.unfollow != nil {
		r.unfollow()
	}
	var ctx context.Context
	ctx, r.unfollow = context.WithCancel(r.ctx)
	r.work.Go(func() error {
		newProcesses(s.order).follow(ctx)
		return nil
	})
}
