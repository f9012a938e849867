package lb_test

import (
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// `source` of a backend and of a server, and binds with options of the socket.
func TestSource(t *testing.T) {
	t.Parallel()
	r := start(t, `
defaults
 timeout client 5s
 timeout server 5s
 timeout connect 5s
frontend fe
 bind {fe} interface lo mss 1300 tcp-ut 5s backlog 20 defer-accept tfo
 option tcpka
 clitcpka-idle 10s
 default_backend be
backend be
 source 127.0.0.5 interface lo
 option srvtcpka
 balance first
 server s1 {s1} maxconn 1 tcp-ut 5s
 server s2 {s2} source 127.0.0.6
`)
	for i, want := range []string{"127.0.0.5", "127.0.0.6"} {
		c := r.client("fe")
		c.send("x")
		o := r.accept([]string{"s1", "s2"}[i])
		if got := o.RemoteAddr().(*net.TCPAddr).IP.String(); got != want {
			t.Errorf("server %d is reached from %s, want %s", i+1, got, want)
		}
		if got := o.bytes(1); got != "x" {
			t.Errorf("server %d got %q", i+1, got)
		}
	}
}

// A range of ports, and addresses that are not this host's, which a namespace has the
// routes for.
func TestSourceForms(t *testing.T) {
	const inside = "LB_TEST_INSIDE"
	if os.Getenv(inside) == "" {
		if os.Getuid() != 0 {
			t.Skip("needs root")
		}
		cmd := exec.Command("unshare", "--net", os.Args[0], "-test.run=^TestSourceForms$")
		cmd.Env = append(os.Environ(), inside+"=yes")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	// What goes back to the addresses of 192.0.2.0/24 is ours, though we do not have them.
	for _, line := range []string{"link set lo up", "route add local 192.0.2.0/24 dev lo table 100", "rule add from 127.0.0.1 to 192.0.2.0/24 lookup 100"} {
		if out, err := exec.Command("ip", strings.Fields(line)...).CombinedOutput(); err != nil {
			t.Fatalf("ip %s: %v\n%s", line, err, out)
		}
	}
	r := start(t, `
defaults
 timeout client 5s
 timeout server 5s
 timeout connect 5s
 retries 0
frontend fe
 bind {fe}
 default_backend ports
frontend fe2
 bind {fe2}
 tcp-request connection set-src ipv4(192.0.2.7)
 tcp-request connection set-src-port int(4711)
 default_backend client
frontend fe3
 bind {fe3}
 tcp-request connection set-src ipv4(192.0.2.7)
 default_backend clientip
frontend fe4
 bind {fe4}
 default_backend address
backend ports
 server s1 {s1} source 127.0.0.9:20000-20002
backend client
 server s2 {s2} source 0.0.0.0 usesrc client
backend clientip
 source 0.0.0.0 usesrc clientip
 server s3 {s3}
backend address
 server s4 {s4} source 0.0.0.0 usesrc 192.0.2.9:80
`)
	peer := func(fe, s string) *net.TCPAddr {
		c := r.client(fe)
		c.send("x")
		return r.accept(s).RemoteAddr().(*net.TCPAddr)
	}
	for port := 20000; port <= 20002; port++ {
		if got := peer("fe", "s1"); got.Port != port || got.IP.String() != "127.0.0.9" {
			t.Errorf("the server is reached from %s, want port %d", got, port)
		}
	}
	r.client("fe").ends() // no port is left
	if got := peer("fe2", "s2"); got.String() != "192.0.2.7:4711" {
		t.Errorf("usesrc client: %s", got)
	}
	if got := peer("fe3", "s3"); got.IP.String() != "192.0.2.7" {
		t.Errorf("usesrc clientip: %s", got)
	}
	if got := peer("fe4", "s4"); got.String() != "192.0.2.9:80" {
		t.Errorf("usesrc with an address: %s", got)
	}
}

// Checks and questions to agents come from where the traffic comes from, as HAProxy 2.6
// was seen to have it.
func TestChecksComeFromSource(t *testing.T) {
	t.Parallel()
	r := start(t, "defaults\n timeout client 5s\n timeout server 5s\n timeout connect 5s\nfrontend fe\n bind {fe}\n default_backend be\nbackend be\n source 127.0.0.5\n"+
		" option tcp-check\n tcp-check send x\n default-server inter 100ms\n"+
		" server s1 {s1} check\n server s2 {s2} check source 127.0.0.6 interface lo\n server s3 {s3} check source 127.0.0.7:42000-42003\n"+
		" server s4 {no} source 127.0.0.8 agent-check agent-addr 127.0.0.1 agent-port {port} agent-inter 100ms\n")
	for origin, want := range map[string]string{"s1": "127.0.0.5", "s2": "127.0.0.6", "s3": "127.0.0.7", "port": "127.0.0.8"} {
		if got := r.accept(origin).RemoteAddr().(*net.TCPAddr); got.IP.String() != want || origin == "s3" && (got.Port < 42000 || got.Port > 42003) {
			t.Errorf("%s is asked from %v, want %s", origin, got, want)
		}
	}
}
