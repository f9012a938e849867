package e2e

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"baton/internal/nettest"
)

const vip = "10.77.0.100"

// haproxyCfg is a file as anybody could have it.
const haproxyCfg = `
global
    maxconn 1000

defaults
    mode http
    timeout connect 2s
    timeout client 10s
    timeout server 10s

frontend web
    bind 10.77.0.100:80
    default_backend app

backend app
    balance roundrobin
    server web1 10.77.0.21:80 check inter 500ms
    server web2 10.77.0.22:80 check inter 500ms
`

// keepalivedConf is the other one; state and priority differ between the nodes.
func keepalivedConf(state string, priority int, more string) string {
	return fmt.Sprintf(`
vrrp_script check_haproxy {
    script "/usr/bin/killall -0 haproxy"
    interval 1
    weight 2
}

vrrp_instance VI_1 {
    state %s
    interface eth0
    virtual_router_id 51
    priority %d
    advert_int 1
    authentication {
        auth_type PASS
        auth_pass secret42
    }
    virtual_ipaddress {
        10.77.0.100/24
    }
    track_script {
        check_haproxy
    }
    %s
}
`, state, priority, more)
}

// pair is two nodes, two web servers and a client on one switch.
type pair struct {
	lb1, lb2 *node
	client   *nettest.Host
}

func newPair(t *testing.T) *pair {
	t.Helper()
	t.Parallel() // they mostly wait for timers
	sw := nettest.NewSwitch(t)
	p := &pair{
		lb1:    newNode(t, sw, "lb1", "10.77.0.11/24"),
		lb2:    newNode(t, sw, "lb2", "10.77.0.12/24"),
		client: sw.Host("client", "10.77.0.50/24"),
	}
	serveWeb(t, sw.Host("web1", "10.77.0.21/24"), "10.77.0.21:80", "web1")
	serveWeb(t, sw.Host("web2", "10.77.0.22/24"), "10.77.0.22:80", "web2")
	return p
}

func (p *pair) configure(more string) {
	p.lb1.write("haproxy.cfg", haproxyCfg)
	p.lb2.write("haproxy.cfg", haproxyCfg)
	p.lb1.write("keepalived.conf", keepalivedConf("MASTER", 101, more))
	p.lb2.write("keepalived.conf", keepalivedConf("BACKUP", 100, more))
}

var bothFiles = []string{"-f", "haproxy.cfg", "-f", "keepalived.conf"}

const page = "http://" + vip + "/"

func TestKillMovesTheAddress(t *testing.T) {
	p := newPair(t)
	p.configure("")
	p.lb1.run(bothFiles...)
	p.lb2.run(bothFiles...)
	onlyOn(t, vip, p.lb1, p.lb2)
	awaitPage(t, p.client, page, "web1", "web2")
	mustContain(t, p.lb1.status(), "MASTER since", "103 = 101 base + 2 check_haproxy", vip+"/24 on eth0: held")
	mustContain(t, p.lb2.status(), "BACKUP since", "10.77.0.11 with priority 103", "not here")

	// The lease: nobody is left to take the address off but the kernel.
	p.lb1.kill()
	lost := p.lb1.addresses.await(vip, false)
	t.Logf("the dead node's kernel dropped the address %v after SIGKILL", lost.Round(time.Millisecond))
	if lost > 4*time.Second {
		t.Errorf("the dead node kept the address for %v, want at most 4 s", lost)
	}
	onlyOn(t, vip, p.lb2, p.lb1)
	awaitPage(t, p.client, page, "web1", "web2")

	// Back again, it preempts.
	p.lb1.run(bothFiles...)
	onlyOn(t, vip, p.lb1, p.lb2)
	awaitPage(t, p.client, page, "web1", "web2")
}

func TestOrderlyStopMovesTheAddress(t *testing.T) {
	p := newPair(t)
	p.configure("")
	p.lb1.run(bothFiles...)
	p.lb2.run(bothFiles...)
	onlyOn(t, vip, p.lb1, p.lb2)

	if code := p.lb1.stop(); code != 0 {
		t.Errorf("exit status %d after SIGTERM, want 0", code)
	}
	if p.lb1.addresses.holds(vip) {
		p.lb1.addresses.await(vip, false) // the event may be on its way
	}
	if _, err := os.Stat(p.lb1.socket()); !os.IsNotExist(err) {
		t.Errorf("the status socket is left behind (%v)", err)
	}
	onlyOn(t, vip, p.lb2, p.lb1)
	awaitPage(t, p.client, page, "web1", "web2")
}

func TestScriptMovesTheAddress(t *testing.T) {
	for _, c := range []struct{ name, weight, state string }{
		{"by weight", "weight -20", "BACKUP since"},
		{"by fault", "", "FAULT since"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPair(t)
			p.configure("")
			flag := p.lb1.write("good", "")
			p.lb1.write("keepalived.conf", fmt.Sprintf(`
vrrp_script chk {
    script "/usr/bin/test -e %s"
    interval 1
    fall 2
    rise 1
    %s
}
vrrp_instance VI_1 {
    state MASTER
    interface eth0
    virtual_router_id 51
    priority 110
    authentication {
        auth_type PASS
        auth_pass secret42
    }
    virtual_ipaddress {
        10.77.0.100/24
    }
    track_script {
        chk
    }
}
`, flag, c.weight))
			p.lb2.run(bothFiles...)
			p.lb1.run(bothFiles...)
			onlyOn(t, vip, p.lb1, p.lb2)
			if err := os.Remove(flag); err != nil {
				t.Fatal(err)
			}
			onlyOn(t, vip, p.lb2, p.lb1)
			mustContain(t, p.lb1.status(), c.state, "probe chk is down: exit status 1")
			awaitPage(t, p.client, page, "web1", "web2")
			p.lb1.write("good", "")
			onlyOn(t, vip, p.lb1, p.lb2)
		})
	}
}

// A node whose own web servers are gone gives the address away, without a script.
func TestTrackBackendMovesTheAddress(t *testing.T) {
	p := newPair(t)
	p.configure("track_backend app { min_servers 1 weight -50 }\n    track_traffic self { frontend web uri / weight 2 }")
	p.lb1.run(bothFiles...)
	p.lb2.run(bothFiles...)
	onlyOn(t, vip, p.lb1, p.lb2)
	await(t, "track_traffic counts", func() bool {
		s := p.lb1.status()
		return strings.Contains(s, "105 = 101 base") && strings.Contains(s, "answers 200")
	})
	// lb1 loses its way to the web servers, not to the other node.
	p.lb1.IP("route", "add", "unreachable", "10.77.0.21/32")
	p.lb1.IP("route", "add", "unreachable", "10.77.0.22/32")
	onlyOn(t, vip, p.lb2, p.lb1)
	mustContain(t, p.lb1.status(), "backend app has no usable server", "- 50 ")
	awaitPage(t, p.client, page, "web1", "web2")
}

// A process that stands still cannot give its address up, but the kernel takes
// it. When it wakes up it must not believe that it is master still.
func TestFrozenNodeLosesTheAddress(t *testing.T) {
	p := newPair(t)
	p.configure("")
	p.lb1.run(bothFiles...)
	p.lb2.run(bothFiles...)
	onlyOn(t, vip, p.lb1, p.lb2)
	freeze := func(sig syscall.Signal) {
		t.Helper()
		if err := p.lb1.proc.cmd.Process.Signal(sig); err != nil {
			t.Fatal(err)
		}
	}
	freeze(syscall.SIGSTOP)
	onlyOn(t, vip, p.lb2, p.lb1)
	awaitPage(t, p.client, page, "web1", "web2")
	freeze(syscall.SIGCONT)
	await(t, "the node says that it stood still", func() bool {
		return strings.Contains(p.lb1.proc.log.String(), "this process stood still longer than the master-down interval")
	})
	onlyOn(t, vip, p.lb1, p.lb2) // by a new election
	awaitPage(t, p.client, page, "web1", "web2")
}

func TestPulledCableMovesTheAddress(t *testing.T) {
	p := newPair(t)
	p.configure("")
	p.lb1.run(bothFiles...)
	p.lb2.run(bothFiles...)
	onlyOn(t, vip, p.lb1, p.lb2)
	p.lb1.Unplug()
	onlyOn(t, vip, p.lb2, p.lb1)
	mustContain(t, p.lb1.status(), "instance VI_1 is in FAULT: interface down")
	awaitPage(t, p.client, page, "web1", "web2")
	p.lb1.Plug()
	onlyOn(t, vip, p.lb1, p.lb2)
	awaitPage(t, p.client, page, "web1", "web2")
}
