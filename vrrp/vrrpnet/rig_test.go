package vrrpnet

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"baton/internal/mono"
	"baton/internal/nettest"
	"baton/vrrp"
)

// patience bounds the wait for what must come; it decides nothing else.
const patience = 40 * time.Second

func config(priority uint8) vrrp.Config {
	return vrrp.Config{
		Name: "VI", Interface: "eth0", VRID: 51, Priority: priority, AdvertInterval: time.Second,
		Advertised: []netip.Addr{netip.MustParseAddr("10.0.0.100")},
	}
}

// rig is a speaker in this process, on a host.
type rig struct {
	t     *testing.T
	host  *nettest.Host
	s     *Speaker
	owner *fakeOwner
	lines chan string // events and what the owner was asked to do, in order
	stop  func()      // ends the speaker in order and waits for it
}

// fakeOwner notes what it is asked to do.
type fakeOwner struct {
	say  func(string)
	slow func(up bool, pause func()) // what takes time in Set; may be nil

	mu   sync.Mutex
	fail error // what Set(up) returns
}

func (o *fakeOwner) Set(instance string, up bool, _ mono.Time, pause func()) error {
	if o.slow != nil {
		o.slow(up, pause)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.say(fmt.Sprintf("%s addresses up %v", instance, up))
	if up {
		return o.fail
	}
	return nil
}

func (o *fakeOwner) failWith(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.fail = err
}

func (o *fakeOwner) Announce(instance string, _ bool, _ mono.Time) { o.say(instance + " announce") }
func (o *fakeOwner) Deadline() mono.Time                           { return mono.Never }
func (o *fakeOwner) Tick(mono.Time)                                {}

// run starts a speaker with these instances on the host.
func run(t *testing.T, host *nettest.Host, instances ...vrrp.Config) *rig {
	t.Helper()
	r := newRig(t, host, instances...)
	r.link()
	r.start()
	return r
}

func newRig(t *testing.T, host *nettest.Host, instances ...vrrp.Config) *rig {
	t.Helper()
	r := &rig{t: t, host: host, lines: make(chan string, 4096)}
	r.owner = &fakeOwner{say: func(s string) { r.lines <- s }}
	var err error
	r.s, err = New(Options{
		Instances: instances, Owner: r.owner,
		OnEvent: func(e Event) { r.lines <- strings.TrimSpace(e.Instance + " " + e.String()) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *rig) start() {
	r.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.host.Do(func() {
			if err := r.s.Run(ctx); err != nil {
				r.t.Errorf("Run: %v", err)
			}
		})
	}()
	r.stop = func() { cancel(); <-done }
	r.t.Cleanup(r.stop)
	<-r.s.Ready()
}

// link tells the speaker how eth0 really is.
func (r *rig) link() {
	r.t.Helper()
	r.host.Do(func() {
		index, primary := eth0()
		r.s.Link("eth0", index, index > 0, primary...)
	})
}

// await returns when a line has come that contains the text, and what came before.
func (r *rig) await(text string) []string {
	r.t.Helper()
	return await(r.t, r.lines, text)
}

func await(t *testing.T, lines <-chan string, text string) []string {
	t.Helper()
	var seen []string
	timeout := time.After(patience)
	for {
		select {
		case l, ok := <-lines:
			if !ok {
				t.Fatalf("ended without %q; seen:\n%s", text, strings.Join(seen, "\n"))
			}
			seen = append(seen, l)
			if strings.Contains(l, text) {
				return seen
			}
		case <-timeout:
			t.Fatalf("no %q; seen:\n%s", text, strings.Join(seen, "\n"))
		}
	}
}

// status returns the first instance's.
func (r *rig) status() Status { return r.s.Status()[0] }

// process is a program on a host whose output is read line by line.
type process struct {
	cmd   *exec.Cmd
	lines chan string
}

func (p *process) signal(t *testing.T, sig os.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
}

func start(t *testing.T, cmd *exec.Cmd) *process {
	t.Helper()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &process{cmd: cmd, lines: make(chan string, 4096)}
	read := make(chan struct{})
	go func() {
		defer close(read)
		defer close(p.lines)
		for sc := bufio.NewScanner(out); sc.Scan(); {
			p.lines <- sc.Text()
		}
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_, _ = cmd.Process.Wait()
		<-read
	})
	return p
}

// node starts this test binary as a node on the host. prefix may hold a program
// that starts it.
func node(t *testing.T, host *nettest.Host, c vrrp.Config, prefix ...string) *process {
	t.Helper()
	conf, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	args := append(prefix, os.Args[0])
	cmd := host.Command(args[0], args[1:]...)
	cmd.Env = append(os.Environ(), nodeEnv+"="+string(conf))
	return start(t, cmd)
}
