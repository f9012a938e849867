package kernel

import (
	"context"
	"log/slog"
	"sync/atomic"
)

// notes carries log lines from the VRRP thread, which must not wait for a
// logger, to a goroutine that may. When the queue is full, lines are lost and
// counted.
type notes struct {
	log  *slog.Logger
	ch   chan note
	lost atomic.Uint64
}

type note struct {
	level slog.Level
	msg   string
	args  []any
}

func newNotes(log *slog.Logger) *notes {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &notes{log: log, ch: make(chan note, 256)}
}

func (n *notes) add(level slog.Level, msg string, args ...any) {
	select {
	case n.ch <- note{level, msg, args}:
	default:
		n.lost.Add(1)
	}
}

// write logs until ctx ends, and then what is left.
func (n *notes) write(ctx context.Context) {
	for {
		select {
		case line := <-n.ch:
			n.log.Log(ctx, line.level, line.msg, line.args...)
			if lost := n.lost.Swap(0); lost > 0 {
				n.log.Warn("log lines about addresses were lost", "lines", lost)
			}
			continue
		default:
		}
		select {
		case line := <-n.ch:
			n.log.Log(ctx, line.level, line.msg, line.args...)
		case <-ctx.Done():
			if len(n.ch) == 0 {
				return
			}
		}
	}
}
