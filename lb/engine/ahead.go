package engine

import (
	"unsafe"

	"baton/internal/sys"
)

// What a task has on its stack when it waits, in cache lines: some for the frames
// of the suspension itself, which lie below the one that Wait knows, and the session's.
const (
	linesBelow = 4
	linesAbove = 10
)

// lookAhead asks for the memory of the events that follow event i of n. Since a
// session was last here the others have gone through the processor's cache; fetching
// its lines one by one, as the code comes to each, costs more than the code.
func (l *Loop) lookAhead(i, n int) {
	if i+2 < n {
		if c := l.byFD[l.events.At(i+2).Fd].conn; c != nil {
			sys.Prefetch(uintptr(unsafe.Pointer(c)), 2)
		}
	}
	if i+1 < n {
		if c := l.byFD[l.events.At(i+1).Fd].conn; c != nil && c.task != nil {
			sys.Prefetch(uintptr(unsafe.Pointer(c.task)), 2)
			sys.Prefetch(c.stack-linesBelow*64, linesBelow+linesAbove)
		}
	}
}
