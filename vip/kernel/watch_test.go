package kernel

import (
	"fmt"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"baton/internal/mono"
	"baton/internal/nettest"
	"baton/vip"

	"github.com/vishvananda/netlink/nl"
)

// awaitLog waits until the log has the text.
func awaitLog(t *testing.T, h *harness, text string) {
	t.Helper()
	for end := time.Now().Add(patienceInTests); !strings.Contains(h.log.String(), text); runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatalf("%q is not in the log:\n%s", text, h.log)
		}
	}
}

func TestWatch(t *testing.T) {
	host := nettest.NewSwitch(t).Host("a", "10.0.0.9/32", "10.0.0.1/24")
	c := instance("VI_1", "10.0.0.9/24")
	c.Addresses = append(c.Addresses, vip.Address{Prefix: netip.MustParsePrefix("10.0.0.8/32"), Interface: "eth7"})
	h := newHarness(t, host.NS, c)
	links := h.watch()
	next := func() Link {
		t.Helper()
		return awaitLink(t, links, func(Link) bool { return true })
	}

	first := next()
	if first.Name != "eth0" || !first.Up || first.Index == 0 || first.Primary != netip.MustParseAddr("10.0.0.1") {
		t.Errorf("eth0 at first: %+v (10.0.0.9 is virtual, so not the primary)", first)
	}
	if l := next(); l != (Link{Name: "eth7"}) {
		t.Errorf("eth7 is not there, told %+v", l)
	}

	is := func(name string, up bool, primary string) func(Link) bool {
		p, _ := netip.ParseAddr(primary)
		return func(l Link) bool { return l.Name == name && l.Up == up && l.Primary == p }
	}
	host.Unplug()
	awaitLink(t, links, is("eth0", false, "10.0.0.1"))
	host.Plug()
	awaitLink(t, links, is("eth0", true, "10.0.0.1"))
	host.IP("link", "set", "eth0", "down")
	awaitLink(t, links, is("eth0", false, "10.0.0.1"))
	host.IP("link", "set", "eth0", "up")
	awaitLink(t, links, is("eth0", true, "10.0.0.1"))
	host.IP("addr", "del", "10.0.0.1/24", "dev", "eth0")
	awaitLink(t, links, is("eth0", true, ""))
	host.IP("addr", "add", "10.0.0.3/24", "dev", "eth0")
	awaitLink(t, links, is("eth0", true, "10.0.0.3"))
	host.IP("link", "del", "eth0")
	awaitLink(t, links, func(l Link) bool { return l == Link{Name: "eth0"} })
	host.Rewire()
	if l := awaitLink(t, links, is("eth0", true, "")); l.Index == first.Index {
		t.Errorf("the new eth0 has the index of the old one: %+v", l)
	}
	host.IP("link", "set", "eth0", "down")
	host.IP("link", "set", "eth0", "name", "eth7")
	awaitLink(t, links, func(l Link) bool { return l.Name == "eth7" && l.Index != 0 })
}

// Somebody removes an address that we hold: Watch wakes the VRRP thread, whose
// Tick puts it back at once.
func TestRemovedAddressComesBack(t *testing.T) {
	sw := nettest.NewSwitch(t)
	host, peer := sw.Host("a", "10.0.0.1/24"), sw.Host("b", "10.0.0.2/24")
	h := newHarness(t, host.NS, instance("VI_1", "10.0.0.9/24"))
	links := h.watch()
	up := awaitLink(t, links, func(l Link) bool { return l.Up })
	h.mustSet("VI_1", true)
	seen := peer.Capture("eth0", 0x0806)

	host.IP("addr", "del", "10.0.0.9/24", "dev", "eth0")
	if l := awaitLink(t, links, func(Link) bool { return true }); l != up {
		t.Errorf("woken with %+v, want the known state %+v", l, up)
	}
	if d := h.Deadline(); d != 0 {
		t.Errorf("deadline %v, want at once", d)
	}
	h.tick(mono.Now())
	expectAddrs(t, host.NS, "10.0.0.1/24", "10.0.0.9/24 ours secondary leased")
	seen.Next(isGratuitous("10.0.0.9"))
	awaitLog(t, h, "had vanished")

	// Letting go of it ourselves wakes nobody.
	h.mustSet("VI_1", false)
	host.Unplug()
	if l := awaitLink(t, links, func(Link) bool { return true }); l.Up || h.Deadline() != mono.Never {
		t.Errorf("told %+v, deadline %v", l, h.Deadline())
	}
}

// What we do ourselves every second must not make Watch read all interfaces again. It
// does not even hear of it where there are no static addresses.
func TestWatchHeedsOthersOnly(t *testing.T) {
	t.Run("filtered", func(t *testing.T) {
		testHeed(t, []bool{false, true}, instance("VI_1", "10.0.0.9/24")) // removed; foreign
	})
	t.Run("unfiltered", func(t *testing.T) {
		static := instance("static", "10.0.7.7/32")
		static.Static, static.Interface = true, "eth9"                                          // which is not there
		testHeed(t, []bool{false, false, false, true}, instance("VI_1", "10.0.0.9/24"), static) // added, renewed, removed; foreign
	})
}

func testHeed(t *testing.T, want []bool, cfgs ...vip.Config) {
	host := nettest.NewSwitch(t).Host("a", "10.0.0.1/24")
	h := newHarness(t, host.NS, cfgs...)
	var sock *nl.NetlinkSocket
	host.Do(func() {
		var err error
		if sock, err = h.subscribe(); err != nil {
			t.Fatal(err)
		}
	})
	defer sock.Close()
	h.tick(mono.Now())
	h.mustSet("VI_1", true)
	h.tick(mono.Now().Add(vip.LeaseRenew))
	h.mustSet("VI_1", false)
	host.IP("addr", "add", "10.0.0.5/24", "dev", "eth0")

	w := &watcher{m: h.Manager, last: map[string]Link{}}
	var heeded []bool
	for !slices.Contains(heeded, true) {
		msgs, _, err := sock.Receive()
		if err != nil {
			t.Fatal(err)
		}
		for i := range msgs {
			heeded = append(heeded, w.heed(&msgs[i]))
		}
	}
	if !slices.Equal(heeded, want) {
		t.Errorf("heeds %v, want %v", heeded, want)
	}
}

// A lifetime alone does not make a virtual address ours: longer than our leases, it is
// somebody else's, and renewals by the list of before have to end.
func TestWatchHeedsForeignLease(t *testing.T) {
	host := nettest.NewSwitch(t).Host("a", "10.0.0.1/24")
	h := newHarness(t, host.NS, instance("VI_1", "10.0.0.9/24"))
	w := &watcher{m: h.Manager, last: map[string]Link{}}
	for lifetime, want := range map[string]bool{"3600": true, "3": false} { // 3: how ours look where the kernel keeps no mark
		var msgs []syscall.NetlinkMessage
		host.Do(func() {
			sock, err := h.subscribe()
			if err != nil {
				t.Fatal(err)
			}
			defer sock.Close()
			host.IP("addr", "add", "10.0.0.9/32", "dev", "eth0", "valid_lft", lifetime, "preferred_lft", lifetime)
			if msgs, _, err = sock.Receive(); err != nil {
				t.Fatal(err)
			}
		})
		if got := w.heed(&msgs[0]); got != want {
			t.Errorf("of %s s: heeds %t", lifetime, got)
		}
		host.IP("addr", "del", "10.0.0.9/32", "dev", "eth0")
	}
}

// While the callback is slow, more changes come than the socket holds. Watch
// starts over and ends with the truth.
func TestWatchSurvivesMissedChanges(t *testing.T) {
	host := nettest.NewSwitch(t).Host("a", "10.0.0.1/24")
	h := newHarness(t, host.NS, instance("VI_1", "10.0.0.9/24"))
	links := make(chan Link, 64)
	hold := make(chan struct{})
	h.watchWith(func(l Link) {
		links <- l
		<-hold
	})
	awaitLink(t, links, func(l Link) bool { return l.Up })
	host.IP("addr", "add", "10.1.0.1/32", "dev", "eth0") // the reader is now held up

	var batch strings.Builder
	for i := range 6000 {
		verb := "add"
		if i%2 == 1 {
			verb = "del"
		}
		fmt.Fprintf(&batch, "addr %s 127.1.0.1/32 dev lo\n", verb)
	}
	cmd := host.Command("ip", "-batch", "-")
	cmd.Stdin = strings.NewReader(batch.String())
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	host.IP("addr", "del", "10.0.0.1/24", "dev", "eth0")
	close(hold)
	awaitLink(t, links, func(l Link) bool { return l.Primary == netip.MustParseAddr("10.1.0.1") })
	awaitLog(t, h, "missed changes")
}
