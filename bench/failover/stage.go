package main

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/vishvananda/netns"
)

// The hosts on the bridge, and the virtual address.
const (
	vip      = "10.77.0.100"
	addrA    = "10.77.0.11"
	addrB    = "10.77.0.12"
	addrWeb  = "10.77.0.60:8000"
	patience = 20 * time.Second // for what should come within seconds; measures nothing
)

// stage is the network and what runs in it for all pairs: web server, client, and
// the watch on both kernels.
type stage struct {
	prefix string // of the namespaces' names
	dir    string
	baton  string
	self   string // this program

	client  *client
	kernels *kernels
	web     net.Listener

	closing sync.Once
	cleanup []func()
}

func (st *stage) ns(host string) string { return st.prefix + host }

func newStage(baton string, o options) (*stage, error) {
	if os.Geteuid() != 0 {
		return nil, errors.New("only root may make network namespaces")
	}
	for _, tool := range []string{"ip", "haproxy", "keepalived", baton} {
		if _, err := exec.LookPath(tool); err != nil {
			return nil, fmt.Errorf("%s is missing: run `sudo make bench-failover`, which installs what it needs", tool)
		}
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "baton-failover-")
	if err != nil {
		return nil, err
	}
	st := &stage{prefix: fmt.Sprintf("bf%d-", os.Getpid()), dir: dir, baton: baton, self: self}
	st.cleanup = append(st.cleanup, func() {
		if o.keep {
			fmt.Fprintln(os.Stderr, "files and logs:", dir)
			return
		}
		_ = os.RemoveAll(dir)
	})
	for _, step := range []func() error{
		st.build,
		func() error { return os.Chmod(dir, 0o755) }, // check scripts may run as somebody else
		st.startWeb,
		func() (err error) { st.kernels, err = watchKernels(st); return err },
		func() (err error) { st.client, err = startClient(st, o.every); return err },
	} {
		if err := step(); err != nil {
			st.close()
			return nil, err
		}
	}
	return st, nil
}

// close takes everything away, the last thing first.
func (st *stage) close() {
	st.closing.Do(func() {
		for i := len(st.cleanup) - 1; i >= 0; i-- {
			st.cleanup[i]()
		}
	})
}

func ip(args ...string) error {
	out, err := exec.Command("ip", args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("ip %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}

// build makes the namespaces.
func (st *stage) build() error {
	sw := st.ns("switch")
	add := func(ns string) error {
		if err := ip("netns", "add", ns); err != nil {
			return err
		}
		st.cleanup = append(st.cleanup, func() { _ = ip("netns", "del", ns) })
		return ip("-n", ns, "link", "set", "lo", "up")
	}
	if err := add(sw); err != nil {
		return err
	}
	// Without snooping VRRP's multicast reaches every port; without spanning tree a port forwards at once.
	if err := ip("-n", sw, "link", "add", "br0", "type", "bridge", "stp_state", "0", "forward_delay", "0", "mcast_snooping", "0"); err != nil {
		return err
	}
	if err := ip("-n", sw, "link", "set", "br0", "up"); err != nil {
		return err
	}
	for _, h := range []struct{ name, addr string }{
		{"a", addrA}, {"b", addrB}, {"web", strings.TrimSuffix(addrWeb, ":8000")}, {"client", "10.77.0.50"},
	} {
		ns := st.ns(h.name)
		if err := add(ns); err != nil {
			return err
		}
		for _, args := range [][]string{
			{"-n", ns, "link", "add", "eth0", "type", "veth", "peer", "name", h.name, "netns", sw},
			{"-n", sw, "link", "set", "dev", h.name, "master", "br0", "up"},
			{"-n", ns, "addr", "add", h.addr + "/24", "dev", "eth0"},
			{"-n", ns, "link", "set", "eth0", "up"},
			{"netns", "exec", ns, "sh", "-c", "echo '1024 65000' >/proc/sys/net/ipv4/ip_local_port_range; echo 1 >/proc/sys/net/ipv4/tcp_tw_reuse; echo 4096 >/proc/sys/net/core/somaxconn"},
		} {
			if err := ip(args...); err != nil {
				return err
			}
		}
	}
	return nil
}

// port sets the carrier of a node's port; isolate keeps the nodes' ports from each
// other and leaves both to the client.
func (st *stage) port(node string, up bool) error {
	return ip("-n", st.ns("switch"), "link", "set", "dev", node, map[bool]string{true: "up", false: "down"}[up])
}

func (st *stage) isolate(on bool) error {
	for _, node := range []string{"a", "b"} {
		if err := ip("-n", st.ns("switch"), "link", "set", "dev", node, "type", "bridge_slave", "isolated", map[bool]string{true: "on", false: "off"}[on]); err != nil {
			return err
		}
	}
	return nil
}

// in runs f on a thread inside a host's namespace. Sockets that f opens stay there.
func (st *stage) in(host string, f func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // for good: the thread ends with the goroutine
		ns, err := netns.GetFromName(st.ns(host))
		if err == nil {
			defer ns.Close()
			err = netns.Set(ns)
		}
		if err == nil {
			err = f()
		}
		done <- err
	}()
	return <-done
}

// startWeb serves the page that all proxies fetch.
func (st *stage) startWeb() error {
	err := st.in("web", func() (err error) {
		st.web, err = net.Listen("tcp", addrWeb)
		return err
	})
	if err != nil {
		return err
	}
	st.cleanup = append(st.cleanup, func() { _ = st.web.Close() })
	go func() {
		for {
			c, err := st.web.Accept()
			if err != nil {
				return
			}
			go servePage(c)
		}
	}()
	return nil
}

// servePage answers every request on a connection.
func servePage(c net.Conn) {
	defer c.Close()
	r := bufio.NewReader(c)
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return
		}
		if len(line) > 2 { // the blank line ends a request; it has no body
			continue
		}
		if _, err := c.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n")); err != nil {
			return
		}
	}
}

// command prepares a program on a host. A child dies with this process.
func (st *stage) command(host string, argv ...string) *exec.Cmd {
	cmd := exec.Command("ip", append([]string{"netns", "exec", st.ns(host)}, argv...)...)
	cmd.Dir = filepath.Join(st.dir, host)
	cmd.SysProcAttr = ownGroup()
	return cmd
}
