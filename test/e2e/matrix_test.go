package e2e

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"baton/internal/nettest"
	"baton/vrrp/packet"
)

// wire is a way in which adverts travel.
type wire struct {
	name     string
	version  int
	interval string
	ipv6     bool
	unicast  bool
}

func (w wire) vip() string {
	if w.ipv6 {
		return "2001:db8:77::100"
	}
	return vip
}

// conf is a vrrp_instance that both daemons read. last is the last part of the
// node's own address, peer of the other's.
func (w wire) conf(priority int, last, peer string) string {
	conf := fmt.Sprintf(`
global_defs {
    script_user root
}
vrrp_instance VI_1 {
    interface eth0
    virtual_router_id 51
    priority %d
    version %d
    advert_int %s
`, priority, w.version, w.interval)
	network, addresses := "10.77.0.", vip+"/24"
	if w.ipv6 {
		network, addresses = "fe80::77:", "fe80::77:100/64\n        2001:db8:77::100/64"
	}
	if w.unicast {
		conf += "    unicast_src_ip " + network + last + "\n    unicast_peer {\n        " + network + peer + "\n    }\n"
	}
	return conf + "    virtual_ipaddress {\n        " + addresses + "\n    }\n}\n"
}

// TestMatrix puts a baton and a keepalived, either in either role, through what
// happens to pairs. Both kernels must say who holds the address, the client's neighbour
// entry too, and the client must get there. An orderly stop, a return with preemption
// and a sudden death are always played; with BATON_MATRIX=1 (`make matrix`) everything,
// and tshark reads all adverts.
func TestMatrix(t *testing.T) {
	nettest.Require(t)
	for _, w := range []wire{
		{name: "v2", version: 2, interval: "1"},
		{name: "v3", version: 3, interval: "0.1"},
		{name: "v3 ipv6", version: 3, interval: "0.1", ipv6: true},
	} {
		for _, w.unicast = range []bool{false, true} {
			for _, first := range []string{"baton", "keepalived"} {
				cast := map[bool]string{false: "multicast", true: "unicast"}[w.unicast]
				t.Run(fmt.Sprintf("%s %s %s has priority", w.name, cast, first), func(t *testing.T) {
					t.Parallel()
					m := newMatrixPair(t, w, first == "baton")
					m.orderly(t)
					if os.Getenv("BATON_MATRIX") == "" {
						m.death(t)
						return
					}
					adverts := dump(t, m.lb2)
					t.Run("script fails", m.scriptFails)
					t.Run("SIGSTOP", m.standStill)
					t.Run("link down", m.linkDown)
					t.Run("partition", m.partition)
					t.Run("SIGKILL", m.death)
					t.Run("return with nopreempt", m.comesBack)
					checkAdverts(t, adverts, w)
				})
			}
		}
	}
}

// matrixPair is a pair of which lb1 has the higher priority. One node is a keepalived.
type matrixPair struct {
	wire
	sw       *nettest.Switch
	lb1, lb2 *node
	client   *nettest.Host
	baton1   bool // lb1 is the baton
}

func newMatrixPair(t *testing.T, w wire, batonFirst bool) *matrixPair {
	sw := nettest.NewSwitch(t)
	m := &matrixPair{wire: w, sw: sw, baton1: batonFirst}
	m.lb1, m.lb2 = newNode(t, sw, "lb1", "10.77.0.11/24"), newNode(t, sw, "lb2", "10.77.0.12/24")
	m.client = sw.Host("client", "10.77.0.50/24")
	m.lb1.IP("addr", "add", "fe80::77:11/64", "dev", "eth0", "scope", "link", "nodad")
	m.lb2.IP("addr", "add", "fe80::77:12/64", "dev", "eth0", "scope", "link", "nodad")
	m.lb1.IP("addr", "add", "2001:db8:77::11/64", "dev", "eth0", "nodad")
	m.lb2.IP("addr", "add", "2001:db8:77::12/64", "dev", "eth0", "nodad")
	m.client.IP("addr", "add", "2001:db8:77::50/64", "dev", "eth0", "nodad")
	m.start(m.lb2, !batonFirst, m.conf(100, "12", "11"))
	m.start(m.lb1, batonFirst, m.better(""))
	m.holds(t, m.lb1, m.lb2)
	return m
}

func (m *matrixPair) start(n *node, baton bool, conf string) {
	if !baton {
		n.keepalived(conf)
		return
	}
	n.write("baton.conf", conf)
	n.run("-f", "baton.conf")
}

// better is lb1's configuration, with more lines for the instance.
func (m *matrixPair) better(more string) string {
	return strings.Replace(m.conf(150, "11", "12"), "vrrp_instance VI_1 {", fmt.Sprintf(`
vrrp_script ok {
    script "/usr/bin/test ! -e %s/bad"
    interval 1
    fall 1
    rise 1
}
vrrp_instance VI_1 {
    track_script {
        ok
    }
    %s`, m.lb1.dir, more), 1)
}

// conf has a keepalived that loses say so before it leaves, as baton does by default.
func (m *matrixPair) conf(priority int, last, peer string) string {
	return strings.Replace(m.wire.conf(priority, last, peer), "vrrp_instance VI_1 {", "vrrp_instance VI_1 {\n    higher_prio_send_advert", 1)
}

// holds waits until one kernel has the address, and the client knows and gets there. That
// the address came and went meanwhile is no failure: on a busy host a keepalived may be
// silent for three short intervals.
func (m *matrixPair) holds(t *testing.T, owner *node, others ...*node) {
	t.Helper()
	await(t, "only "+owner.Name+" has "+m.vip(), func() bool {
		return owner.addresses.holds(m.vip()) && !slices.ContainsFunc(others, func(o *node) bool { return o.addresses.holds(m.vip()) })
	})
	awaitNeighbour(t, m.client, m.vip(), owner)
	await(t, "the client reaches "+m.vip(), func() (ok bool) {
		m.client.Do(func() {
			_, err := net.DialTimeout("tcp", net.JoinHostPort(m.vip(), "9"), time.Second)
			ok = errors.Is(err, syscall.ECONNREFUSED)
		})
		return ok
	})
}

// signal reaches all processes of the daemon on lb1.
func (m *matrixPair) signal(t *testing.T, sig syscall.Signal) {
	t.Helper()
	pid := m.lb1.proc.cmd.Process.Pid
	if !m.baton1 {
		pid = -pid
	}
	if err := syscall.Kill(pid, sig); err != nil {
		t.Fatal(err)
	}
}

// orderly stops lb1 and lets it return and preempt.
func (m *matrixPair) orderly(t *testing.T) {
	if err := m.lb1.proc.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	m.lb1.wait()
	m.holds(t, m.lb2, m.lb1)
	m.start(m.lb1, m.baton1, m.better(""))
	m.holds(t, m.lb1, m.lb2)
}

func (m *matrixPair) scriptFails(t *testing.T) {
	bad := m.lb1.write("bad", "")
	m.holds(t, m.lb2, m.lb1)
	if err := os.Remove(bad); err != nil {
		t.Fatal(err)
	}
	m.holds(t, m.lb1, m.lb2)
}

// standStill stops lb1's daemon. A keepalived's kernel has the address meanwhile.
func (m *matrixPair) standStill(t *testing.T) {
	m.signal(t, syscall.SIGSTOP)
	if m.baton1 {
		m.holds(t, m.lb2, m.lb1) // the lease
	} else {
		m.holds(t, m.lb2)
	}
	m.signal(t, syscall.SIGCONT)
	m.holds(t, m.lb1, m.lb2)
}

func (m *matrixPair) linkDown(t *testing.T) {
	m.lb1.Unplug()
	m.holds(t, m.lb2, m.lb1)
	m.lb1.Plug()
	m.holds(t, m.lb1, m.lb2)
}

// partition leaves lb1 alone, with its carrier, and heals that.
func (m *matrixPair) partition(t *testing.T) {
	m.sw.IP("link", "set", "dev", "lb1", "nomaster")
	m.holds(t, m.lb2)
	if !m.lb1.addresses.holds(m.vip()) {
		t.Error("lb1 gave its address up although it heard nobody")
	}
	m.sw.IP("link", "set", "dev", "lb1", "master", "br0")
	m.holds(t, m.lb1, m.lb2)
}

// death kills all of lb1's processes.
func (m *matrixPair) death(t *testing.T) {
	m.signal(t, syscall.SIGKILL)
	m.lb1.wait()
	if m.baton1 {
		m.holds(t, m.lb2, m.lb1) // the lease
	} else {
		m.holds(t, m.lb2) // nobody takes it from the dead keepalived's kernel
	}
}

// comesBack starts lb1 again with nopreempt: it leaves the address where it is for as
// long as lb2 lives. Its master-down interval is long: a keepalived that a busy host lets
// starve for three short intervals is no master any more, and rightly so.
func (m *matrixPair) comesBack(t *testing.T) {
	const downAdverts, enough = 12, 14
	wire := m.lb2.Capture("eth0", 3) // what lb2 sends, and what comes
	m.start(m.lb1, m.baton1, m.better(fmt.Sprintf("state BACKUP\n    nopreempt\n    down_timer_adverts %d", downAdverts)))
	await(t, "lb1 is BACKUP", func() bool {
		return strings.Contains(m.lb1.proc.log.String(), "BACKUP") // Entering BACKUP STATE; VI_1: BACKUP
	})
	m.holds(t, m.lb2, m.lb1)
	heard := 0
	wire.Next(func(f []byte) bool {
		priority, ok := advertised(f)
		if ok && priority == 150 {
			t.Error("lb1 preempts")
		}
		if ok && priority == 100 {
			heard++
		}
		return heard == enough
	})
	if err := m.lb2.proc.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	m.lb2.wait()
	m.holds(t, m.lb1, m.lb2)
}

// advertised is the priority in an advert.
func advertised(f []byte) (priority byte, ok bool) {
	const ethernet, ipv6 = 14, 40
	if len(f) > ethernet+ipv6+2 && f[12] == 0x86 && f[ethernet+6] == packet.Protocol {
		return f[ethernet+ipv6+2], true
	}
	if len(f) < ethernet || f[12] != 0x08 {
		return 0, false
	}
	_, payload, r := packet.ParseIPv4(f[ethernet:])
	if r != packet.OK || len(payload) < 3 {
		return 0, false
	}
	return payload[2], true
}

// dump records the adverts on a node's interface to a file.
func dump(t *testing.T, n *node) (recorded func() string) {
	t.Helper()
	for _, program := range []string{"dumpcap", "tshark"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Fatalf("needs %s (Debian: apt-get install tshark)", program)
		}
	}
	file := filepath.Join(n.dir, "adverts.pcap")
	cmd := n.Command("dumpcap", "-q", "-i", "eth0", "-f", "ip proto 112 or ip6 proto 112", "-w", file)
	said := &syncBuffer{}
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	end := sync.OnceFunc(func() {
		_ = cmd.Process.Signal(syscall.SIGINT)
		_ = cmd.Wait()
	})
	t.Cleanup(end)
	await(t, "dumpcap records", func() bool { return strings.Contains(said.String(), "File: ") })
	return func() string { end(); return file }
}

// checkAdverts has tshark read what was recorded of both nodes.
func checkAdverts(t *testing.T, recorded func() string, w wire) {
	t.Helper()
	out, err := exec.Command("tshark", "-n", "-r", recorded(), "-o", "ip.check_checksum:TRUE", "-T", "fields", "-E", "separator= ",
		"-e", "vrrp.version", "-e", "vrrp.virt_rtr_id", "-e", "vrrp.addr_count", "-e", "vrrp.checksum.status", "-e", "vrrp.prio").Output()
	if err != nil {
		t.Fatalf("tshark: %v", err)
	}
	count := 1
	if w.ipv6 {
		count = 2
	}
	same := fmt.Sprintf("%d 51 %d 1 ", w.version, count) // 1: the checksum is right
	seen := map[string]int{}
	for line := range strings.Lines(string(out)) {
		priority, ok := strings.CutPrefix(strings.TrimSpace(line), same)
		if !ok {
			t.Fatalf("tshark reads %q, want %q and a priority", line, same)
		}
		seen[priority]++
	}
	delete(seen, "0") // resignations
	if len(seen) != 2 || seen["150"] == 0 || seen["100"] == 0 {
		t.Errorf("adverts by priority: %v, want 150 and 100 only", seen)
	}
}

// awaitNeighbour waits until the client believes that the owner has the address. It
// asks only once: the owner's announcement has to tell it of a change.
func awaitNeighbour(t *testing.T, client *nettest.Host, ip string, owner *node) {
	t.Helper()
	hw := hardware(owner)
	entry := func() string { return client.IP("neigh", "show", "to", ip, "dev", "eth0") }
	if !strings.Contains(entry(), "lladdr") {
		client.Do(func() {
			_, err := net.DialTimeout("tcp", net.JoinHostPort(ip, "9"), time.Second)
			if !errors.Is(err, syscall.ECONNREFUSED) {
				t.Logf("the client reaches %s: %v", ip, err)
			}
		})
	}
	await(t, fmt.Sprintf("the client's entry for %s names %s (%s)", ip, owner.Name, hw), func() bool {
		return strings.Contains(entry(), hw)
	})
}

// hardware is the address of a node's eth0.
func hardware(n *node) string {
	return strings.Fields(n.IP("-br", "link", "show", "dev", "eth0"))[2]
}
