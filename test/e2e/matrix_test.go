package e2e

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"baton/internal/nettest"
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
// happens to pairs: an orderly stop, a return with preemption, a sudden death. Both
// kernels must say who holds the address, and the client's neighbour entry too.
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
					playMatrix(t, w, first == "baton")
				})
			}
		}
	}
}

func playMatrix(t *testing.T, w wire, batonFirst bool) {
	sw := nettest.NewSwitch(t)
	lb1, lb2 := newNode(t, sw, "lb1", "10.77.0.11/24"), newNode(t, sw, "lb2", "10.77.0.12/24")
	client := sw.Host("client", "10.77.0.50/24")
	lb1.IP("addr", "add", "fe80::77:11/64", "dev", "eth0", "scope", "link", "nodad")
	lb2.IP("addr", "add", "fe80::77:12/64", "dev", "eth0", "scope", "link", "nodad")
	lb1.IP("addr", "add", "2001:db8:77::11/64", "dev", "eth0", "nodad")
	lb2.IP("addr", "add", "2001:db8:77::12/64", "dev", "eth0", "nodad")
	client.IP("addr", "add", "2001:db8:77::50/64", "dev", "eth0", "nodad")
	conf1, conf2 := w.conf(150, "11", "12"), w.conf(100, "12", "11")
	lb1.write("baton.conf", conf1)
	lb2.write("baton.conf", conf2)
	start1 := func() { lb1.keepalived(conf1) }
	if batonFirst {
		start1 = func() { lb1.run("-f", "baton.conf") }
		lb2.keepalived(conf2)
	} else {
		lb2.run("-f", "baton.conf")
	}
	holds := func(owner *node, others ...*node) {
		t.Helper()
		onlyOn(t, w.vip(), owner, others...)
		awaitNeighbour(t, client, w.vip(), owner)
	}
	start1()
	holds(lb1, lb2)

	if err := lb1.proc.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	lb1.wait()
	holds(lb2, lb1)

	start1()
	holds(lb1, lb2)

	if batonFirst {
		lb1.kill()
		holds(lb2, lb1) // the lease
		return
	}
	if err := syscall.Kill(-lb1.proc.cmd.Process.Pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	lb1.wait()
	holds(lb2) // nobody takes it from the dead keepalived's kernel
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
