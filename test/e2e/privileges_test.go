package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// As packaged: a user of its own with ambient capabilities. It holds the address,
// and its scripts inherit none of what it may do.
func TestAmbientCapabilitiesStayWithTheDaemon(t *testing.T) {
	n := single(t)
	if _, err := exec.LookPath("setpriv"); err != nil {
		t.Skip("needs setpriv (Debian: apt-get install util-linux)")
	}
	for d := n.dir; d != os.TempDir() && d != "/"; d = filepath.Dir(d) {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(n.dir, 0o777); err != nil {
		t.Fatal(err)
	}
	script := n.write("check.sh", "#!/bin/sh\nid -un >$1.new\ngrep ^Cap /proc/self/status >>$1.new\nmv $1.new $1\n")
	if err := os.Chmod(script, 0o755); err != nil {
		t.Fatal(err)
	}
	seen := filepath.Join(n.dir, "seen")
	n.write("pair.conf", "vrrp_script chk {\n    script \""+script+" "+seen+"\"\n}\n"+
		strings.Replace(peerConf("BACKUP", "100"), "advert_int 1", "advert_int 1\n    track_script {\n        chk\n    }", 1))
	const caps = "+net_admin,+net_raw,+setuid,+setgid"
	cmd := n.Command("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "--inh-caps="+caps, "--ambient-caps="+caps,
		batonPath, "run", "--socket", n.socket(), "-f", "pair.conf")
	cmd.Dir = n.dir
	n.runCommand(cmd)
	n.addresses.await(vip, true)
	got, err := os.ReadFile(seen)
	if err != nil {
		t.Fatal(err)
	}
	mustContain(t, string(got), "nobody\n", "CapPrm:\t0000000000000000\n", "CapEff:\t0000000000000000\n", "CapAmb:\t0000000000000000\n")
}
