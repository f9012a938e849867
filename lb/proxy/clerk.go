package proxy

import (
	"context"
	"sync"
	"unsafe"

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
	size  int           // bytes of queue
	lost  int           // changes that found no room
	more  chan struct{} // there is something in queue
}

// clerkRoom is how many bytes of changes may wait. Who waits for a change gets in all the
// same: sessions bound those, as each waits for one.
const clerkRoom = 1 << 20

// change is what one rule asks for.
type change struct {
	action     spec.Action
	list       *pattern.List
	key, value string
	done       func() // nil: nobody waits
}

func (ch *change) size() int { return int(unsafe.Sizeof(*ch)) + len(ch.key) + len(ch.value) }

func (c *clerk) ask(ch change) {
	c.mu.Lock()
	if n := ch.size(); ch.done == nil && c.size+n > clerkRoom {
		c.lost++
	} else {
		c.queue = append(c.queue, ch)
		c.size += n
	}
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
	losing, total := false, 0               // what came last found no room; what ever did not
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.more:
		}
		c.mu.Lock()
		todo, lost := c.queue, c.lost
		c.queue, c.size, c.lost = nil, 0, 0
		c.mu.Unlock()
		total += lost
		if lost > 0 && !losing {
			s.Log.Warn("changes that http-after-response rules ask for come faster than they can be made: some are dropped", "dropped", total)
		}
		losing = lost > 0
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
