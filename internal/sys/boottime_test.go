package sys

import (
	"testing"
	"time"
)

func TestTicker(t *testing.T) {
	tick, err := NewTicker(5 * time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	defer tick.Close()
	began := BootTime()
	var ticks uint64
	for ticks < 3 {
		var p PollSet
		p.Add(tick.FD)
		p.Wait(time.Minute)
		ticks += tick.Drain()
	}
	if took := BootTime() - began; took < 10*time.Millisecond {
		t.Errorf("3 ticks of 5 ms within %v", took)
	}
}
