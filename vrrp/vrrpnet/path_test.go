package vrrpnet

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"baton/internal/nettest"
	"baton/vrrp"
	"baton/vrrp/packet"
)

// cable connects eth1 of two hosts. The addresses are in the other order than those
// of eth0: an election must not depend on the path.
func cable(a, b *nettest.Host, of string) {
	a.IP("link", "add", of, "type", "veth", "peer", "name", of, "netns", b.Name)
	for h, last := range map[*nettest.Host]string{a: "9", b: "8"} {
		h.IP("addr", "add", "192.0.2."+last+"/24", "dev", of)
		h.IP("-6", "addr", "add", "fe80::9"+last+"/64", "dev", of, "nodad")
		h.IP("link", "set", of, "up")
	}
}

// links tells the speaker how interfaces really are.
func (r *rig) links(names ...string) {
	r.t.Helper()
	r.host.Do(func() {
		for _, name := range names {
			index, primary := iface(name)
			r.s.Link(name, index, index > 0, primary...)
		}
	})
}

func runPaths(t *testing.T, h *nettest.Host, c vrrp.Config) *rig {
	t.Helper()
	r := newRig(t, h, c)
	r.links("eth0", "eth1")
	r.start()
	return r
}

func viaEth1(priority uint8, peers ...string) vrrp.Config {
	c := config(priority)
	c.Paths = []vrrp.Path{{Interface: "eth1"}}
	for _, p := range peers {
		c.Paths[0].Peers = append(c.Paths[0].Peers, vrrp.Peer{Addr: netip.MustParseAddr(p)})
	}
	return c
}

// sightings is by which interfaces the master is heard.
func (r *rig) sightings() string {
	var seen []string
	for _, p := range r.status().Paths {
		seen = append(seen, p.Interface+" "+p.Sighting.String())
	}
	return strings.Join(seen, ", ")
}

// TestPaths: a backup takes over when its interface's network and the second path are
// silent, not before; what it hears by the second path only is as good.
func TestPaths(t *testing.T) {
	t.Parallel()
	six := viaEth1(150)
	six.Version, six.IPv6, six.AdvertInterval = 3, true, 200*time.Millisecond
	six.Advertised = []netip.Addr{netip.MustParseAddr("fe80::64")}
	for name, c := range map[string]vrrp.Config{"multicast": viaEth1(150), "IPv6": six, "unicast": viaEth1(150, "192.0.2.8", "192.0.2.9")} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ha, hb, sw := hosts(t)
			linkLocal(ha, "fe80::a/64")
			linkLocal(hb, "fe80::b/64")
			cable(ha, hb, "eth1")
			a := runPaths(t, ha, c)
			a.await("VI MASTER")
			lower := c
			lower.Priority = 100
			b := runPaths(t, hb, lower)
			b.await("VI master is ")
			await(t, poll(func() string {
				return map[bool]string{true: "by both"}[b.sightings() == "eth0 seen, eth1 seen"]
			}), "by both")

			sw.IP("link", "set", "dev", "a", "nomaster")
			b.await("VI heartbeat path eth0 is silent, the master is heard by another")
			if s := b.status().State; s != vrrp.Backup {
				t.Errorf("b is %v", s)
			}
			if got := b.sightings(); got != "eth0 silent, eth1 seen" {
				t.Errorf("b sees the master by %s", got)
			}
			sw.IP("link", "set", "dev", "a", "master", "br0")
			b.await("VI the master is heard again by heartbeat path eth0")

			ha.IP("link", "set", "eth1", "down")
			b.await("VI heartbeat path eth1 is silent")
			sw.IP("link", "set", "dev", "a", "nomaster")
			b.await("VI MASTER: no master heard within the master-down interval")
			ha.IP("link", "set", "eth1", "up")
			if c.IPv6 { // it went with the link
				ha.IP("-6", "addr", "replace", "fe80::99/64", "dev", "eth1", "nodad")
			}
			a.links("eth1")
			b.await("VI BACKUP: heard a higher priority")
			if st := a.status(); st.State != vrrp.Master || st.Paths[1].Sent == 0 || st.Paths[1].Problem != "" {
				t.Errorf("a: %+v", st)
			}
		})
	}
}

// TestPathResigns: a master whose interface goes down says so by the other path.
func TestPathResigns(t *testing.T) {
	t.Parallel()
	ha, hb, _ := hosts(t)
	cable(ha, hb, "eth1")
	a := runPaths(t, ha, viaEth1(150))
	a.await("VI MASTER")
	b := runPaths(t, hb, viaEth1(100))
	b.await("VI master is 10.0.0.1 (priority 150)")
	a.s.Link("eth0", 0, false)
	a.await("VI FAULT: no such interface")
	b.await("VI MASTER: the master resigned (10.0.0.1, priority 150)")
}

// TestPathTie: between equal priorities the addresses on eth0 decide, by whichever
// path the adverts come.
func TestPathTie(t *testing.T) {
	t.Parallel()
	ha, hb, sw := hosts(t)
	cable(ha, hb, "eth1")
	sw.IP("link", "set", "dev", "a", "nomaster")
	ha.IP("link", "set", "eth1", "down")
	a, b := runPaths(t, ha, viaEth1(254)), runPaths(t, hb, viaEth1(254))
	a.await("VI MASTER")
	b.await("VI MASTER")
	ha.IP("link", "set", "eth1", "up")
	a.await("VI BACKUP: heard equal priority from a higher address (10.0.0.2, priority 254)")
	if s := b.status().State; s != vrrp.Master {
		t.Errorf("b is %v", s)
	}
}

// TestPathMissing: that a path does not work is said, and is no fault.
func TestPathMissing(t *testing.T) {
	t.Parallel()
	ha, hb, _ := hosts(t)
	a := runPaths(t, ha, viaEth1(254))
	a.await("VI heartbeat path eth1 does not work: no such interface")
	a.await("VI MASTER")
	if p := a.status().Paths[1]; p.Problem != "no such interface" {
		t.Errorf("status: %+v", p)
	}
	ha.IP("link", "add", "eth1", "type", "veth", "peer", "name", "eth1", "netns", hb.Name)
	ha.IP("link", "set", "eth1", "up")
	a.links("eth1")
	a.await("VI heartbeat path eth1 does not work: interface without address to send from")
	ha.IP("addr", "add", "192.0.2.9/24", "dev", "eth1")
	a.links("eth1")
	a.await("VI heartbeat path eth1 works")
}

// TestPathsInOneNetwork: adverts of both paths arrive at both interfaces of the other
// node, and at the other one of their own.
func TestPathsInOneNetwork(t *testing.T) {
	t.Parallel()
	ha, hb, sw := hosts(t)
	cable(ha, hb, "eth1")
	for port, h := range map[string]*nettest.Host{"a1": ha, "b1": hb} {
		h.IP("link", "add", "eth2", "type", "veth", "peer", "name", port, "netns", sw.Name)
		sw.IP("link", "set", "dev", port, "master", "br0", "up")
		h.IP("addr", "add", "198.51.100."+map[string]string{"a1": "2", "b1": "1"}[port]+"/24", "dev", "eth2")
		h.Sysctl("net.ipv4.conf.eth0.accept_local", "1") // else the kernel drops what the node itself has sent
		h.IP("link", "set", "eth2", "up")
	}
	c := config(150)
	c.Paths = []vrrp.Path{{Interface: "eth2"}}
	a := newRig(t, ha, c)
	a.links("eth0", "eth2")
	a.start()
	a.await("VI MASTER")
	a.await("refused: our own, come back")
	c.Priority = 100
	b := newRig(t, hb, c)
	b.links("eth0", "eth2")
	b.start()
	b.await("VI master is 10.0.0.1 (priority 150)")
	await(t, poll(func() string { return map[bool]string{true: "by both"}[b.sightings() == "eth0 seen, eth2 seen"] }), "by both")
	if st := b.status(); st.State != vrrp.Backup || st.Master.String() != "10.0.0.1" {
		t.Errorf("b: %+v", st)
	}
	if st := a.status(); st.State != vrrp.Master || st.Refused[packet.Looped] == 0 {
		t.Errorf("a: %+v", st)
	}
}

// TestPathRefuses: what comes by a path must be from a peer, and a baton's.
func TestPathRefuses(t *testing.T) {
	t.Parallel()
	ha, hb, _ := hosts(t)
	cable(ha, hb, "eth1")
	stranger := config(200)
	stranger.Interface = "eth1"
	s := newRig(t, hb, stranger)
	s.links("eth1")
	s.start()
	s.await("VI MASTER")
	a := runPaths(t, ha, viaEth1(100))
	a.await("VI advert of 192.0.2.8 refused: not from a baton with this heartbeat path")
	a.await("VI MASTER")
	s.stop()

	other := viaEth1(200, "192.0.2.9")
	b := runPaths(t, hb, other)
	b.await("VI MASTER")
	a.await("VI BACKUP")
	a.stop()
	a = runPaths(t, ha, viaEth1(100, "192.0.2.77"))
	a.await("advert of 192.0.2.8 refused: not from a unicast_peer")
}

// TestKeepalivedWithoutPath: keepalived knows nothing of paths and is heard on eth0
// all the same, both ways.
func TestKeepalivedWithoutPath(t *testing.T) {
	t.Parallel()
	ha, hb, _ := hosts(t)
	cable(ha, hb, "eth1")
	k := keepalived(t, hb, config(100))
	await(t, k.lines, "(VI) Entering MASTER STATE")
	a := runPaths(t, ha, viaEth1(150))
	a.await("VI MASTER: the master's priority is lower (10.0.0.2, priority 100)")
	await(t, k.lines, "(VI) Entering BACKUP STATE")
	a.stop()
	await(t, k.lines, "(VI) Entering MASTER STATE")
	a = runPaths(t, ha, viaEth1(50))
	a.await("VI heartbeat path eth1 is silent, the master is heard by another")
	k.killAll(t)
	a.await("VI MASTER: no master heard within the master-down interval")
}

func TestPathsShareNoVRID(t *testing.T) {
	nettest.Require(t)
	a, b := viaEth1(100), config(100)
	b.Name, b.Interface = "other", "eth1"
	both := viaEth1(100)
	both.Name, both.Interface = "other", "eth2"
	for _, second := range []vrrp.Config{b, both} {
		_, err := New(Options{Owner: &fakeOwner{}, Instances: []vrrp.Config{a, second}})
		if err == nil || !strings.Contains(err.Error(), "virtual_router_id 51 on eth1 is ") {
			t.Errorf("%v", err)
		}
	}
}
