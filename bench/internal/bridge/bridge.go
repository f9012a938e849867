// Package bridge makes the hosts of a benchmark: network namespaces on one bridge.
package bridge

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"

	"github.com/vishvananda/netns"

	"baton/internal/sys"
)

// Host is a namespace to be made. It gets an interface for each of its addresses:
// eth0 for the first, eth1 for the second, all on the same bridge.
type Host struct {
	Name  string
	Addrs []string // with their prefix lengths, 10.0.0.1/24
}

// Bridge is the hosts and what joins them.
type Bridge struct {
	prefix string // of the namespaces' names, so that two runs do not meet
	made   []string
}

// New makes the hosts. Only root may.
func New(hint string, hosts ...Host) (*Bridge, error) {
	if os.Geteuid() != 0 {
		return nil, errors.New("only root may make network namespaces")
	}
	b := &Bridge{prefix: fmt.Sprintf("%s%d-", hint, os.Getpid())}
	if err := b.build(hosts); err != nil {
		b.Close()
		return nil, err
	}
	return b, nil
}

// NS is the name of a host's namespace.
func (b *Bridge) NS(host string) string { return b.prefix + host }

// Close takes the hosts away.
func (b *Bridge) Close() {
	for _, ns := range b.made {
		_ = IP("netns", "del", ns) // best effort at the end
	}
	b.made = nil
}

// IP runs the program ip.
func IP(args ...string) error {
	out, err := exec.Command("ip", args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("ip %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}

const theSwitch = "switch"

func (b *Bridge) build(hosts []Host) error {
	sw := b.NS(theSwitch)
	if err := b.add(sw); err != nil {
		return err
	}
	// Without snooping VRRP's multicast reaches every port; without spanning tree a port forwards at once.
	if err := IP("-n", sw, "link", "add", "br0", "type", "bridge", "stp_state", "0", "forward_delay", "0", "mcast_snooping", "0"); err != nil {
		return err
	}
	if err := IP("-n", sw, "link", "set", "br0", "up"); err != nil {
		return err
	}
	for _, h := range hosts {
		if err := b.join(h); err != nil {
			return err
		}
	}
	return nil
}

func (b *Bridge) add(ns string) error {
	if err := IP("netns", "add", ns); err != nil {
		return err
	}
	b.made = append(b.made, ns)
	return IP("-n", ns, "link", "set", "lo", "up")
}

func (b *Bridge) join(h Host) error {
	ns, sw := b.NS(h.Name), b.NS(theSwitch)
	if err := b.add(ns); err != nil {
		return err
	}
	for i, addr := range h.Addrs {
		eth, port := fmt.Sprint("eth", i), portName(h.Name, i)
		for _, args := range [][]string{
			{"-n", ns, "link", "add", eth, "type", "veth", "peer", "name", port, "netns", sw},
			{"-n", sw, "link", "set", "dev", port, "master", "br0", "up"},
			{"-n", ns, "addr", "add", addr, "dev", eth},
			{"-n", ns, "link", "set", eth, "up"},
		} {
			if err := IP(args...); err != nil {
				return err
			}
		}
	}
	// A client that opens a connection every millisecond needs the ports, and a full backlog must not be what is measured.
	return IP("netns", "exec", ns, "sh", "-c",
		"echo '1024 65000' >/proc/sys/net/ipv4/ip_local_port_range; echo 1 >/proc/sys/net/ipv4/tcp_tw_reuse; echo 4096 >/proc/sys/net/core/somaxconn")
}

// portName is the name that a host's i-th interface has on the bridge.
func portName(host string, i int) string {
	if i == 0 {
		return host
	}
	return fmt.Sprint(host, i)
}

// Port sets the carrier of a host's first port.
func (b *Bridge) Port(host string, up bool) error {
	return IP("-n", b.NS(theSwitch), "link", "set", "dev", host, map[bool]string{true: "up", false: "down"}[up])
}

// Isolate keeps hosts from each other, and leaves all of them to the others.
func (b *Bridge) Isolate(on bool, hosts ...string) error {
	for _, h := range hosts {
		if err := IP("-n", b.NS(theSwitch), "link", "set", "dev", h, "type", "bridge_slave", "isolated", map[bool]string{true: "on", false: "off"}[on]); err != nil {
			return err
		}
	}
	return nil
}

// In runs f on a thread inside a host's namespace. Sockets that f opens stay there.
func (b *Bridge) In(host string, f func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // for good: the thread ends with the goroutine
		ns, err := netns.GetFromName(b.NS(host))
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

// Command prepares a program on a host, in a process group of its own. The kernel ends
// it with the thread that starts it.
func (b *Bridge) Command(host string, argv ...string) *exec.Cmd {
	cmd := exec.Command("ip", append([]string{"netns", "exec", b.NS(host)}, argv...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	return cmd
}

// End kills the process group of a Command and waits for it. It may have ended; nil is nothing.
func End(cmd *exec.Cmd) {
	if cmd != nil && cmd.Process != nil {
		_ = sys.SignalGroup(cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
	}
}
