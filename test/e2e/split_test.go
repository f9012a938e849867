package e2e

import (
	"bytes"
	"encoding/json"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"baton/internal/nettest"
	"baton/vrrp/packet"
)

// TestSplitWithASecondPath: while a cable of their own connects the nodes, a split of
// the network moves nothing, and status says what is cut.
func TestSplitWithASecondPath(t *testing.T) {
	nettest.Require(t)
	t.Parallel()
	sw := nettest.NewSwitch(t)
	lb1, lb2 := newNode(t, sw, "lb1", "10.77.0.11/24"), newNode(t, sw, "lb2", "10.77.0.12/24")
	lb1.IP("link", "add", "eth1", "type", "veth", "peer", "name", "eth1", "netns", lb2.Name)
	for n, address := range map[*node]string{lb1: "192.0.2.1/24", lb2: "192.0.2.2/24"} {
		n.IP("addr", "add", address, "dev", "eth1")
		n.IP("link", "set", "eth1", "up")
	}
	w := wire{version: 3, interval: "0.2"}
	path := func(conf, peer string) string {
		return strings.Replace(conf, "interface eth0", "interface eth0\n    heartbeat_path {\n        interface eth1\n        unicast_peer {\n            "+peer+"\n        }\n    }", 1)
	}
	lb1.write("baton.conf", path(w.conf(150, "11", "12"), "192.0.2.2"))
	lb2.write("baton.conf", path(w.conf(100, "12", "11"), "192.0.2.1"))
	lb1.run("-f", "baton.conf")
	onlyOn(t, vip, lb1)
	lb2.run("-f", "baton.conf")
	await(t, "lb2 sees the master by both paths", func() bool { return sightings(t, lb2) == "eth0 seen, eth1 seen" })

	sw.IP("link", "set", "dev", "lb1", "nomaster")
	await(t, "lb2 sees the master by eth1 only", func() bool { return sightings(t, lb2) == "eth0 silent, eth1 seen" })
	mustContain(t, lb2.status(), "BACKUP since", "! instance VI_1: the master is not heard by eth0, but by another path")
	onlyOn(t, vip, lb1, lb2)

	lb1.IP("link", "set", "eth1", "down")
	lb2.addresses.await(vip, true)
	lb1.IP("link", "set", "eth1", "up")
	onlyOn(t, vip, lb1, lb2)
	await(t, "lb1 says that the path works again", func() bool {
		return strings.Contains(lb1.proc.log.String(), "heartbeat path eth1 works")
	})

	// The port of the master goes down: it says so by the other path.
	lb1.IP("link", "set", "eth0", "down")
	onlyOn(t, vip, lb2, lb1)
	await(t, "lb2 hears the resignation", func() bool {
		return strings.Contains(lb2.proc.log.String(), "MASTER: the master resigned (10.77.0.11, priority 150)")
	})
}

// sightings is by which paths a node sees the master.
func sightings(t *testing.T, n *node) string {
	t.Helper()
	out, err := n.command("status", "--json", "--socket", n.socket()).Output()
	if err != nil {
		t.Fatalf("%s: baton status --json: %v", n.Name, err)
	}
	var st struct {
		Instances []struct {
			Paths []struct{ Interface, Master string }
		}
	}
	if err := json.Unmarshal(out, &st); err != nil {
		t.Fatal(err)
	}
	var seen []string
	for _, p := range st.Instances[0].Paths {
		seen = append(seen, p.Interface+" "+p.Master)
	}
	return strings.Join(seen, ", ")
}

// halves is what a network can fall into: the better node, which runs, and another one
// with a client.
func halves(t *testing.T, w wire) (sw *nettest.Switch, lb1, lb2 *node, client *nettest.Host) {
	t.Helper()
	sw = nettest.NewSwitch(t)
	lb1, lb2 = newNode(t, sw, "lb1", "10.77.0.11/24"), newNode(t, sw, "lb2", "10.77.0.12/24")
	client = sw.Host("client", "10.77.0.50/24")
	lb1.write("baton.conf", w.conf(150, "11", "12"))
	lb2.write("baton.conf", w.conf(100, "12", "11"))
	lb1.run("-f", "baton.conf")
	onlyOn(t, vip, lb1)
	return sw, lb1, lb2, client
}

// TestHeal cuts the better node off and lets it back in, at different phases of the
// adverts. The client stays on the other side and believes the other node meanwhile.
// After each heal one node has the address and the client knows which. A baton that
// loses has announced nothing, and the other one has, not later than with its second
// advert. A keepalived may take its time on a busy host.
func TestHeal(t *testing.T) {
	nettest.Require(t)
	for _, loser := range []string{"baton", "keepalived"} {
		t.Run(loser+" loses", func(t *testing.T) {
			t.Parallel()
			w := wire{version: 3, interval: "0.1"}
			sw, lb1, lb2, client := halves(t, w)
			if loser == "baton" {
				lb2.run("-f", "baton.conf")
			} else {
				// Else keepalived leaves without a word, and nobody can know.
				lb2.keepalived(strings.Replace(w.conf(100, "12", "11"), "interface eth0", "interface eth0\n    higher_prio_send_advert", 1))
			}
			awaitNeighbour(t, client, vip, lb1)

			const heals = 8
			for i := range heals {
				sw.IP("link", "set", "dev", "lb1", "nomaster")
				lb2.addresses.await(vip, true)
				awaitNeighbour(t, client, vip, lb2)
				frames := client.Capture("eth0", 3)                             // ETH_P_ALL
				<-time.After(time.Duration(i) * 100 * time.Millisecond / heals) // the phase, nothing is awaited
				sw.IP("link", "set", "dev", "lb1", "master", "br0")
				onlyOn(t, vip, lb1, lb2)
				awaitNeighbour(t, client, vip, lb1)
				checkHeal(t, frames, hardware(lb1), loser == "baton")
			}
		})
	}
}

// TestHealWhileAMasterStandsStill: of two masters the one that clients believe is stopped
// when the network becomes whole, so neither hears of the other. When it goes on it has
// the other one announce itself.
func TestHealWhileAMasterStandsStill(t *testing.T) {
	nettest.Require(t)
	t.Parallel()
	sw, lb1, lb2, client := halves(t, wire{version: 3, interval: "0.1"})
	lb2.run("-f", "baton.conf")
	awaitNeighbour(t, client, vip, lb1)

	sw.IP("link", "set", "dev", "lb1", "nomaster")
	onlyOn(t, vip, lb2)
	awaitNeighbour(t, client, vip, lb2)
	if err := lb2.proc.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	onlyOn(t, vip, lb1, lb2) // the lease
	sw.IP("link", "set", "dev", "lb1", "master", "br0")
	if entry := client.IP("neigh", "show", "to", vip, "dev", "eth0"); !strings.Contains(entry, hardware(lb2)) {
		t.Fatalf("the client has not been misled: %s", entry)
	}
	if err := lb2.proc.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	awaitNeighbour(t, client, vip, lb1)
	onlyOn(t, vip, lb1, lb2)
	mustContain(t, lb1.proc.log.String(), "heard a resignation (10.77.0.12, priority 0)")
}

// checkHeal reads what the client saw of a heal, up to the winner's announcement.
func checkHeal(t *testing.T, frames *nettest.Capture, winner string, prompt bool) {
	t.Helper()
	adverts, loser := 0, 0
	frames.Next(func(f []byte) bool {
		if who, ok := announcement(f); ok && who == winner {
			return true
		} else if ok && adverts > 0 {
			loser++
		}
		if h, _, r := packet.ParseIPv4(f[14:]); r == packet.OK && h.Source.String() == "10.77.0.11" {
			adverts++
		}
		return false
	})
	if prompt && adverts > 2 {
		t.Errorf("the winner announced itself after %d adverts, want 2 at most", adverts)
	}
	if prompt && loser > 0 {
		t.Errorf("the loser announced itself %d times after it was beaten", loser)
	}
}

// announcement is who claims the address by gratuitous ARP.
func announcement(f []byte) (who string, ok bool) {
	if len(f) < 42 || f[12] != 0x08 || f[13] != 0x06 || !bytes.Equal(f[28:32], f[38:42]) {
		return "", false
	}
	return net.HardwareAddr(f[22:28]).String(), netip.AddrFrom4([4]byte(f[28:32])).String() == vip
}
