package proxy

import (
	"context"
	"sync"

	"baton/internal/mono"
	"baton/lb/engine"
	"baton/lb/pattern"
	"baton/lb/sample"
	"baton/lb/spec"
)

// clerk makes the changes of maps and ACLs that rules ask for and that take time: part of
// a list is compiled anew. Loops go on meanwhile, and see all of a change or nothing.
type clerk struct {
	mu    sync.Mutex // held for an append or a swap, never over a change
	queue []change
	more  chan struct{} // there is something in queue
}

// change is what one rule asks for.
type change struct {
	action     spec.Action
	list       *pattern.List
	key, value string
	done       func() // nil: nobody waits
}

func (c *clerk) ask(ch change) {
	c.mu.Lock()
	c.queue = append(c.queue, ch)
	c.mu.Unlock()
	select {
	case c.more <- struct{}{}:
	default: // it has been told
	}
}

// Clerk changes maps and ACLs, in the order in which rules ask for it, until ctx ends.
func (s *Set) Clerk(ctx context.Context) {
	c := &s.clerk
	refused := make(map[*pattern.List]bool) // the last change of the list did not fit
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.more:
		}
		c.mu.Lock()
		todo := c.queue
		c.queue = nil
		c.mu.Unlock()
		for _, ch := range todo {
			err := ch.make()
			if err != nil && !refused[ch.list] { // one line for many in a row
				s.Log.Warn("a rule's change does not fit", "file", ch.list.Name, "key", ch.key, "value", ch.value, "error", err)
			}
			refused[ch.list] = err != nil
			if ch.done != nil {
				ch.done()
			}
		}
	}
}

func (ch *change) make() error {
	switch ch.action {
	case spec.ActionSetMap:
		return ch.list.Put(ch.key, ch.value)
	case spec.ActionAddACL:
		return ch.list.Insert(ch.key)
	}
	ch.list.Delete(ch.key)
	return nil
}

// changeList runs set-map, del-map, add-acl and del-acl. The rules behind it see the
// change, unless the task cannot wait here (nil). What is as it should be costs a look.
func (s *httpSession) changeList(t *engine.Task, r *httpRule, c *sample.Ctx) {
	w := s.w
	w.head = s.format(w.head[:0], r.Key, c)
	key, value := w.head, []byte(nil)
	switch r.Action {
	case spec.ActionSetMap:
		if value = s.text(r, c); r.List.TryPut(key, value) {
			return
		}
	default:
		if r.List.Settled(key, r.Action == spec.ActionAddACL) {
			return
		}
	}
	ch := change{action: r.Action, list: r.List, key: string(key), value: string(value)}
	if t == nil {
		w.set.clerk.ask(ch)
		return
	}
	done := false
	ch.done = func() {
		t.Loop().Post(func() {
			done = true
			t.Wake()
		})
	}
	w.set.clerk.ask(ch)
	for !done {
		t.Suspend(mono.Never)
	}
}
