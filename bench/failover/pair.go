package main

import (
	"cmp"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"baton/bench/internal/bridge"
	"baton/internal/sys"
	"baton/pair/link"
)

//go:embed testdata/haproxy.cfg
var haproxyConf string

//go:embed testdata/keepalived.conf
var keepalivedConf string

// system is what runs on both nodes.
type system struct {
	name, title string
	baton, link bool
}

func systems() []system {
	return []system{
		{name: "keepalived", title: "keepalived + haproxy"},
		{name: "baton", title: "baton", baton: true},
		{name: "baton-link", title: "baton with its pair link", baton: true, link: true},
	}
}

// column is a timing.
type column struct {
	name, title string
	version     int
	advert      string // advert_int
	interval    time.Duration
}

func columns() []column {
	return []column{
		{"v2-1s", "v2 1 s", 2, "1", time.Second},
		{"v3-100ms", "v3 100 ms", 3, "0.1", 100 * time.Millisecond},
		{"v3-10ms", "v3 10 ms", 3, "0.01", 10 * time.Millisecond},
	}
}

// checks say what the instance tracks: nothing, unless a row is about it.
type checks string

const (
	noCheck   checks = ""
	pageCheck checks = "page" // the page, through this node's own proxy
	flagCheck checks = "flag" // a file that must not be there
)

// pair is two running nodes; a has the higher priority.
type pair struct {
	st     *stage
	sys    system
	col    column
	checks checks
	a, b   *node
}

// node is one of them.
type node struct {
	p          *pair
	name, addr string
	dir        string
	procs      []*proc
}

// proc is a process group of a node's.
type proc struct {
	name string
	cmd  *exec.Cmd
	done chan struct{}
}

// startPair starts both nodes and waits until a serves.
func startPair(st *stage, sys system, col column, c checks) (*pair, error) {
	p := &pair{st: st, sys: sys, col: col, checks: c}
	p.a = &node{p: p, name: "a", addr: addrA, dir: filepath.Join(st.dir, "a")}
	p.b = &node{p: p, name: "b", addr: addrB, dir: filepath.Join(st.dir, "b")}
	if err := errors.Join(p.a.write(150, addrB), p.b.write(100, addrA)); err != nil {
		return nil, err
	}
	if err := p.exchangeKeys(); err != nil {
		return nil, err
	}
	if err := errors.Join(p.a.start(), p.b.start()); err != nil {
		p.end()
		return nil, err
	}
	if err := p.await("a serves", p.settledOn(p.a)); err != nil {
		p.end()
		return nil, err
	}
	return p, nil
}

// write makes a node's files.
func (n *node) write(priority int, peer string) error {
	if err := os.MkdirAll(n.dir, 0o755); err != nil {
		return err
	}
	check := ""
	if n.p.checks != noCheck {
		check = "track_script {\n        " + string(n.p.checks) + "\n    }\n"
	}
	if n.p.checks == pageCheck && n.p.sys.baton {
		// What baton has for it: the same question, asked in process.
		check += "    track_traffic www { frontend www interval 0.01 timeout 0.02 }\n"
	}
	conf := strings.NewReplacer("@NODE@", n.name, "@SELF@", n.p.st.self, "@DIR@", n.dir, "@PRIORITY@", strconv.Itoa(priority),
		"@VERSION@", strconv.Itoa(n.p.col.version), "@ADVERT@", n.p.col.advert, "@CHECK@", check).Replace(keepalivedConf)
	if n.p.sys.link {
		conf += fmt.Sprintf("pair {\n    peer %s\n    listen %s\n    key %s/key\n    peer_key %s/peer\n}\n", peer, n.addr, n.dir, n.dir)
	}
	return errors.Join(
		os.WriteFile(filepath.Join(n.dir, "haproxy.cfg"), []byte(haproxyConf), 0o644),
		os.WriteFile(filepath.Join(n.dir, "keepalived.conf"), []byte(conf), 0o644),
		n.flag(false),
	)
}

// flag makes the node's check script fail, or succeed again.
func (n *node) flag(bad bool) error {
	if bad {
		return os.WriteFile(filepath.Join(n.dir, "bad"), nil, 0o644)
	}
	return os.RemoveAll(filepath.Join(n.dir, "bad"))
}

// exchangeKeys does what `baton pair init` and `baton pair join` do.
func (p *pair) exchangeKeys() error {
	if !p.sys.link {
		return nil
	}
	nodes := []*node{p.a, p.b}
	for i, n := range nodes {
		id, _, err := link.Create(filepath.Join(n.dir, "key"))
		if err != nil {
			return err
		}
		if err := link.SavePeer(filepath.Join(nodes[1-i].dir, "peer"), link.Peer{ID: id.ID, Node: n.name}); err != nil {
			return err
		}
	}
	return nil
}

func (n *node) socket() string { return filepath.Join(n.dir, "baton.sock") }

// start starts the node's processes, those that do not run.
func (n *node) start() error {
	if n.p.sys.baton {
		return n.launch("baton", n.p.st.baton, "run", "-f", "haproxy.cfg", "-f", "keepalived.conf", "--node", n.name, "--socket", n.socket())
	}
	if !n.running("keepalived") {
		// A killed one leaves its pid files, and believes them when the number lives on.
		for _, name := range []string{"keepalived.pid", "vrrp.pid"} {
			if err := os.RemoveAll(filepath.Join(n.dir, name)); err != nil {
				return err
			}
		}
	}
	return errors.Join(
		n.launch("haproxy", "haproxy", "-db", "-f", "haproxy.cfg"),
		n.launch("keepalived", "keepalived", "-n", "-l", "-P", "-f", "keepalived.conf", "-p", filepath.Join(n.dir, "keepalived.pid"), "-r", filepath.Join(n.dir, "vrrp.pid")),
	)
}

// launch starts a program in a process group of its own.
//
// The main goroutine does it, which is locked to its thread: the kernel ends a child
// with the thread that started it.
func (n *node) launch(name string, argv ...string) error {
	if n.running(name) {
		return nil
	}
	n.procs = slices.DeleteFunc(n.procs, func(p *proc) bool { return p.name == name })
	log, err := os.OpenFile(filepath.Join(n.dir, name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := n.p.st.command(n.name, argv...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s on %s: %w", name, n.name, err)
	}
	p := &proc{name: name, cmd: cmd, done: make(chan struct{})}
	go func() {
		_ = cmd.Wait()
		close(p.done)
	}()
	n.procs = append(n.procs, p)
	return nil
}

func (n *node) running(name string) bool {
	return slices.ContainsFunc(n.procs, func(p *proc) bool {
		select {
		case <-p.done:
			return false
		default:
			return p.name == name
		}
	})
}

// signal sends a signal to all processes of the node, or of one of its programs.
func (n *node) signal(sig syscall.Signal, only string) error {
	var errs []error
	for _, p := range n.procs {
		if n.running(p.name) && cmp.Or(only, p.name) == p.name {
			errs = append(errs, sys.SignalGroup(p.cmd.Process.Pid, sig))
		}
	}
	return errors.Join(errs...)
}

// gone waits until the node's processes have ended.
func (n *node) gone() error {
	for _, p := range n.procs {
		select {
		case <-p.done:
		case <-time.After(patience):
			return fmt.Errorf("%s does not end on %s", p.name, n.name)
		}
	}
	n.procs = nil
	return nil
}

// end kills both nodes and takes away what they leave. It may be called twice, and on nil.
func (p *pair) end() {
	if p == nil {
		return
	}
	for _, n := range []*node{p.a, p.b} {
		_ = n.signal(syscall.SIGKILL, "")
		_ = n.gone()
		_ = p.st.net.Port(n.name, true)
		_ = bridge.IP("-n", p.st.net.NS(n.name), "addr", "del", vip+"/24", "dev", "eth0") // if it is there
	}
	_ = p.st.isolate(false)
}

// await waits for something that nothing signals.
func (p *pair) await(what string, cond func() bool) error {
	for deadline := time.Now().Add(patience); !cond(); {
		if time.Now().After(deadline) {
			return fmt.Errorf("never happened: %s\n%s", what, p.logs())
		}
		time.Sleep(time.Millisecond)
	}
	return nil
}

// settledOn is true when the client is served by a node and believes it to have the address.
func (p *pair) settledOn(n *node) func() bool {
	return func() bool {
		return p.st.kernels.holds(n.name) && p.st.client.served(time.Now(), 50*time.Millisecond) && p.st.kernels.believed() == n.name
	}
}

// logs is the end of what the nodes said.
func (p *pair) logs() string {
	var b strings.Builder
	for _, n := range []*node{p.a, p.b} {
		for _, proc := range n.procs {
			text, _ := os.ReadFile(filepath.Join(n.dir, proc.name+".log")) // none is none
			lines := strings.Split(strings.TrimSpace(string(text)), "\n")
			fmt.Fprintf(&b, "%s on %s:\n    %s\n", proc.name, n.name, strings.Join(lines[max(0, len(lines)-6):], "\n    "))
		}
	}
	return b.String()
}
