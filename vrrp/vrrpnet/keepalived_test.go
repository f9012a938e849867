package vrrpnet

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"baton/internal/nettest"
	"baton/vrrp"
	"baton/vrrp/packet"

	"github.com/google/go-cmp/cmp"
)

// keepalived starts keepalived on the host with one instance like c.
func keepalived(t *testing.T, host *nettest.Host, c vrrp.Config) *process {
	t.Helper()
	program, err := exec.LookPath("keepalived")
	if err != nil {
		if program, err = exec.LookPath("/usr/sbin/keepalived"); err != nil {
			t.Skip("needs keepalived (Debian: apt-get install keepalived)")
		}
	}
	conf := fmt.Sprintf("global_defs {\n script_user root\n}\nvrrp_instance VI {\n interface eth0\n virtual_router_id %d\n priority %d\n advert_int %g\n",
		c.VRID, c.Priority, c.AdvertInterval.Seconds())
	if c.Version == 3 {
		conf += " version 3\n"
	}
	if c.Source.IsValid() {
		conf += fmt.Sprintf(" mcast_src_ip %v\n", c.Source)
	}
	if c.Unicast() {
		conf += " unicast_peer {\n"
		for _, p := range c.Peers {
			conf += fmt.Sprintf("  %v\n", p.Addr)
		}
		conf += " }\n"
	}
	if c.NoPreempt {
		conf += " nopreempt\n"
	}
	if c.Auth.Type == packet.AuthSimple {
		conf += fmt.Sprintf(" authentication {\n  auth_type PASS\n  auth_pass %s\n }\n", strings.TrimRight(string(c.Auth.Data[:]), "\x00"))
	}
	conf += " virtual_ipaddress {\n"
	for _, a := range c.Advertised {
		conf += fmt.Sprintf("  %v\n", a)
	}
	conf += " }\n}\n"
	dir := t.TempDir()
	file := filepath.Join(dir, "keepalived.conf")
	if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := host.Command(program, "-n", "-l", "-D", "-P", "-f", file,
		"-p", filepath.Join(dir, "k.pid"), "-r", filepath.Join(dir, "v.pid"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	p := start(t, cmd)
	t.Cleanup(func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
	return p
}

// killAll kills keepalived and its VRRP process.
func (p *process) killAll(t *testing.T) {
	t.Helper()
	if err := syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
}

func withPassword(c vrrp.Config, password string) vrrp.Config {
	c.Auth.Type = packet.AuthSimple
	copy(c.Auth.Data[:], password)
	return c
}

// TestKeepalivedAsBackup: baton has the higher priority.
func TestKeepalivedAsBackup(t *testing.T) {
	t.Parallel()
	ha, hb, _ := hosts(t)
	k := keepalived(t, hb, withPassword(config(100), "longpass"))
	await(t, k.lines, "(VI) Entering MASTER STATE")
	a := run(t, ha, withPassword(config(150), "longpass"))
	a.await("VI MASTER: the master's priority is lower (10.0.0.2, priority 100)")
	await(t, k.lines, "(VI) Master received advert from 10.0.0.1 with higher priority 150, ours 100")
	await(t, k.lines, "(VI) Entering BACKUP STATE")
	// It says so before it takes the address off.
	for asked := 0; strings.Contains(hb.IP("-br", "addr", "show", "dev", "eth0"), "10.0.0.100"); asked++ {
		if asked == 500 {
			t.Fatal("keepalived still holds the address")
		}
	}

	// Its timer is the skew time alone now: it heard our resignation.
	a.stop()
	await(t, k.lines, "(VI) Entering MASTER STATE")

	// nopreempt respects a master of lower priority.
	c := withPassword(config(150), "longpass")
	c.NoPreempt = true
	a = run(t, ha, c)
	a.await("VI master is 10.0.0.2 (priority 100)")
	k.signal(t, syscall.SIGTERM)
	a.await("VI MASTER: the master resigned (10.0.0.2, priority 100)")
}

// TestKeepalivedAsMaster: keepalived has the higher priority.
func TestKeepalivedAsMaster(t *testing.T) {
	t.Parallel()
	ha, hb, _ := hosts(t)
	a := run(t, ha, config(100))
	a.await("VI MASTER")
	k := keepalived(t, hb, config(150))
	a.await("VI BACKUP: heard a higher priority (10.0.0.2, priority 150)")
	k.signal(t, syscall.SIGTERM)
	a.await("VI MASTER: the master resigned (10.0.0.2, priority 150)")

	k = keepalived(t, hb, config(150))
	a.await("VI BACKUP: heard a higher priority (10.0.0.2, priority 150)")
	k.killAll(t)
	a.await("VI MASTER: no master heard within the master-down interval")
}

// TestKeepalivedTie splits and joins a pair of equal priority; the higher address
// wins, whoever has it.
func TestKeepalivedTie(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, ours, theirs string
		weWin              bool
	}{
		{"baton wins", "10.0.0.20/24", "10.0.0.3/24", true},
		{"keepalived wins", "10.0.0.3/24", "10.0.0.20/24", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			sw := nettest.NewSwitch(t)
			ha, hb := sw.Host("a", tt.ours), sw.Host("b", tt.theirs)
			// Out of the bridge, but with carrier.
			sw.IP("link", "set", "dev", "b", "nomaster")
			k := keepalived(t, hb, config(200))
			a := run(t, ha, config(200))
			await(t, k.lines, "(VI) Entering MASTER STATE")
			a.await("VI MASTER")
			sw.IP("link", "set", "dev", "b", "master", "br0")
			if tt.weWin {
				await(t, k.lines, "(VI) Entering BACKUP STATE")
				if s := a.status().State; s != vrrp.Master {
					t.Errorf("baton is %v", s)
				}
			} else {
				a.await("VI BACKUP: heard equal priority from a higher address (10.0.0.20, priority 200)")
			}
		})
	}
}

// TestSameBytes compares adverts with keepalived's for the same configuration on a
// host of the same address: the whole IP packet, but for the identification that
// the kernel or keepalived counts and the checksum over it, or the flow label.
func TestSameBytes(t *testing.T) {
	t.Parallel()
	many := config(254)
	many.Advertised = nil
	for i := range 20 {
		many.Advertised = append(many.Advertised, netip.AddrFrom4([4]byte{10, 0, 0, byte(200 - i)}))
	}
	slow := withPassword(config(254), "short")
	slow.AdvertInterval, slow.VRID = 2*time.Second, 255
	fast := config(254)
	fast.Version, fast.AdvertInterval = 3, 120*time.Millisecond
	six := fast
	six.IPv6 = true
	six.Advertised = []netip.Addr{netip.MustParseAddr("fe80::64"), netip.MustParseAddr("2001:db8::64")}
	unicast, unicast3, unicast6 := config(254), fast, six
	unicast.Peers = []vrrp.Peer{{Addr: netip.MustParseAddr("10.0.0.2")}}
	unicast3.Peers = unicast.Peers
	unicast6.TTL = 64 // what keepalived leaves to the kernel; ours is 255 for both families
	unicast6.Peers = []vrrp.Peer{{Addr: netip.MustParseAddr("fe80::b")}}
	for name, c := range map[string]vrrp.Config{
		"plain": config(254), "password, 2 s": slow, "20 addresses": many, "unicast": unicast,
		"version 3": fast, "version 3, unicast": unicast3, "IPv6": six, "IPv6, unicast": unicast6,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ha, hb, _ := hosts(t)
			etherType := 0x0800
			if c.IPv6 {
				etherType = 0x86dd
				linkLocal(ha, "fe80::a/64")
				linkLocal(hb, "fe80::b/64")
			}
			frames := hb.Capture("eth0", etherType)
			a := run(t, ha, c)
			a.await("VI MASTER")
			a.stop()
			ours := adverts(frames)

			k := keepalived(t, ha, c)
			await(t, k.lines, "(VI) Entering MASTER STATE")
			k.signal(t, syscall.SIGTERM)
			if diff := cmp.Diff(adverts(frames), ours); diff != "" {
				t.Errorf("-keepalived +baton:\n%s", diff)
			}
		})
	}
}

// linkLocal gives a host a link-local address that we know, at once.
func linkLocal(h *nettest.Host, prefix string) {
	h.IP("addr", "flush", "dev", "eth0", "scope", "link")
	h.IP("-6", "addr", "add", prefix, "dev", "eth0", "scope", "link", "nodad")
}

// adverts returns the first advert and the resignation.
func adverts(frames *nettest.Capture) (out []string) {
	for _, resigned := range []bool{false, true} {
		f := frames.Next(func(f []byte) bool {
			_, payload, r := packet.ParseIPv4(f[14:])
			if f[14]>>4 == 6 && f[20] == packet.Protocol {
				payload, r = f[14+packet.IPv6HeaderLen:], packet.OK
			}
			return r == packet.OK && (payload[2] == 0) == resigned
		})
		ip := f[14:]
		if ip[0]>>4 == 4 {
			copy(ip[4:6], []byte{0, 0})
			copy(ip[10:12], []byte{0, 0})
		} else {
			ip[1] &= 0xf0 // the flow label, which the kernel makes up for keepalived
			copy(ip[2:4], []byte{0, 0})
		}
		out = append(out, hex.EncodeToString(f[:6])+" "+hex.EncodeToString(ip))
	}
	return out
}
