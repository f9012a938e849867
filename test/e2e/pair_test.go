package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"baton/pair/link"
)

// linked makes the pair know each other and adds the link to their files. The
// link has addresses of its own, so that its path alone can be cut.
func (p *pair) linked(more string) {
	p.lb1.t.Helper()
	p.configure(more)
	p.lb1.IP("addr", "add", "10.78.0.11/24", "dev", "eth0")
	p.lb2.IP("addr", "add", "10.78.0.12/24", "dev", "eth0")
	ids := map[*node]*link.Identity{}
	for _, n := range []*node{p.lb1, p.lb2} {
		id, _, err := link.Create(filepath.Join(n.dir, "key"))
		if err != nil {
			n.t.Fatal(err)
		}
		ids[n] = id
	}
	p.join(p.lb1, p.lb2, "10.78.0.11", "10.78.0.12", ids[p.lb2])
	p.join(p.lb2, p.lb1, "10.78.0.12", "10.78.0.11", ids[p.lb1])
}

func (p *pair) join(n, other *node, here, there string, id *link.Identity) {
	n.t.Helper()
	if err := link.SavePeer(filepath.Join(n.dir, "peer"), link.Peer{ID: id.ID, Node: other.Name}); err != nil {
		n.t.Fatal(err)
	}
	conf, err := os.ReadFile(filepath.Join(n.dir, "keepalived.conf"))
	if err != nil {
		n.t.Fatal(err)
	}
	name := "lb1"
	if n == p.lb2 {
		name = "lb2"
	}
	n.write("keepalived.conf", fmt.Sprintf(`
global_defs {
    router_id %s
}
pair {
    peer %s
    listen %s
    key %s/key
    peer_key %s/peer
}
%s`, name, there, here, n.dir, n.dir, conf))
}

// runLinked starts both nodes, lb1 as master, and waits until they know all of
// each other.
func (p *pair) runLinked(t *testing.T) {
	t.Helper()
	p.lb1.run(bothFiles...)
	p.lb2.run(bothFiles...)
	onlyOn(t, vip, p.lb1, p.lb2)
	awaitStatus(p.lb1, "pair link to lb2", "BACKUP with priority 102, ready to take over")
	awaitStatus(p.lb2, "pair link to lb1", "MASTER with priority 103, holds the addresses", "master heard  10.77.0.11")
	awaitPage(t, p.client, page, "web1", "web2")
}

func awaitStatus(n *node, parts ...string) {
	n.t.Helper()
	last := ""
	await(n.t, fmt.Sprintf("%s: %q", n.Name, parts), func() bool {
		last = n.status()
		for _, part := range parts {
			if !strings.Contains(last, part) {
				return false
			}
		}
		return true
	})
}

func awaitLog(n *node, part string) {
	n.t.Helper()
	await(n.t, n.Name+" logs "+part, func() bool { return strings.Contains(n.proc.log.String(), part) })
}

// does runs a verb that must succeed and returns what it said.
func (n *node) does(args ...string) string {
	n.t.Helper()
	args = append(args, "--socket", n.socket())
	out, err := n.command(args...).CombinedOutput()
	if err != nil {
		n.t.Fatalf("baton %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

func (n *node) refuses(args ...string) string {
	n.t.Helper()
	return n.fails(append(args, "--socket", n.socket())...)
}

// stream asks for the page all the time and remembers the longest gap between two
// answers, and how many requests failed. It measures, and judges nothing.
type stream struct {
	longest, failed, answered atomic.Int64
	stop                      chan struct{}
	done                      chan struct{}
}

func (p *pair) stream() *stream {
	s := &stream{stop: make(chan struct{}), done: make(chan struct{})}
	go func() {
		defer close(s.done)
		last := time.Now()
		for {
			select {
			case <-s.stop:
				return
			case <-time.After(time.Millisecond):
			}
			if _, err := getWithin(p.client, page, 50*time.Millisecond); err != nil {
				s.failed.Add(1)
				continue
			}
			s.answered.Add(1)
			if gap := int64(time.Since(last)); gap > s.longest.Load() {
				s.longest.Store(gap)
			}
			last = time.Now()
		}
	}()
	s.await(p.lb1.t, 20)
	return s
}

func (s *stream) end(t *testing.T, what string) {
	t.Helper()
	s.await(t, s.answered.Load()+50)
	close(s.stop)
	<-s.done
	t.Logf("%s: longest gap %v, %d answered, %d failed", what, time.Duration(s.longest.Load()).Round(100*time.Microsecond), s.answered.Load(), s.failed.Load())
}

func (s *stream) await(t *testing.T, answers int64) {
	t.Helper()
	await(t, "requests are answered", func() bool { return s.answered.Load() >= answers })
}

func TestLinkTellsOfADeadProcess(t *testing.T) {
	p := newPair(t)
	p.linked("")
	p.runLinked(t)
	s := p.stream()
	p.lb1.kill()
	awaitLog(p.lb2, "MASTER: the master's process is gone")
	awaitPage(t, p.client, page, "web1", "web2")
	s.end(t, "SIGKILL")
	onlyOn(t, vip, p.lb2, p.lb1)
	mustContain(t, p.lb2.status(), "the pair link is down: the peer's process is gone")

	// Back again: it takes over by VRRP, as without the link.
	p.lb1.run(bothFiles...)
	onlyOn(t, vip, p.lb1, p.lb2)
	awaitStatus(p.lb2, "pair link to lb1 (10.78.0.11:1112, baton e2e): up")
}

func TestLinkedStopLeavesNoGap(t *testing.T) {
	p := newPair(t)
	p.linked("")
	p.runLinked(t)
	s := p.stream()
	if code := p.lb1.stop(); code != 0 {
		t.Errorf("exit status %d", code)
	}
	onlyOn(t, vip, p.lb2, p.lb1)
	awaitPage(t, p.client, page, "web1", "web2")
	s.end(t, "SIGTERM")
	mustContain(t, p.lb1.proc.log.String(), "BACKUP: handed over")
	mustContain(t, p.lb2.proc.log.String(), "MASTER: the master handed over", "pair link down: the peer stopped in order")
	s = p.stream()
	p.lb1.run(bothFiles...)
	onlyOn(t, vip, p.lb1, p.lb2)
	s.end(t, "start, with preemption")
}

func TestHandover(t *testing.T) {
	p := newPair(t)
	p.linked("")
	p.runLinked(t)
	mustContain(t, p.lb2.refuses("handover"), "no instance is MASTER here")
	mustContain(t, p.lb1.refuses("handover", "VI_2"), "there is no instance VI_2")

	s := p.stream()
	mustContain(t, p.lb1.does("handover"), "VI_1: handed over to lb2")
	onlyOn(t, vip, p.lb2, p.lb1)
	s.end(t, "handover")
	// It is the better node, and leaves the address there all the same.
	awaitStatus(p.lb2, "VI_1 there  BACKUP with priority 103, ready to take over")
	s = p.stream()
	mustContain(t, p.lb2.does("handover", "VI_1"), "VI_1: handed over to lb1")
	onlyOn(t, vip, p.lb1, p.lb2)
	s.end(t, "handover back")

	// The other node has no way to the web servers: it says so, and is not asked.
	awaitStatus(p.lb1, "BACKUP with priority 102, ready")
	p.lb2.IP("route", "add", "unreachable", "10.77.0.21/32")
	p.lb2.IP("route", "add", "unreachable", "10.77.0.22/32")
	awaitStatus(p.lb1, "backend app: 2 of 2 servers usable here, 0 of 2 on lb2, where web1 is down")
	mustContain(t, p.lb1.refuses("handover"), "lb2 is not ready: backend app has no usable server there")
	onlyOn(t, vip, p.lb1, p.lb2)
	mustContain(t, p.lb1.does("handover", "--force"), "VI_1: handed over to lb2")
	onlyOn(t, vip, p.lb2, p.lb1)
}

func TestMaintenance(t *testing.T) {
	p := newPair(t)
	p.linked("")
	p.runLinked(t)
	mustContain(t, p.lb1.does("maintenance", "on"), "VI_1: handed over to lb2", "maintenance is on")
	onlyOn(t, vip, p.lb2, p.lb1)
	awaitStatus(p.lb1, "this node is in maintenance", "FAULT")
	awaitStatus(p.lb2, "in maintenance", "VI_1 there  FAULT with priority 103")
	mustContain(t, p.lb2.refuses("handover"), "lb1 is not ready: it is in")
	mustContain(t, p.lb2.refuses("maintenance", "on"), "lb1 is not ready", "maintenance stays off")

	// It holds over a restart, from the first moment on.
	p.lb1.stop()
	p.lb1.run(bothFiles...)
	awaitStatus(p.lb1, "this node is in maintenance since ", "FAULT since")
	if log := p.lb1.proc.log.String(); strings.Contains(log, "BACKUP: ") || strings.Contains(log, "MASTER: ") {
		t.Errorf("it took part in an election after the restart:\n%s", log)
	}
	mustContain(t, p.lb1.does("maintenance", "off"), "maintenance is off")
	onlyOn(t, vip, p.lb1, p.lb2) // by VRRP: it is the better node
	mustContain(t, p.lb2.does("maintenance", "on"), "maintenance is on")
	p.lb2.does("maintenance", "off")
}

// A probe of weight 0 fails: the master's word comes by the link before the skew
// time of its resignation is over.
func TestLinkTellsOfAFault(t *testing.T) {
	p := newPair(t)
	p.linked("track_backend app { min_servers 1 }")
	p.runLinked(t)
	s := p.stream()
	p.lb1.IP("route", "add", "unreachable", "10.77.0.21/32")
	p.lb1.IP("route", "add", "unreachable", "10.77.0.22/32")
	onlyOn(t, vip, p.lb2, p.lb1)
	awaitPage(t, p.client, page, "web1", "web2")
	s.end(t, "fault (the checks' time to notice is part of it)")
	mustContain(t, p.lb2.proc.log.String(), "MASTER: the master resigned")
}

// The path of the link is cut, VRRP's is not: nothing moves, the link comes back.
func TestCutLinkMovesNothing(t *testing.T) {
	p := newPair(t)
	p.linked("")
	p.runLinked(t)
	p.lb1.IP("route", "add", "blackhole", "10.78.0.12/32")
	awaitStatus(p.lb1, "the pair link is down: nothing is heard from the peer")
	awaitStatus(p.lb2, "the pair link is down: nothing is heard from the peer")
	mustContain(t, p.lb1.refuses("handover"), "the pair link is down", "--force")
	p.lb1.IP("route", "del", "blackhole", "10.78.0.12/32")
	awaitStatus(p.lb1, "pair link to lb2 (10.78.0.12:1112, baton e2e): up")
	awaitStatus(p.lb2, "pair link to lb1 (10.78.0.11:1112, baton e2e): up")
	stayed(t, p)
}

// stayed checks that lb1 was master all the time and lb2 was not at any.
func stayed(t *testing.T, p *pair) {
	t.Helper()
	if !p.lb1.addresses.holds(vip) || p.lb2.addresses.holds(vip) {
		t.Error("the address has moved")
	}
	if n := strings.Count(p.lb2.proc.log.String(), "MASTER:"); n != 0 {
		t.Errorf("lb2 became master %d times:\n%s", n, p.lb2.proc.log)
	}
}

// A node that is stopped is silent, and so is its kernel: VRRP decides, and the
// one that comes back begins as BACKUP.
func TestFrozenPeerIsNotDead(t *testing.T) {
	p := newPair(t)
	p.linked("")
	p.runLinked(t)
	if err := p.lb1.proc.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	onlyOn(t, vip, p.lb2, p.lb1)
	if strings.Contains(p.lb2.proc.log.String(), "process is gone") {
		t.Errorf("taken for dead:\n%s", p.lb2.proc.log)
	}
	if err := p.lb1.proc.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	onlyOn(t, vip, p.lb1, p.lb2)
	awaitStatus(p.lb1, "pair link to lb2 (10.78.0.12:1112, baton e2e): up")
}

// nft loads a rule into a node's namespace.
func (n *node) nft(rule string) {
	n.t.Helper()
	nft, err := exec.LookPath("nft")
	if err != nil {
		n.t.Skip("needs the program nft (Debian: apt-get install nftables)")
	}
	n.Output(nft, "add", "table", "ip", "forger")
	n.Output(nft, "add", "chain", "ip", "forger", "in", "{ type filter hook input priority 0; }")
	n.Output(nft, strings.Fields("add rule ip forger in "+rule)...)
}

// Somebody answers in the master's name with RST, to the link and to the question
// that follows: the backup makes one short election, which the master wins.
func TestForgedResetsMoveNothing(t *testing.T) {
	for _, nopreempt := range []bool{false, true} {
		t.Run(fmt.Sprintf("nopreempt %v", nopreempt), func(t *testing.T) {
			p := newPair(t)
			p.linked("")
			master, backup := p.lb1, p.lb2
			if nopreempt { // the better node is the backup
				for _, n := range []*node{p.lb1, p.lb2} {
					conf, _ := os.ReadFile(filepath.Join(n.dir, "keepalived.conf"))
					n.write("keepalived.conf", strings.Replace(strings.Replace(string(conf), "state MASTER", "state BACKUP", 1), "advert_int 1", "advert_int 1\n    nopreempt", 1))
				}
			}
			p.runLinked(t)
			if nopreempt {
				p.lb1.does("handover")
				onlyOn(t, vip, p.lb2, p.lb1)
				master, backup = p.lb2, p.lb1
				awaitStatus(master, "BACKUP with priority 103, ready")
			}
			before := strings.Count(master.proc.log.String(), "BACKUP:")
			s := p.stream()
			master.nft("tcp dport 1112 reject with tcp reset")
			master.nft("tcp sport 1112 reject with tcp reset")
			awaitLog(backup, "MASTER: the master's process is gone")
			awaitLog(backup, "BACKUP: the master that was thought dead is alive")
			backup.addresses.await(vip, false)
			onlyOn(t, vip, master, backup)
			awaitPage(t, p.client, page, "web1", "web2")
			s.end(t, "forged RST")
			if n := strings.Count(master.proc.log.String(), "BACKUP:"); n != before {
				t.Errorf("the master gave way:\n%s", master.proc.log)
			}
			if n := strings.Count(backup.proc.log.String(), "process is gone\""); n > 2 {
				t.Errorf("%d elections", n)
			}
		})
	}
}

// Both start at once: who wins is known, nobody waits for the master-down interval.
func TestLinkedColdStart(t *testing.T) {
	p := newPair(t)
	p.linked("")
	began := time.Now()
	p.lb2.run(bothFiles...)
	p.lb1.run(bothFiles...)
	p.lb1.addresses.await(vip, true)
	t.Logf("the address is up %v after the first of the two was started", time.Since(began).Round(time.Millisecond))
	awaitLog(p.lb1, "MASTER: there is no master, and the peer ranks lower")
	onlyOn(t, vip, p.lb1, p.lb2)
}

// A pair block, and keepalived on the other side: plain VRRP.
func TestLinkWithoutAPeer(t *testing.T) {
	p := newPair(t)
	p.linked("")
	p.lb2.keepalived(peerConf("BACKUP", "100"))
	p.lb1.run(bothFiles...)
	onlyOn(t, vip, p.lb1, p.lb2)
	mustContain(t, p.lb1.refuses("handover"), "the pair link is down")
	mustContain(t, p.lb1.does("handover", "--force"), "let go by priority 0")
	onlyOn(t, vip, p.lb2, p.lb1)
}

func TestPairing(t *testing.T) {
	p := newPair(t)
	keys := func(n *node) []string {
		return []string{"--key", filepath.Join(n.dir, "pair", "key"), "--peer-key", filepath.Join(n.dir, "pair", "peer"), "--name", n.Name[len(n.Name)-3:]}
	}
	mustContain(t, p.lb1.fails(append([]string{"pair", "init"}, keys(p.lb1)...)...), "--listen ADDRESS", "10.77.0.11")
	offer := p.lb1.launch(p.lb1.command(append([]string{"pair", "init", "--listen", "10.77.0.11"}, keys(p.lb1)...)...))
	line := ""
	await(t, "the line", func() bool {
		for l := range strings.Lines(offer.log.String()) {
			if rest, ok := strings.CutPrefix(strings.TrimSpace(l), "baton pair join "); ok {
				line = rest
			}
		}
		return line != ""
	})
	out, err := p.lb2.command(append([]string{"pair", "join", line}, keys(p.lb2)...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("join: %v\n%s", err, out)
	}
	mustContain(t, string(out), "paired with lb1")
	if code := p.lb1.wait(); code != 0 {
		t.Errorf("init ends with %d:\n%s", code, offer.log)
	}
	mustContain(t, offer.log.String(), "paired with lb2")
	// The line is good for one use.
	mustContain(t, p.lb2.fails(append([]string{"pair", "join", line}, keys(p.lb2)...)...), "still waiting there")
	one, err1 := link.LoadPeer(filepath.Join(p.lb1.dir, "pair", "peer"))
	id, err2 := link.Load(filepath.Join(p.lb2.dir, "pair", "key"))
	if err1 != nil || err2 != nil || one.ID != id.ID {
		t.Errorf("lb1 has pinned %v, lb2 has %v (%v, %v)", one, id, err1, err2)
	}
}

// A sync group goes to the other node as one, by handover and by death.
func TestLinkMovesASyncGroup(t *testing.T) {
	const vip2 = "10.77.0.101"
	p := newPair(t)
	p.linked(`}
vrrp_instance VI_2 {
    state BACKUP
    interface eth0
    virtual_router_id 52
    priority 100
    virtual_ipaddress {
        10.77.0.101/24
    }
}
vrrp_sync_group G {
    group {
        VI_1
        VI_2
    }`)
	p.lb1.run(bothFiles...)
	p.lb2.run(bothFiles...)
	onlyOn(t, vip, p.lb1, p.lb2)
	onlyOn(t, vip2, p.lb1, p.lb2)
	awaitStatus(p.lb1, "VI_2 there  BACKUP", "VI_1 there  BACKUP")
	mustContain(t, p.lb1.does("handover", "VI_2"), "VI_1: handed over to lb2", "VI_2: handed over to lb2")
	onlyOn(t, vip, p.lb2, p.lb1)
	onlyOn(t, vip2, p.lb2, p.lb1)
	p.lb2.kill()
	awaitLog(p.lb1, "VI_1: MASTER: ")
	awaitLog(p.lb1, "MASTER: the master's process is gone")
	onlyOn(t, vip, p.lb1, p.lb2)
	onlyOn(t, vip2, p.lb1, p.lb2)
}
