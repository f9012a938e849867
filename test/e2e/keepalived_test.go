package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// keepalived starts Debian's keepalived on the node.
func (n *node) keepalived(conf string) {
	n.t.Helper()
	bin, err := exec.LookPath("keepalived")
	if err != nil {
		if bin = "/usr/sbin/keepalived"; !exists(bin) {
			n.t.Skip("needs keepalived (Debian: apt-get install keepalived)")
		}
	}
	path := n.write("peer.conf", conf)
	// A killed one leaves its pid files, and believes them while the number lives on.
	for _, name := range []string{"keepalived.pid", "vrrp.pid"} {
		if err := os.RemoveAll(filepath.Join(n.dir, name)); err != nil {
			n.t.Fatal(err)
		}
	}
	cmd := n.Command(bin, "-n", "-l", "-D", "-P", "-f", path,
		"-p", filepath.Join(n.dir, "keepalived.pid"), "-r", filepath.Join(n.dir, "vrrp.pid"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // it has a child, which dies with the group
	n.launch(cmd)
	n.t.Cleanup(func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// peerConf is the plain instance of the pair.
func peerConf(state, priority string) string {
	return `
vrrp_instance VI_1 {
    state ` + state + `
    interface eth0
    virtual_router_id 51
    priority ` + priority + `
    advert_int 1
    authentication {
        auth_type PASS
        auth_pass secret42
    }
    virtual_ipaddress {
        10.77.0.100/24
    }
}
`
}

func TestKeepalivedBacksBatonUp(t *testing.T) {
	p := newPair(t)
	p.configure("")
	p.lb2.keepalived(peerConf("BACKUP", "100"))
	onlyOn(t, vip, p.lb2, p.lb1) // it is alone
	p.lb1.run(bothFiles...)
	onlyOn(t, vip, p.lb1, p.lb2) // 103 against 100
	awaitPage(t, p.client, page, "web1", "web2")
	p.lb1.kill()
	onlyOn(t, vip, p.lb2, p.lb1)
}

func TestBatonBacksKeepalivedUp(t *testing.T) {
	p := newPair(t)
	p.configure("")
	p.lb1.keepalived(peerConf("MASTER", "150"))
	onlyOn(t, vip, p.lb1, p.lb2)
	p.lb2.run(bothFiles...)
	await(t, "baton hears keepalived", func() bool {
		return strings.Contains(p.lb2.status(), "10.77.0.11 with priority 150")
	})
	onlyOn(t, vip, p.lb1, p.lb2)
	if err := p.lb1.proc.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	p.lb1.wait()
	onlyOn(t, vip, p.lb2, p.lb1)
	awaitPage(t, p.client, page, "web1", "web2")
}
