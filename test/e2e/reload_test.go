package e2e

import (
	"os"
	"strings"
	"syscall"
	"testing"

	"baton/internal/nettest"
)

// reload sends SIGHUP and waits for the line that says how it went.
func (n *node) reload(outcome string) {
	n.t.Helper()
	before := strings.Count(n.proc.log.String(), outcome)
	if err := n.proc.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		n.t.Fatal(err)
	}
	await(n.t, "the log says "+outcome, func() bool { return strings.Count(n.proc.log.String(), outcome) > before })
}

// since returns what the daemon has logged since it had said so much.
func (n *node) since(said int) string { return n.proc.log.String()[said:] }

func reloadConf(priority, second string) string {
	return `
vrrp_instance VI_1 {
    interface eth0
    virtual_router_id 51
    priority ` + priority + `
    virtual_ipaddress {
        10.77.0.100/24
    }
}
` + second
}

const (
	secondInstance = `
vrrp_instance VI_2 {
    interface eth0
    virtual_router_id 52
    priority 150
    virtual_ipaddress {
        10.77.0.200
    }
    notify_deleted "/bin/sh -c 'echo deleted >SCRIPT'"
}
`
	secondVIP = "10.77.0.200"
)

func TestReload(t *testing.T) {
	t.Parallel()
	sw := nettest.NewSwitch(t)
	one, two := newNode(t, sw, "one", "10.77.0.11/24"), newNode(t, sw, "two", "10.77.0.12/24")
	told := one.write("told", "")
	conf := func(priority, second string) {
		one.write("k.conf", strings.ReplaceAll(reloadConf(priority, second), "SCRIPT", told))
	}
	one.write("web.cfg", healthCfg)
	conf("150", "")
	two.write("k.conf", reloadConf("100", ""))
	one.run("-f", "k.conf", "-f", "web.cfg")
	onlyOn(t, vip, one, two)
	two.run("-f", "k.conf")
	await(t, "two hears one", func() bool { return strings.Contains(two.proc.log.String(), "VI_1: master is 10.77.0.11") })
	heard := len(two.proc.log.String())

	// Nothing but another instance: the first is not disturbed, and nobody hears of it.
	said := len(one.proc.log.String())
	conf("150", secondInstance)
	one.reload("reloaded: ")
	await(t, "the second instance has its address", func() bool { return one.addresses.holds(secondVIP) })
	if log := one.since(said); strings.Contains(log, "VI_1") {
		t.Errorf("the first instance was disturbed:\n%s", log)
	}
	if !strings.Contains(one.proc.told.String(), "RELOADING=1\nMONOTONIC_USEC=") {
		t.Errorf("systemd was not told of the reload: %s", one.proc.told)
	}

	// With errors nothing changes.
	one.write("k.conf", "vrrp_instance VI_1 {\n")
	one.reload("the old one stays in force")
	conf("150", "")
	one.write("web.cfg", strings.ReplaceAll(healthCfg, "8080", "8081"))
	one.reload("HAProxy's sections have changed: they are not reloaded yet")
	await(t, "the removed instance lets go", func() bool { return !one.addresses.holds(secondVIP) })
	await(t, "its script is told", func() bool { return read(t, told) == "deleted\n" })
	mustContain(t, one.status(), "VI_1 (eth0, VRID 51): MASTER")
	if got := one.Output("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "http://127.0.0.1:8080/health"); got != "200" {
		t.Errorf("the balancer answers %s after the reload", got)
	}
	if log := two.since(heard); strings.Contains(log, "VI_1") {
		t.Errorf("two noticed something:\n%s", log)
	}

	// A lower priority moves the address.
	conf("50", "")
	one.reload("reloaded: ")
	onlyOn(t, vip, two, one)
	if one.stop() != 0 {
		t.Error("it does not stop in order after reloads")
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
