package daemon

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"baton/conf/keepalived"
	"baton/vip/kernel"
)

func TestLinkDelays(t *testing.T) {
	var got []string
	d := newLinkDelays([]keepalived.LinkDelay{{Interface: "eth0", Down: 2 * time.Second, Up: 3 * time.Second}}, func(l kernel.Link) {
		got = append(got, fmt.Sprintf("%s index %d up %v", l.Name, l.Index, l.Up))
	})
	var fire func()
	d.after = func(delay time.Duration, f func()) func() bool {
		got = append(got, fmt.Sprintf("in %v", delay))
		fire = f
		return func() bool { got = append(got, "never mind"); return false } // too late: the timer may run all the same
	}
	see := func(name string, index int, up bool) { d.link(kernel.Link{Name: name, Index: index, Up: up}) }

	see("eth1", 3, true)
	see("eth1", 3, false)
	see("eth0", 2, true) // the first word is not delayed
	see("eth0", 2, false)
	see("eth0", 2, false)
	see("eth0", 2, true) // back in time
	fire()
	see("eth0", 2, false)
	fire()
	see("eth0", 2, true)
	fire()
	see("eth0", 0, false) // vanished
	d.end()
	want := []string{
		"eth1 index 3 up true", "eth1 index 3 up false",
		"eth0 index 2 up true",
		"in 2s", "eth0 index 2 up true", "eth0 index 2 up true",
		"never mind", "eth0 index 2 up true",
		"in 2s", "eth0 index 2 up true", "eth0 index 2 up false",
		"in 3s", "eth0 index 2 up false", "eth0 index 2 up true",
		"eth0 index 0 up false",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
