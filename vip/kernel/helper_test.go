package kernel

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"baton/internal/mono"
	"baton/internal/nettest"
	"baton/vip"

	"github.com/vishvananda/netlink"
	"go.uber.org/goleak"
)

// patienceInTests bounds what should come at once, on a machine that may be busy.
const patienceInTests = 20 * time.Second

func TestMain(m *testing.M) {
	if addrs := os.Getenv("BATON_TEST_HOLD"); addrs != "" {
		holdForever(strings.Fields(addrs))
	}
	goleak.VerifyTestMain(m)
}

// holdForever is a daemon without VRRP: a process that holds addresses until it
// is killed. It prints "held" when it has them.
func holdForever(addrs []string) {
	m, err := New([]vip.Config{instance("VI_1", addrs...)}, nil)
	if err == nil {
		err = m.Set("VI_1", true, mono.Now(), nil)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	m.Announce("VI_1", false, mono.Now())
	fmt.Println("held")
	abandoned := make(chan struct{}) // the test has ended: its end of the pipe is closed
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		close(abandoned)
	}()
	for {
		select {
		case <-time.After(m.Deadline().Sub(mono.Now())): // the shell's one timer
			m.Tick(mono.Now())
		case <-abandoned:
			os.Exit(0)
		}
	}
}

// startHolder runs holdForever in a process inside the namespace.
func startHolder(t *testing.T, ns *nettest.NS, addrs ...string) *exec.Cmd {
	t.Helper()
	cmd := ns.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "BATON_TEST_HOLD="+strings.Join(addrs, " "))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = in.Close() })
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "held\n" {
		t.Fatalf("the holder said %q (%v)", line, err)
	}
	return cmd
}

// instance makes a configuration on eth0.
func instance(name string, addrs ...string) vip.Config {
	c := vip.Config{Instance: name, Interface: "eth0"}
	for _, a := range addrs {
		c.Addresses = append(c.Addresses, vip.Address{Prefix: netip.MustParsePrefix(a)})
	}
	return c
}

// harness is a Manager inside a namespace. Its methods run the Manager's there.
type harness struct {
	*Manager
	t   *testing.T
	ns  *nettest.NS
	log *logBuffer
}

func newHarness(t *testing.T, ns *nettest.NS, cfgs ...vip.Config) *harness {
	t.Helper()
	h := &harness{t: t, ns: ns, log: &logBuffer{}}
	ns.Do(func() {
		var err error
		if h.Manager, err = New(cfgs, slog.New(slog.NewTextHandler(h.log, nil))); err != nil {
			t.Fatal(err)
		}
	})
	t.Cleanup(func() { _ = h.Close() })
	return h
}

func (h *harness) set(instance string, up bool) error {
	h.t.Helper()
	var err error
	h.ns.Do(func() { err = h.Set(instance, up, mono.Now(), nil) })
	return err
}

func (h *harness) mustSet(instance string, up bool) {
	h.t.Helper()
	if err := h.set(instance, up); err != nil {
		h.t.Fatalf("Set(%s, %t): %v", instance, up, err)
	}
}

func (h *harness) announce(instance string, now mono.Time) {
	h.ns.Do(func() { h.Announce(instance, false, now) })
}

// tick plays a Tick at a time of the test's choosing: the kernel renews in real
// time all the same.
func (h *harness) tick(now mono.Time) { h.ns.Do(func() { h.Tick(now) }) }

// watch runs Watch until the test ends and returns what it tells.
func (h *harness) watch() <-chan Link {
	ch := make(chan Link, 64)
	h.watchWith(func(l Link) { ch <- l })
	return ch
}

func (h *harness) watchWith(fn func(Link)) {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		h.ns.Do(func() {
			if err := h.Watch(ctx, fn); err != nil {
				h.t.Errorf("Watch: %v", err)
			}
		})
	})
	h.t.Cleanup(func() { cancel(); wg.Wait() })
}

// logBuffer is a log that goroutines may write while the test reads.
type logBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// addrs reads eth0's IPv4 addresses from the kernel, as "10.0.0.9/24 ours
// secondary label=eth0:x valid=3".
func addrs(t *testing.T, ns *nettest.NS) []string {
	t.Helper()
	var out []string
	ns.Do(func() {
		link, err := netlink.LinkByName("eth0")
		if err != nil {
			t.Fatal(err)
		}
		list, err := netlink.AddrList(link, netlink.FAMILY_V4)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range list {
			s := prefixOf(&a).String()
			if a.Protocol == Protocol {
				s += " ours"
			}
			if a.Flags&syscall.IFA_F_SECONDARY != 0 {
				s += " secondary"
			}
			if a.Scope != 0 {
				s += fmt.Sprintf(" scope=%d", a.Scope)
			}
			if a.Label != "eth0" {
				s += " label=" + a.Label
			}
			if a.Broadcast != nil {
				s += " brd=" + a.Broadcast.String()
			}
			if a.Flags&syscall.IFA_F_PERMANENT == 0 {
				if a.ValidLft > 3 || a.PreferedLft != a.ValidLft {
					t.Errorf("%s: valid %d s, preferred %d s", s, a.ValidLft, a.PreferedLft)
				}
				s += " leased"
			}
			out = append(out, s)
		}
	})
	return out
}

func expectAddrs(t *testing.T, ns *nettest.NS, want ...string) {
	t.Helper()
	if got := addrs(t, ns); !slices.Equal(got, want) {
		t.Fatalf("eth0 has %q, want %q", got, want)
	}
}

// addrEvents subscribes to changes of IPv4 addresses in a namespace.
type addrEvents struct {
	t  *testing.T
	ch chan netlink.AddrUpdate
}

func subscribeAddrs(t *testing.T, ns *nettest.NS) *addrEvents {
	t.Helper()
	e := &addrEvents{t, make(chan netlink.AddrUpdate, 1024)}
	done := make(chan struct{})
	ns.Do(func() {
		if err := netlink.AddrSubscribe(e.ch, done); err != nil {
			t.Fatal(err)
		}
	})
	t.Cleanup(func() {
		close(done)
		for range e.ch { // until the library's goroutine has ended
		}
	})
	return e
}

// await waits until the address was added or deleted.
func (e *addrEvents) await(prefix string, added bool) {
	e.t.Helper()
	deadline := time.After(patienceInTests)
	for {
		select {
		case u := <-e.ch:
			if u.LinkAddress.String() == prefix && u.NewAddr == added {
				return
			}
		case <-deadline:
			e.t.Fatalf("the kernel never reported %s (added %t)", prefix, added)
		}
	}
}

// awaitLink waits for a state that want accepts.
func awaitLink(t *testing.T, ch <-chan Link, want func(Link) bool) Link {
	t.Helper()
	deadline := time.After(patienceInTests)
	for {
		select {
		case l := <-ch:
			if want(l) {
				return l
			}
		case <-deadline:
			t.Fatal("Watch never told the awaited state")
		}
	}
}
