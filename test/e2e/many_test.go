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
