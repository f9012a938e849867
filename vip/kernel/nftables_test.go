package kernel

import (
	"errors"
	"net"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"baton/internal/nettest"
)

// TestGuard: with no_accept nobody reaches the addresses, and everybody finds them.
func TestGuard(t *testing.T) {
	sw := nettest.NewSwitch(t)
	host, peer := sw.Host("a", "10.0.0.1/24", "2001:db8::1/64"), sw.Host("b", "10.0.0.2/24", "2001:db8::2/64")
	c := instance("VI_1", "10.0.0.9/24", "2001:db8::9/64", "fe80::9/64")
	c.NoAccept = true
	h := newHarness(t, host.NS, c, instance("VI_2", "10.0.0.8/24", "2001:db8::8/64"))
	guard := func() {
		t.Helper()
		host.Do(func() {
			if err := h.Guard(); err != nil {
				t.Fatal(err)
			}
		})
	}
	guard()
	guard() // takes the place of what is there
	h.mustSet("VI_1", true)
	h.mustSet("VI_2", true)
	dial := func(ip string) (err error) {
		peer.Do(func() { _, err = net.DialTimeout("tcp", net.JoinHostPort(ip, "9"), 700*time.Millisecond) })
		return err
	}
	for _, ip := range []string{"10.0.0.9", "2001:db8::9", "fe80::9%eth0"} {
		if err := dial(ip); !errors.Is(err, syscall.ETIMEDOUT) && !strings.Contains(err.Error(), "timeout") {
			t.Errorf("%s: %v, want silence", ip, err)
		}
		bare, _, _ := strings.Cut(ip, "%")
		if e := peer.IP("neigh", "show", "to", bare, "dev", "eth0"); !strings.Contains(e, hardwareAddr(t, host.NS).String()) {
			t.Errorf("the other host does not find %s: %q", ip, e)
		}
	}
	for _, ip := range []string{"10.0.0.8", "2001:db8::8", "10.0.0.1", "2001:db8::1"} {
		if err := dial(ip); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("%s: %v, want an answer", ip, err)
		}
	}
	if _, err := exec.LookPath("nft"); err == nil {
		rules := host.Output("nft", "list", "table", "inet", "baton")
		for _, want := range []string{
			"type filter hook input priority filter - 1; policy accept;",
			"icmpv6 type nd-neighbor-solicit accept", "icmpv6 type nd-neighbor-advert accept",
			"ip daddr 10.0.0.9 drop", "ip6 daddr 2001:db8::9 drop", `iifname "eth0" ip6 daddr fe80::9 drop`,
			"ip saddr 10.0.0.9 drop", `oifname "eth0" ip6 saddr fe80::9 drop`,
		} {
			if !strings.Contains(rules, want) {
				t.Errorf("%q is not in\n%s", want, rules)
			}
		}
		if strings.Count(rules, "drop") != 6 {
			t.Errorf("rules:\n%s", rules)
		}
	}
	h.mustSet("VI_1", false)
	h.mustSet("VI_2", false)
	for _, want := range []int{1, 0} {
		host.Do(func() {
			removed, err := Release()
			if err != nil || len(removed) != want || want == 1 && removed[0] != "nftables table inet baton" {
				t.Errorf("Release: %q, %v", removed, err)
			}
		})
	}
}
