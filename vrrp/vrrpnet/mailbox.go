package vrrpnet

import (
	"net/netip"
	"runtime"
	"sync/atomic"

	"baton/internal/sys"
	"baton/vrrp"
)

// order is a word from another goroutine to the VRRP thread.
type order struct {
	next *order
	kind orderKind

	link     linkKey // orderLink
	index    int
	up       bool
	primary  netip.Addr
	instance string     // orderHealth, orderHint: its name
	event    vrrp.Event // likewise
	reload   *reload    // orderReload
}

type orderKind uint8

const (
	orderLink orderKind = iota
	orderHealth
	orderHint
	orderReload
	orderStop
)

// mailbox is a stack that many push to and the VRRP thread empties at once. No
// lock: a sender that the kernel takes off its processor half-way through holds
// nobody up.
type mailbox struct {
	top  atomic.Pointer[order]
	wake sys.EventFD
}

func newMailbox() (*mailbox, error) {
	wake, err := sys.NewEventFD()
	if err != nil {
		return nil, err
	}
	m := &mailbox{wake: wake}
	// Nobody knows when the last order has been put: the descriptor lives as long
	// as somebody could.
	runtime.AddCleanup(m, func(fd sys.EventFD) { fd.Close() }, wake)
	return m, nil
}

// put leaves an order and wakes the thread.
func (m *mailbox) put(o *order) {
	for {
		o.next = m.top.Load()
		if m.top.CompareAndSwap(o.next, o) {
			break
		}
	}
	m.wake.Wake()
}

// take returns all orders, the oldest first.
func (m *mailbox) take() *order {
	if m.top.Load() == nil {
		return nil
	}
	m.wake.Drain()
	var first *order
	for o := m.top.Swap(nil); o != nil; {
		o.next, first, o = first, o, o.next
	}
	return first
}
