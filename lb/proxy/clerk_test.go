package proxy

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"baton/lb/pattern"
	"baton/lb/spec"
)

// A flood of changes that nobody waits for takes no more memory than clerkRoom, and one
// line says so; who waits is served all the same, after what was asked before.
func TestClerkInAFlood(t *testing.T) {
	list := pattern.NewList("f", nil)
	var log bytes.Buffer
	set := &Set{Log: slog.New(slog.NewTextHandler(&log, nil))}
	set.clerk.more = make(chan struct{}, 1)
	put := func(key string, done func()) {
		set.clerk.ask(change{action: spec.ActionSetMap, list: list, key: key, value: strings.Repeat("v", 10000), done: done})
	}
	flood := func(round string) {
		for i := range 300 {
			put(fmt.Sprint(round, i), nil)
		}
		queue, bytes := len(set.clerk.queue), 0
		for _, ch := range set.clerk.queue {
			bytes += len(ch.key) + len(ch.value)
		}
		if queue < 100 || bytes > clerkRoom {
			t.Errorf("%d changes of %d bytes wait, want some 100 of %d at most", queue, bytes, clerkRoom)
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	flood("first")
	// Who is called holds the clerk up: what it asks for is made all at once afterwards.
	put("waited for", func() {
		flood("second")
		put("in a row", func() {
			put("calm", func() {
				flood("third")
				put("end", stop)
			})
		})
	})
	set.Clerk(ctx)

	for _, key := range []string{"first0", "waited for", "second0", "in a row", "calm", "third0", "end"} {
		if !list.TryPut([]byte(key), []byte("new")) {
			t.Errorf("%q was not put", key)
		}
	}
	if list.TryPut([]byte("first299"), nil) {
		t.Error("the last of the flood found room")
	}
	if said := log.String(); strings.Count(said, "some are dropped") != 2 || !strings.Contains(said, "dropped=19") {
		t.Errorf("logged:\n%s\nwant a line for each of two rows", said)
	}
}
