package kernel

import (
	"fmt"
	"testing"

	"baton/internal/nettest"
	"baton/vip"
)

// A takeover of hundreds of instances sends thousands of frames within a second, and a
// collection of what they leave behind would stop the thread that sends adverts.
func TestAnnouncingMakesLittleGarbage(t *testing.T) {
	host := nettest.NewSwitch(t).Host("a", "10.0.0.1/16", "fd00::1/64")
	var cfgs []vip.Config
	for i := range sendBatch {
		prefix := fmt.Sprintf("10.0.1.%d/32", i)
		if i%2 == 1 {
			prefix = fmt.Sprintf("fd00::1:%d/128", i)
		}
		cfgs = append(cfgs, instance(fmt.Sprintf("VI_%d", i), prefix))
	}
	h := newHarness(t, host.NS, cfgs...)
	for _, c := range cfgs {
		h.mustSet(c.Instance, true)
	}
	h.watched.Store(true) // and nothing changes
	host.Do(func() {
		pass := func() {
			h.outbox = h.outbox[:0]
			for _, c := range h.cfgs {
				h.outbox = append(h.outbox, vip.Action{Kind: vip.Send, Address: c.Addresses[0], Count: 1})
			}
			h.announceSome()
		}
		pass()
		allocs := testing.AllocsPerRun(20, pass)
		t.Logf("%v allocations for %d frames", allocs, sendBatch)
		if allocs > 16 {
			t.Errorf("%v allocations for %d frames", allocs, sendBatch)
		}
	})
	if s := h.Status()[0]; s.Announced != 22 || s.Error != "" {
		t.Errorf("status %+v", s)
	}
}
