package vrrpnet

import (
	"context"
	"sync/atomic"

	"baton/internal/mono"
)

// queueLen bounds what the VRRP thread may have to say while nobody listens.
const queueLen = 1024

// queue carries events from the VRRP thread to the consumer. The thread never
// waits: what does not fit is counted.
type queue struct {
	events chan Event
	lost   atomic.Uint64
}

func newQueue() *queue { return &queue{events: make(chan Event, queueLen)} }

func (q *queue) put(e Event) {
	select {
	case q.events <- e:
	default:
		q.lost.Add(1)
	}
}

// consume hands events on until the queue is closed. An event is lost only while
// the queue is full, so there is at least one more to come that makes this loop
// notice; then the present states take the place of what was lost.
func (s *Speaker) consume() {
	var told uint64
	for e := range s.queue.events {
		s.deliver(e)
		if lost := s.queue.lost.Load(); lost != told {
			e.Repeated = lost - told
			told = lost
			s.resync(e.Repeated)
		}
	}
}

func (s *Speaker) resync(lost uint64) {
	for _, m := range s.roster.Load().members {
		v := m.view.Load()
		s.deliver(Event{
			Kind: Resync, Time: mono.Now(), Instance: m.cfg.Name, Interface: m.cfg.Interface,
			From: v.State, State: v.State, Why: v.Why, Faults: v.Faults, Priority: v.Priority,
			Peer: v.Master, PeerPriority: v.MasterPriority, Repeated: lost,
		})
	}
}

func (s *Speaker) deliver(e Event) {
	if s.opt.Log != nil && !toldBySight(e) {
		text := e.String()
		if e.Instance != "" {
			text = e.Instance + ": " + text
		}
		s.opt.Log.LogAttrs(context.Background(), e.level(), text, e.attrs()...)
	}
	if s.opt.OnEvent != nil {
		s.opt.OnEvent(e)
	}
}
