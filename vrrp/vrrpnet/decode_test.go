package vrrpnet

import (
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"baton/vrrp"

	"github.com/google/go-cmp/cmp"
)

// TestDecode has tshark, which knows VRRP from other people's reading of the RFCs,
// read our adverts off the wire.
func TestDecode(t *testing.T) {
	if _, err := exec.LookPath("tshark"); err != nil {
		t.Skip("needs the program tshark (Debian: apt-get install tshark)")
	}
	three := config(254)
	three.Version, three.AdvertInterval = 3, 10*time.Millisecond
	plain := three
	plain.PlainSum = true
	six := three
	six.IPv6, six.Advertised = true, []netip.Addr{netip.MustParseAddr("fe80::64")}
	// version, VRID, priority, addresses, checksum right (1), TTL or hop limit
	for name, tt := range map[string]struct {
		cfg  vrrp.Config
		want string
	}{
		"version 2":                  {config(254), "2 51 254 1 1 255"},
		"version 3":                  {three, "3 51 254 1 1 255"},
		"version 3, IPv6":            {six, "3 51 254 1 1 255"},
		"version 3, no pseudoheader": {plain, "3 51 254 1 0 255"}, // tshark expects one
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ha, hb, _ := hosts(t)
			linkLocal(ha, "fe80::a/64")
			linkLocal(hb, "fe80::b/64")
			file := filepath.Join(t.TempDir(), "adverts")
			out, err := os.Create(file)
			if err != nil {
				t.Fatal(err)
			}
			defer out.Close()
			cmd := hb.Command("tshark", "-n", "-l", "-i", "eth0", "-c", "1", "-f", "ip proto 112 or ip6 proto 112",
				"-o", "ip.check_checksum:TRUE", "-T", "fields", "-E", "separator= ",
				"-e", "vrrp.version", "-e", "vrrp.virt_rtr_id", "-e", "vrrp.prio", "-e", "vrrp.addr_count",
				"-e", "vrrp.checksum.status", "-e", "ip.ttl", "-e", "ipv6.hlim")
			cmd.Stdout = out
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			run(t, ha, tt.cfg) // its adverts go on until one is captured
			if err := cmd.Wait(); err != nil {
				t.Fatal(err)
			}
			got, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, strings.Join(strings.Fields(string(got)), " ")); diff != "" {
				t.Errorf("tshark reads (-want +got):\n%s", diff)
			}
		})
	}
}
