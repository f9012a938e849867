package daemon

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
)

// Task is a part of the daemon that runs on its own.
type Task interface {
	// Run works until ctx ends, and has cleaned up when it returns. Returning
	// while ctx still lives is a failure of the whole daemon.
	Run(ctx context.Context) error
	// Ready is closed when the part does its work.
	Ready() <-chan struct{}
	// String names the part in messages.
	String() string
}

// running is a Task at work.
type running struct {
	task   Task
	cancel context.CancelFunc
	done   chan struct{}
	err    error // valid after done
}

// start runs a task. failed takes the error of a task that ends by itself; it
// needs room for every task.
func start(t Task, failed chan<- error) *running {
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{task: t, cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(r.done)
		r.err = guarded(ctx, t)
		if ctx.Err() == nil {
			err := r.err
			if err == nil {
				err = errors.New("ended unexpectedly")
			}
			failed <- fmt.Errorf("%s: %w", t, err)
		}
	}()
	return r
}

// guarded turns a panic of a task into its error, so that the others still stop
// in order: the address goes, the connections drain.
func guarded(ctx context.Context, t Task) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return t.Run(ctx)
}

// cancelled asks the task to end, and does not wait.
func (r *running) cancelled() *running {
	if r != nil {
		r.cancel()
	}
	return r
}

// stop ends the task and waits for it. A nil running is stopped already.
func (r *running) stop() error {
	if r.cancelled() == nil {
		return nil
	}
	<-r.done
	return r.err
}

// task is a Task made of its parts.
type task struct {
	name  string
	run   func(ctx context.Context) error
	ready <-chan struct{} // nil: ready at once
}

func (t *task) Run(ctx context.Context) error { return t.run(ctx) }
func (t *task) String() string                { return t.name }

func (t *task) Ready() <-chan struct{} {
	if t.ready != nil {
		return t.ready
	}
	c := make(chan struct{})
	close(c)
	return c
}
