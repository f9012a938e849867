package vrrpnet

import (
	"encoding/hex"
	"errors"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"baton/internal/nettest"
	"baton/vrrp"
	"baton/vrrp/packet"

	"github.com/google/go-cmp/cmp"
)

func hosts(t *testing.T) (a, b *nettest.Host, sw *nettest.Switch) {
	t.Helper()
	sw = nettest.NewSwitch(t)
	return sw.Host("a", "10.0.0.1/24"), sw.Host("b", "10.0.0.2/24"), sw
}

// TestPair elects, stops in order, takes over, and preempts.
func TestPair(t *testing.T) {
	t.Parallel()
	ha, hb, _ := hosts(t)
	a := run(t, ha, config(150))
	seen := a.await("VI MASTER")
	want := []string{
		"VI addresses up false", "VI BACKUP: started",
		"VI addresses up true", "VI announce", "VI MASTER: no master heard within the master-down interval",
	}
	if diff := cmp.Diff(want, withoutUnprivileged(seen)); diff != "" {
		t.Errorf("a alone (-want +got):\n%s", diff)
	}

	b := run(t, hb, config(100))
	b.await("VI master is 10.0.0.1 (priority 150)")
	if st := b.status(); st.State != vrrp.Backup || st.Master.String() != "10.0.0.1" || st.MasterPriority != 150 || st.Received == 0 {
		t.Errorf("b: %+v", st)
	}

	a.stop()
	seen = drain(a)
	if diff := cmp.Diff([]string{"VI addresses up false", "VI INIT: stopped"}, seen); diff != "" {
		t.Errorf("a stops (-want +got):\n%s", diff)
	}
	b.await("VI MASTER: the master resigned (10.0.0.1, priority 150)")

	a = run(t, ha, config(150))
	a.await("VI MASTER: the master's priority is lower (10.0.0.2, priority 100)")
	b.await("VI addresses up false")
	b.await("VI BACKUP: heard a higher priority (10.0.0.1, priority 150)")
	if st := a.status(); st.State != vrrp.Master || st.Sent == 0 || st.Transitions != 2 || st.SendErrors != 0 {
		t.Errorf("a: %+v", st)
	}
	if !a.s.Alive(time.Minute) {
		t.Error("the thread of a does not turn")
	}
}

// withoutUnprivileged drops what depends on the machine's limits.
func withoutUnprivileged(lines []string) (out []string) {
	for _, l := range lines {
		if !strings.HasPrefix(l, "the VRRP thread goes on") {
			out = append(out, l)
		}
	}
	return out
}

// drain returns what a stopped rig had still to say.
func drain(r *rig) (lines []string) {
	for {
		select {
		case l := <-r.lines:
			lines = append(lines, l)
		default:
			return lines
		}
	}
}

// TestTieBreak splits two nodes of the same priority and joins them again: the
// higher address stays.
func TestTieBreak(t *testing.T) {
	t.Parallel()
	ha, hb, sw := hosts(t)
	a, b := run(t, ha, config(254)), run(t, hb, config(254))
	sw.IP("link", "set", "dev", "a", "nomaster")
	a.await("VI MASTER")
	b.await("VI MASTER")
	sw.IP("link", "set", "dev", "a", "master", "br0")
	a.await("VI BACKUP: heard equal priority from a higher address (10.0.0.2, priority 254)")
	if s := b.status().State; s != vrrp.Master {
		t.Errorf("b is %v", s)
	}
}

// TestSeveralInstances: VRIDs share an interface and its socket.
func TestSeveralInstances(t *testing.T) {
	t.Parallel()
	ha, hb, _ := hosts(t)
	one, two := config(200), config(100)
	one.Name, two.Name, two.VRID = "one", "two", 52
	a := run(t, ha, one, two)
	one.Priority, two.Priority = 100, 200
	three := config(254)
	three.Name, three.VRID = "three", 53
	b := run(t, hb, one, two, three)
	a.await("one MASTER")
	b.await("MASTER") // two and three, in either order
	b.await("MASTER")
	a.await("two master is 10.0.0.2 (priority 200)")
	st := a.s.Status()
	if st[0].State != vrrp.Master || st[1].State != vrrp.Backup {
		t.Errorf("a: %v, %v", st[0].State, st[1].State)
	}
	// Three's adverts are counted and tell nothing else: look after each.
	for frames := ha.Capture("eth0", 0x0800); a.status().Refused[packet.VRID] == 0; {
		frames.Next(func(f []byte) bool {
			_, payload, r := packet.ParseIPv4(f[14:])
			return r == packet.OK && payload[1] == three.VRID
		})
	}
}

// poll asks again and again; there is no event for what it asks, which is true at once
// or with the next advert.
func poll(f func() string) <-chan string {
	c := make(chan string, 1)
	go func() {
		for end := time.Now().Add(patience); time.Now().Before(end); runtime.Gosched() {
			if s := f(); s != "" {
				c <- s
				return
			}
		}
		close(c)
	}()
	return c
}

// TestKill: the node's process dies, the other takes over after three intervals.
func TestKill(t *testing.T) {
	t.Parallel()
	ha, hb, _ := hosts(t)
	a := node(t, ha, config(150))
	await(t, a.lines, "MASTER")
	b := run(t, hb, config(100))
	b.await("VI master is")
	a.signal(t, syscall.SIGKILL)
	b.await("VI MASTER: no master heard within the master-down interval")
}

// TestStandStill stops the master's process until the other has taken over. It
// comes back as BACKUP, takes its addresses off first, and says nothing but that it
// resigns, when it hears who is master.
func TestStandStill(t *testing.T) {
	t.Parallel()
	ha, hb, _ := hosts(t)
	c := config(150)
	c.NoPreempt = true
	a := node(t, ha, c)
	await(t, a.lines, "MASTER")
	b := run(t, hb, config(100))
	b.await("VI master is")
	a.signal(t, syscall.SIGSTOP)
	b.await("VI MASTER")
	frames := hb.Capture("eth0", 3)
	a.signal(t, syscall.SIGCONT)
	seen := await(t, a.lines, "event BACKUP: this process stood still longer than the master-down interval")
	if seen[0] != "addresses up false" {
		t.Errorf("a came back with %q", seen)
	}
	await(t, a.lines, "event master is 10.0.0.2 (priority 100)")
	for resigned := false; !resigned; {
		frames.Next(func(f []byte) bool {
			h, payload, r := packet.ParseIPv4(f[14:])
			if r != packet.OK || h.Source.String() == "10.0.0.2" {
				return false
			}
			if resigned = true; payload[2] != 0 {
				t.Errorf("advert from %v: %s", h.Source, hex.EncodeToString(f))
			}
			return true
		})
	}
}

// TestHealth: weights and faults move the addresses.
func TestHealth(t *testing.T) {
	t.Parallel()
	ha, hb, _ := hosts(t)
	a := newRig(t, ha, config(150))
	a.link()
	a.s.Health("VI", 0, false, true)
	a.start()
	b := run(t, hb, config(100))
	b.await("VI MASTER: no master heard") // a waits for its probes
	if st := a.status(); st.State != vrrp.Init || !st.Pending {
		t.Errorf("a: %+v", st)
	}
	a.s.Health("VI", 0, false, false)
	a.await("VI MASTER: the master's priority is lower")
	b.await("VI BACKUP")
	a.s.Health("VI", -60, false, false)
	b.await("VI MASTER: the master's priority is lower (10.0.0.1, priority 90)")
	a.await("VI BACKUP: heard a higher priority")
	a.s.Health("VI", 0, true, false)
	a.await("VI FAULT: probe failed")
	if st := a.status(); st.Faults != vrrp.Unhealthy || st.Why != vrrp.Faulted {
		t.Errorf("a: %+v", st)
	}
}

// TestAddressesCannotBeSet: the node resigns and the other keeps the addresses.
func TestAddressesCannotBeSet(t *testing.T) {
	t.Parallel()
	ha, hb, _ := hosts(t)
	b := run(t, hb, config(100))
	a := newRig(t, ha, config(150))
	a.owner.failWith(errors.New("no room"))
	a.link()
	a.start()
	seen := withoutUnprivileged(a.await("VI FAULT"))
	want := []string{
		"VI BACKUP: started", "VI FAULT: virtual addresses cannot be set",
		"VI addresses up false", "VI addresses up false", "VI addresses up true",
		"VI cannot add the virtual addresses: no room",
	}
	// The owner speaks on the VRRP thread, the events come through the queue: in
	// which order the two arrive here says nothing.
	slices.Sort(seen)
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Errorf("a, sorted (-want +got):\n%s", diff)
	}
	if st := a.status(); st.State != vrrp.Fault || st.Faults != vrrp.NoAddresses || st.Problem != "no room" {
		t.Errorf("a: %+v", st)
	}
	b.await("VI MASTER: the master resigned (10.0.0.1, priority 150)")
}

// TestInterfaceComesAndGoes: not there at first, then there, then gone, then
// another of the same name.
func TestInterfaceComesAndGoes(t *testing.T) {
	t.Parallel()
	sw := nettest.NewSwitch(t)
	ha, hb := sw.Host("a"), sw.Host("b")
	ha.IP("link", "del", "eth0")
	a := run(t, ha, config(254))
	a.await("VI FAULT: no such interface")

	ha.Rewire()
	a.link()
	a.await("VI FAULT: interface without address to send from")
	ha.IP("addr", "add", "10.0.0.1/24", "dev", "eth0")
	a.link()
	a.await("VI BACKUP: faults cleared")
	a.await("VI MASTER")

	// Nobody says so at first: sending fails, and that is all.
	ha.IP("link", "del", "eth0")
	a.await("VI cannot send adverts")
	a.link()
	a.await("VI FAULT: no such interface")

	ha.Rewire()
	ha.IP("addr", "add", "10.0.0.3/24", "dev", "eth0")
	frames := hb.Capture("eth0", 0x0800)
	a.link()
	a.await("VI MASTER")
	frames.Next(func(f []byte) bool {
		h, _, r := packet.ParseIPv4(f[14:])
		return r == packet.OK && h.Source.String() == "10.0.0.3"
	})

	ha.Unplug()
	index := a.s.roster.Load().byLink[linkKey{"eth0", false}].index // stable: the thread is told of a change below only
	a.s.Link("eth0", index, false, a.status().Source)
	a.await("VI FAULT: interface down")
	ha.Plug()
	a.link()
	a.await("VI BACKUP: faults cleared")
}

// TestWithoutPrivilege: one clear message.
func TestWithoutPrivilege(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("setpriv"); err != nil {
		t.Skip("needs the program setpriv (Debian: apt-get install util-linux)")
	}
	h := nettest.NewSwitch(t).Host("a", "10.0.0.1/24")
	p := node(t, h, config(100), "setpriv", "--bounding-set=-net_raw", "--inh-caps=-net_raw")
	await(t, p.lines, "error vrrp: no permission to open VRRP sockets: run as root or with the capability CAP_NET_RAW")
}

func TestNewRefuses(t *testing.T) {
	nettest.Require(t)
	a, b := config(100), config(100)
	b.Name = "other"
	owner := &fakeOwner{}
	for name, opt := range map[string]Options{
		"share virtual_router_id 51": {Owner: owner, Instances: []vrrp.Config{a, b}},
		"two instances are called":   {Owner: owner, Instances: []vrrp.Config{a, a}},
		"nobody to hold":             {Instances: []vrrp.Config{a}},
	} {
		if _, err := New(opt); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%q: %v", name, err)
		}
	}
}
