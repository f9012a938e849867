package e2e

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"baton/internal/nettest"
)

// manyConf is n instances, each with an address of its own.
func manyConf(n, priority int, interval string) string {
	var b strings.Builder
	b.WriteString("global_defs {\n    vrrp_garp_master_repeat 1\n}\n") // all at once must fit the socket that counts them
	for i := 1; i <= n; i++ {
		fmt.Fprintf(&b, `
vrrp_instance VI_%d {
    interface eth0
    virtual_router_id %d
    priority %d
    version 3
    advert_int %s
    virtual_ipaddress {
        10.77.1.%d
    }
}
`, i, i, priority, interval, i)
	}
	return b.String()
}

// TestFiveHundredInstances: one node is master of 500 instances of both families, and
// nothing changes while each of them sends five adverts.
func TestFiveHundredInstances(t *testing.T) {
	nettest.Require(t)
	const n = 250 // of each family
	sw := nettest.NewSwitch(t)
	lb1, lb2 := newNode(t, sw, "lb1", "10.77.0.11/16"), newNode(t, sw, "lb2", "10.77.0.12/16")
	lb1.IP("addr", "add", "fe80::77:11/64", "dev", "eth0", "scope", "link", "nodad")
	lb2.IP("addr", "add", "fe80::77:12/64", "dev", "eth0", "scope", "link", "nodad")
	conf := func(priority int) string {
		four := manyConf(n, priority, "1")
		six := strings.NewReplacer("VI_", "V6_", "        10.77.1.", "        fe80::77:1:").Replace(manyConf(n, priority, "1"))
		return four + six[strings.Index(six, "\nvrrp_instance"):]
	}
	lb1.write("baton.conf", conf(150))
	lb2.write("baton.conf", conf(100))
	lb1.run("-f", "baton.conf")
	masters := func(l *node) int { return strings.Count(l.proc.log.String(), " MASTER: ") }
	await(t, "lb1 is master of all", func() bool { return masters(lb1) == 2*n })
	for i := 1; i <= n; i++ {
		lb1.addresses.await(fmt.Sprintf("10.77.1.%d", i), true)
		lb1.addresses.await(fmt.Sprintf("fe80::77:1:%d", i), true)
	}
	lb2.run("-f", "baton.conf")
	await(t, "lb2 hears all of lb1", func() bool { return strings.Count(lb2.proc.log.String(), " master is ") == 2*n })

	type instance struct {
		six  bool
		vrid byte
	}
	adverts, done := map[instance]int{}, 0
	lb2.Capture("eth0", 3).Next(func(f []byte) bool {
		const ethernet, ipv6 = 14, 40
		i := instance{six: f[12] == 0x86}
		if _, ok := advertised(f); !ok {
			return false
		}
		if i.vrid = f[ethernet+20+1]; i.six {
			i.vrid = f[ethernet+ipv6+1]
		}
		if adverts[i]++; adverts[i] == 5 {
			done++
		}
		return done == 2*n
	})
	if a, b := masters(lb1), masters(lb2); a != 2*n || b != 0 || strings.Contains(lb1.proc.log.String(), "from=MASTER") {
		t.Errorf("lb1 became master %d times, lb2 %d times", a, b)
	}
}

// TestManyInstances: when the master of 200 instances dies, the other node announces
// every address within a short time of the first.
func TestManyInstances(t *testing.T) {
	nettest.Require(t)
	const n = 200
	sw := nettest.NewSwitch(t)
	lb1, lb2 := newNode(t, sw, "lb1", "10.77.0.11/16"), newNode(t, sw, "lb2", "10.77.0.12/16")
	client := sw.Host("client", "10.77.0.50/16")
	lb1.write("baton.conf", manyConf(n, 150, "1"))
	lb2.write("baton.conf", manyConf(n, 100, "1"))
	lb1.run("-f", "baton.conf")
	for i := 1; i <= n; i++ {
		lb1.addresses.await(fmt.Sprintf("10.77.1.%d", i), true)
	}
	lb2.run("-f", "baton.conf")
	await(t, "lb2 hears all of lb1", func() bool { return strings.Count(lb2.proc.log.String(), "master is 10.77.0.11") == n })
	frames := client.Capture("eth0", 0x0806)
	lb1.kill()
	announced := map[netip.Addr]bool{}
	var first time.Time
	for len(announced) < n {
		f := frames.Next(func(f []byte) bool {
			return len(f) >= 42 && f[21] == 1 && string(f[28:32]) == string(f[38:42])
		})
		if len(announced) == 0 {
			first = time.Now()
		}
		announced[netip.AddrFrom4([4]byte(f[28:32]))] = true
	}
	t.Logf("all %d addresses are announced %v after the first", n, time.Since(first).Round(time.Millisecond))
	for i := 1; i <= n; i++ {
		lb2.addresses.await(fmt.Sprintf("10.77.1.%d", i), true)
	}
}
