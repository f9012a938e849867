package e2e

import (
	"os"
	"path/filepath"
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
	one.reload("reloaded: ")
	await(t, "the removed instance lets go", func() bool { return !one.addresses.holds(secondVIP) })
	await(t, "its script is told", func() bool { return read(t, told) == "deleted\n" })
	mustContain(t, one.status(), "VI_1 (eth0, VRID 51): MASTER")
	for port, want := range map[string]string{"8081": "200", "8080": "000"} { // 000: nobody
		out, _ := one.Command("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "http://127.0.0.1:"+port+"/health").Output()
		if string(out) != want {
			t.Errorf("port %s answers %s after the reload, want %s", port, out, want)
		}
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

// The end of an instance is still told to the pipe that goes with it, and the next one
// tells of what comes after; with enable_script_security a script that others can change
// is refused from then on.
func TestReloadOfNotification(t *testing.T) {
	t.Parallel()
	one := newNode(t, nettest.NewSwitch(t), "one", "10.77.0.11/24")
	conf := func(global, priority, second string) {
		one.write("k.conf", "global_defs {\n"+strings.ReplaceAll(global, "DIR", one.dir)+"\n}\n"+strings.ReplaceAll(reloadConf(priority, second), "SCRIPT", os.DevNull))
	}
	out := filepath.Join(one.dir, "out")
	reader := `notify_fifo_script "/bin/sh -c 'cat $0 >>DIR/out'" root`
	conf("notify_fifo DIR/first root\n"+reader, "150", secondInstance)
	one.run("-f", "k.conf")
	await(t, "both instances are told", func() bool { return exists(out) && strings.Count(read(t, out), "MASTER") == 2 })

	conf("notify_fifo DIR/second root\n"+reader, "150", "")
	one.reload("reloaded: ")
	await(t, "the pipe that went has told all", func() bool { return strings.Contains(read(t, out), `INSTANCE "VI_2" DELETED`) })
	await(t, "it is gone", func() bool { return !exists(filepath.Join(one.dir, "first")) })
	one.IP("link", "set", "eth0", "down")
	await(t, "the new one tells", func() bool { return strings.Contains(read(t, out), `INSTANCE "VI_1" FAULT`) })

	open := one.write("open", "#!/bin/sh\n")
	if err := os.Chmod(open, 0o777); err != nil {
		t.Fatal(err)
	}
	notify := strings.Replace(secondInstance, "notify_deleted", "notify_master "+open+" root\n    notify_deleted", 1)
	conf("enable_script_security", "150", notify)
	one.reload("the old one stays in force")
	conf("", "150", notify)
	one.reload("reloaded: ")
	await(t, "no pipe is left", func() bool { return !exists(filepath.Join(one.dir, "second")) })
}

// Whatever is edited in HAProxy's sections, also what a probe of the same reload asks
// about: no address moves, no advert tells of anything, and no client notices.
func TestReloadOfTheBalancer(t *testing.T) {
	p := newPair(t)
	const follow = "track_backend app { min_servers 1 weight -50 }\n    track_traffic web { frontend web uri / weight 2 }\n"
	p.configure(follow)
	p.lb1.run(bothFiles...)
	p.lb2.run(bothFiles...)
	onlyOn(t, vip, p.lb1, p.lb2)
	awaitPage(t, p.client, page, "web1", "web2")
	await(t, "its probes are well", func() bool { return strings.Contains(p.lb1.status(), "105 = 101 base") })
	await(t, "lb2 hears of it", func() bool { return strings.Contains(p.lb2.status(), "10.77.0.11 with priority 105") })
	said, heard := len(p.lb1.proc.log.String()), len(p.lb2.proc.log.String())
	moves := p.lb1.addresses.count() + p.lb2.addresses.count()

	stop, failed := make(chan struct{}), make(chan error, 1)
	go func() {
		for {
			select {
			case <-stop:
				failed <- nil
				return
			default:
			}
			if _, err := get(p.client, page); err != nil {
				failed <- err
				return
			}
		}
	}()
	const another = `
frontend another
    bind 10.77.0.100:81
    default_backend more
backend more
    server web2 10.77.0.22:80 check
`
	for _, edit := range []struct{ haproxy, tracks string }{
		{strings.Replace(haproxyCfg, "    server web1", "    server web2b 10.77.0.22:80 check\n    server web1", 1), follow},
		{strings.Replace(haproxyCfg, "maxconn 1000", "nbthread 1", 1), follow},
		{haproxyCfg + another, follow + "track_backend more { min_servers 1 }\n    track_traffic new { frontend another uri / interval 1 }\n"},
		{haproxyCfg, follow},
	} {
		p.lb1.write("haproxy.cfg", edit.haproxy)
		p.lb1.write("keepalived.conf", keepalivedConf("MASTER", 101, edit.tracks))
		if out, err := p.lb1.command("reload", "--socket", p.lb1.socket()).CombinedOutput(); err != nil || !strings.Contains(string(out), "reloaded: ") {
			t.Fatalf("baton reload: %v\n%s", err, out)
		}
	}
	p.lb1.write("haproxy.cfg", haproxyCfg+"\nbackend broken\n    balance sideways\n")
	mustContain(t, p.lb1.fails("reload", "--socket", p.lb1.socket()), "haproxy.cfg:21:13: error:", "1 error in the configuration: the old one stays in force")
	close(stop)
	if err := <-failed; err != nil {
		t.Errorf("a client noticed: %v", err)
	}
	if now := p.lb1.addresses.count() + p.lb2.addresses.count(); now != moves {
		t.Errorf("addresses moved %d times", now-moves)
	}
	for text, log := range map[string]string{"lb1": p.lb1.since(said), "lb2": p.lb2.since(heard)} {
		if strings.Contains(log, "VI_1: ") {
			t.Errorf("%s tells of VI_1:\n%s", text, log)
		}
	}
	mustContain(t, p.lb1.status(), "105 = 101 base")
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
