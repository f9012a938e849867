package lab

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"baton/internal/sys"
)

// goneWithin bounds the wait for processes that were killed. It is never spent
// unless the kernel is stuck.
const goneWithin = 5 * time.Second

// run runs `ip ARGS...` and returns what it printed.
func (l *Lab) run(args ...string) (string, error) {
	out, err := exec.Command(l.ip, args...).CombinedOutput()
	if err == nil {
		return string(out), nil
	}
	text := strings.TrimSpace(string(out))
	err = fmt.Errorf("ip %s: %w: %s", strings.Join(args, " "), err, text)
	switch {
	case bytes.Contains(out, []byte("Operation not permitted")), bytes.Contains(out, []byte("Permission denied")):
		err = fmt.Errorf("%w\nroot may not make network namespaces here. In a container it takes the capabilities\nSYS_ADMIN and NET_ADMIN (docker run --privileged); else run it on the host or in a virtual machine", err)
	case bytes.Contains(out, []byte("Unknown device type")), bytes.Contains(out, []byte("Operation not supported")):
		err = fmt.Errorf("%w\nthis kernel has no bridge or no veth interfaces (try: modprobe bridge veth)", err)
	}
	return string(out), err
}

// build makes the bridge and the hosts' namespaces. On an error the caller takes
// away what is there.
func (l *Lab) build() error {
	sw := l.namespace(switchName)
	steps := [][]string{
		{"netns", "add", sw},
		// Without snooping VRRP's multicast reaches every port; without spanning tree a port forwards at once.
		{"-n", sw, "link", "add", "br0", "type", "bridge", "stp_state", "0", "forward_delay", "0", "mcast_snooping", "0"},
		{"-n", sw, "link", "set", "br0", "up"},
	}
	for _, h := range hosts() {
		ns := l.namespace(h.name)
		steps = append(steps, [][]string{
			{"netns", "add", ns},
			{"-n", ns, "link", "set", "lo", "up"},
			{"-n", ns, "link", "add", "eth0", "type", "veth", "peer", "name", h.name, "netns", sw},
			{"-n", sw, "link", "set", "dev", h.name, "master", "br0", "up"},
			{"-n", ns, "addr", "add", h.addr + "/" + strconv.Itoa(prefixBits), "dev", "eth0"},
			{"-n", ns, "link", "set", "eth0", "up"},
		}...)
	}
	for _, s := range steps {
		if _, err := l.run(s...); err != nil {
			return err
		}
	}
	return nil
}

// namespaces lists those of the lab's namespaces that are there.
func (l *Lab) namespaces() []string {
	var there []string
	names := []string{switchName}
	for _, h := range hosts() {
		names = append(names, h.name)
	}
	for _, n := range names {
		if _, err := os.Stat("/run/netns/" + l.namespace(n)); err == nil {
			there = append(there, l.namespace(n))
		}
	}
	return there
}

// present reports whether anything of the lab is there.
func (l *Lab) present() bool {
	_, err := os.Stat(l.dir)
	return err == nil || len(l.namespaces()) > 0
}

// remove ends every process in the lab's namespaces, whoever started it, and
// takes the namespaces and the files away. Nothing there is no error.
func (l *Lab) remove() error {
	var errs []error
	for _, ns := range l.namespaces() {
		if err := l.empty(ns); err != nil {
			errs = append(errs, err)
		}
		if _, err := l.run("netns", "del", ns); err != nil {
			errs = append(errs, err)
		}
	}
	if err := os.RemoveAll(l.dir); err != nil {
		errs = append(errs, fmt.Errorf("remove the lab's files: %w", err))
	}
	return errors.Join(errs...)
}

// empty kills all processes in a namespace until none is left: one that is just
// being started may show up late.
func (l *Lab) empty(ns string) error {
	for deadline := time.Now().Add(goneWithin); ; {
		pids, err := l.pids(ns)
		if err != nil || len(pids) == 0 {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("processes in namespace %s cannot be ended: %v", ns, pids)
		}
		for _, pid := range pids {
			if err := endProcess(pid, syscall.SIGKILL, goneWithin); err != nil {
				return err
			}
		}
	}
}

// pids lists the processes in a namespace, without this one.
func (l *Lab) pids(ns string) ([]int, error) {
	out, err := l.run("netns", "pids", ns)
	if err != nil {
		return nil, err
	}
	var pids []int
	for f := range strings.FieldsSeq(out) {
		pid, err := strconv.Atoi(f)
		if err != nil {
			return nil, fmt.Errorf("ip netns pids %s: unexpected output %q", ns, out)
		}
		if pid != os.Getpid() {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

// endProcess sends a signal and waits until the process is gone. One that is
// gone already is no error.
func endProcess(pid int, sig syscall.Signal, limit time.Duration) error {
	p, err := sys.OpenProcess(pid)
	if errors.Is(err, syscall.ESRCH) {
		return nil
	}
	if err != nil {
		return err
	}
	defer p.Close()
	if err := p.Signal(sig); err != nil {
		return err
	}
	return p.AwaitEnd(limit)
}
