package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"

	"baton/bench/internal/bridge"
)

// system is what runs on both nodes of a pair.
type system string

const (
	keepalived system = "keepalived"
	baton      system = "baton"
)

// setup is what both nodes of a pair are told.
type setup struct {
	instances int
	firstID   int // router ID of the first; 250 to an interface
	advert    time.Duration
}

const perInterface = 250

// pair is two nodes; the first has the higher priority.
type pair struct {
	st    *stage
	sys   system
	set   setup
	names [2]string
	procs [2][]*exec.Cmd
}

const patience = 60 * time.Second // for what should come within seconds; measures nothing

// await waits for something that nothing signals.
func await(what string, cond func() bool) error {
	for deadline := time.Now().Add(patience); !cond(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			return fmt.Errorf("never happened: %s", what)
		}
	}
	return nil
}

// startPair starts both nodes and waits until the first holds all addresses.
func (st *stage) startPair(sys system, set setup, names [2]string) (*pair, error) {
	p := &pair{st: st, sys: sys, set: set, names: names}
	for i := range names {
		if err := p.startNode(i); err != nil {
			p.end()
			return nil, err
		}
	}
	if err := await(names[0]+" holds all addresses", func() bool { return p.held(0) == set.instances }); err != nil {
		p.end()
		return nil, err
	}
	return p, nil
}

func (p *pair) startNode(i int) error {
	dir, name := p.st.dir, p.names[i]
	vrrp, lb := filepath.Join(dir, name+".conf"), filepath.Join(dir, "haproxy.cfg")
	err := errors.Join(os.WriteFile(vrrp, []byte(p.conf(i)), 0o644), os.WriteFile(lb, []byte(haproxyConf), 0o644))
	if err != nil {
		return err
	}
	commands := map[string][]string{"baton": {p.st.baton, "run", "-f", lb, "-f", vrrp, "--node", name, "--socket", filepath.Join(dir, name+".sock")}}
	if p.sys == keepalived {
		pid := func(s string) string {
			file := filepath.Join(dir, name+"-"+s+".pid")
			_ = os.Remove(file) // a killed keepalived leaves it, and believes it when the number lives on
			return file
		}
		commands = map[string][]string{
			"haproxy":    {"haproxy", "-db", "-f", lb},
			"keepalived": {"keepalived", "-n", "-l", "-P", "-f", vrrp, "-p", pid("keepalived"), "-r", pid("vrrp")},
		}
	}
	for program, argv := range commands {
		cmd, err := p.st.start(name, program, argv...)
		if err != nil {
			return err
		}
		p.procs[i] = append(p.procs[i], cmd)
	}
	return nil
}

// kill ends a node's processes with SIGKILL.
func (p *pair) kill(i int) {
	for _, cmd := range p.procs[i] {
		bridge.End(cmd)
	}
	p.procs[i] = nil
}

// end takes the pair away, and what dead daemons leave.
func (p *pair) end() {
	for i, name := range p.names {
		p.kill(i)
		for eth := range 2 {
			_ = bridge.IP("-n", p.st.net.NS(name), "addr", "flush", "dev", fmt.Sprint("eth", eth), "to", "10.78.0.0/16") // none is none
		}
	}
}

const haproxyConf = `global
    maxconn 4000
defaults
    mode http
    timeout connect 1s
    timeout client 60s
    timeout server 10s
frontend www
    bind *:80
    default_backend web
backend web
    server web1 10.77.0.60:8000
`

// conf is a node's VRRP file.
func (p *pair) conf(i int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "global_defs {\n    router_id %s\n}\n", p.names[i])
	version, priority := 3, 150-50*i
	if p.set.advert >= time.Second {
		version = 2
	}
	for n := range p.set.instances {
		eth := n / perInterface
		fmt.Fprintf(&b, `vrrp_instance V%d {
    state BACKUP
    interface eth%d
    virtual_router_id %d
    priority %d
    version %d
    advert_int %s
    virtual_ipaddress {
        %s/32 dev eth%d
    }
}
`, n, eth, p.set.firstID+n%perInterface, priority, version, strconv.FormatFloat(p.set.advert.Seconds(), 'f', -1, 64), p.vip(n), eth)
	}
	return b.String()
}

// vip is the address of the n-th instance.
func (p *pair) vip(n int) string {
	return fmt.Sprintf("10.78.%d.%d", n/perInterface, p.set.firstID+n%perInterface)
}

// held counts the virtual addresses that a node's kernel has.
func (p *pair) held(i int) int {
	ns, err := netns.GetFromName(p.st.net.NS(p.names[i]))
	if err != nil {
		return -1
	}
	defer ns.Close()
	h, err := netlink.NewHandleAt(ns)
	if err != nil {
		return -1
	}
	defer h.Close()
	list, err := h.AddrList(nil, netlink.FAMILY_V4)
	if err != nil {
		return -1
	}
	n := 0
	for _, a := range list {
		if a.IP[0] == 10 && a.IP[1] == 78 {
			n++
		}
	}
	return n
}
