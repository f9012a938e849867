package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"baton/internal/nettest"
)

const healthCfg = `
defaults
    mode http
    timeout connect 2s
    timeout client 10s
    timeout server 10s

frontend health
    bind 127.0.0.1:8080
    monitor-uri /health
`

func single(t *testing.T) *node {
	t.Helper()
	t.Parallel()
	return newNode(t, nettest.NewSwitch(t), "lb", "10.77.0.11/24")
}

// leftovers lists what a baton that did not start must not leave.
func (n *node) leftovers() string {
	_, err := os.Stat(n.socket())
	var left []string
	if err == nil {
		left = append(left, n.socket())
	}
	if out := n.Output("ss", "-Htlnp"); strings.Contains(out, "baton") {
		left = append(left, out)
	}
	if n.addresses.holds(vip) {
		left = append(left, vip)
	}
	return strings.Join(left, "\n")
}

func TestBalancerWithoutVRRP(t *testing.T) {
	n := single(t)
	n.write("web.cfg", healthCfg)
	n.run("-f", "web.cfg")
	awaitPage(t, n.Host, "http://127.0.0.1:8080/health", "<html><body><h1>200 OK</h1>\nService ready.\n</body></html>\n")
	mustContain(t, n.status(), ": running, pid ", "health    http  127.0.0.1:8080")

	// Two that only balance may run beside each other, but not on one port.
	out := n.fails("run", "-f", "web.cfg", "--socket", filepath.Join(n.dir, "other.sock"))
	mustContain(t, out, "web.cfg:9: bind 127.0.0.1:8080: port 8080 is in use by baton, pid ")

	if code := n.stop(); code != 0 {
		t.Errorf("exit status %d", code)
	}
	if left := n.leftovers(); left != "" {
		t.Errorf("left behind:\n%s", left)
	}
	mustContain(t, n.fails("status", "--socket", n.socket()), "no baton answers: there is no socket "+n.socket())
}

// There is one baton with VRRP per namespace; the second one says who is first.
func TestVRRPIsAlone(t *testing.T) {
	n := single(t)
	n.write("vrrp.conf", "vrrp_instance VI_1 {\n interface eth0\n virtual_router_id 51\n virtual_ipaddress {\n  "+vip+"/24\n }\n}\n")
	n.run("-f", "vrrp.conf")
	mustContain(t, n.status(), ": running, pid ")
	out := n.fails("run", "-f", "vrrp.conf", "--socket", filepath.Join(n.dir, "other.sock"))
	mustContain(t, out, "another baton runs in this network namespace: pid", "run --socket")
	out = n.fails("release")
	mustContain(t, out, "another baton runs in this network namespace: pid")
	if code := n.stop(); code != 0 {
		t.Errorf("exit status %d", code)
	}
	if left := n.leftovers(); left != "" {
		t.Errorf("left behind:\n%s", left)
	}
}

// A user without any capability may run the balancer on a high port.
func TestBalancerNeedsNoPrivileges(t *testing.T) {
	n := single(t)
	if _, err := exec.LookPath("setpriv"); err != nil {
		t.Skip("needs setpriv (Debian: apt-get install util-linux)")
	}
	n.write("web.cfg", healthCfg)
	n.write("low.cfg", strings.Replace(healthCfg, ":8080", ":80", 1))
	n.write("pair.conf", peerConf("BACKUP", "100"))
	unprivileged := func(args ...string) string {
		cmd := n.Command("setpriv", append([]string{"--bounding-set=-all", "--inh-caps=-all", "--ambient-caps=-all", batonPath, "run", "--socket", n.socket()}, args...)...)
		cmd.Dir = n.dir
		out, err := cmd.CombinedOutput()
		if err == nil {
			t.Errorf("%v started", args)
		}
		return string(out)
	}
	mustContain(t, unprivileged("-f", "pair.conf"), "VRRP needs CAP_NET_ADMIN and CAP_NET_RAW")
	mustContain(t, unprivileged("-f", "low.cfg"), "low.cfg:9: bind 127.0.0.1:80: ports below 1024 need CAP_NET_BIND_SERVICE")
	if left := n.leftovers(); left != "" {
		t.Errorf("left behind:\n%s", left)
	}
}

func TestPortInUse(t *testing.T) {
	n := single(t)
	serveWeb(t, n.Host, "127.0.0.1:8080", "squatter")
	n.write("web.cfg", healthCfg)
	n.write("pair.conf", peerConf("BACKUP", "100"))
	out := n.fails("run", "-f", "web.cfg", "-f", "pair.conf", "--socket", n.socket())
	mustContain(t, out, fmt.Sprintf("web.cfg:9: bind 127.0.0.1:8080: port 8080 is in use by %s, pid %d", commName(), os.Getpid()))
	if strings.Count(out, "\n") > 2 {
		t.Errorf("more than a message:\n%s", out)
	}
	if left := n.leftovers(); left != "" {
		t.Errorf("left behind:\n%s", left)
	}
}

func commName() string {
	b, _ := os.ReadFile("/proc/self/comm")
	return strings.TrimSpace(string(b))
}

// An interface that is not there yet is waited for.
func TestInterfaceComesLater(t *testing.T) {
	n := single(t)
	n.write("pair.conf", strings.Replace(peerConf("BACKUP", "100"), "eth0", "vrrp0", 1))
	n.run("-f", "pair.conf")
	await(t, "the missing interface is named", func() bool {
		return strings.Contains(n.status(), "instance VI_1 is in FAULT: no such interface")
	})
	n.IP("link", "add", "vrrp0", "type", "veth", "peer", "name", "wire")
	n.IP("link", "set", "wire", "up")
	n.IP("addr", "add", "10.77.0.31/24", "dev", "vrrp0")
	n.IP("link", "set", "vrrp0", "up")
	n.addresses.await(vip, true)
	mustContain(t, n.status(), "MASTER since")
	if code := n.stop(); code != 0 {
		t.Errorf("exit status %d", code)
	}
	n.addresses.await(vip, false)
}

// `baton release` takes what a killed daemon left, and nothing when there is nothing.
func TestRelease(t *testing.T) {
	n := single(t)
	n.write("pair.conf", peerConf("BACKUP", "100"))
	n.run("-f", "pair.conf")
	n.addresses.await(vip, true)
	n.kill()
	out, err := n.command("release").CombinedOutput()
	if err != nil {
		t.Fatalf("baton release: %v\n%s", err, out)
	}
	mustContain(t, string(out), vip+"/24")
	n.addresses.await(vip, false)
	if !n.addresses.holds("10.77.0.11") {
		t.Error("the node's own address is gone")
	}
	if out, err := n.command("release").CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("second release: %v %s, want silence", err, out)
	}
}

func TestBrokenFileDoesNotStart(t *testing.T) {
	n := single(t)
	n.write("web.cfg", strings.Replace(healthCfg, "monitor-uri", "monitr-uri", 1))
	out := n.fails("run", "-f", "web.cfg", "--socket", n.socket())
	mustContain(t, out, "web.cfg:10:5: error: ", "monitor-uri", "baton: 1 error in the configuration; not started")
	if left := n.leftovers(); left != "" {
		t.Errorf("left behind:\n%s", left)
	}
}

// A server's host name without an address is an error at its line, as with HAProxy.
func TestHostNameWithoutAddress(t *testing.T) {
	n := single(t) // without a route to any name server
	n.write("web.cfg", healthCfg+"    default_backend b\nbackend b\n    server s nowhere.invalid:80\n")
	mustContain(t, n.fails("check", "-f", "web.cfg"), "web.cfg:13:", "error: server b/s: no address for", "nowhere.invalid", "1 error")
}
