package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"baton/bench/internal/bridge"
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
	net   *bridge.Bridge
	dir   string
	baton string
	self  string // this program

	client  *client
	kernels *kernels

	closing sync.Once
	cleanup []func()
}

func newStage(baton string, o options) (*stage, error) {
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
	st := &stage{dir: dir, baton: baton, self: self}
	st.cleanup = append(st.cleanup, func() {
		if o.keep {
			fmt.Fprintln(os.Stderr, "files and logs:", dir)
			return
		}
		_ = os.RemoveAll(dir)
	})
	for _, step := range []func() error{
		func() error { return os.Chmod(dir, 0o755) }, // check scripts may run as somebody else
		st.build,
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

// build makes the namespaces.
func (st *stage) build() (err error) {
	host := func(name, addr string) bridge.Host { return bridge.Host{Name: name, Addrs: []string{addr + "/24"}} }
	st.net, err = bridge.New("bf", host("a", addrA), host("b", addrB), host("web", strings.TrimSuffix(addrWeb, ":8000")), host("client", "10.77.0.50"))
	if err == nil {
		st.cleanup = append(st.cleanup, st.net.Close)
	}
	return err
}

// isolate keeps the nodes' ports from each other and leaves both to the client.
func (st *stage) isolate(on bool) error { return st.net.Isolate(on, "a", "b") }

// startWeb serves the page that all proxies fetch.
func (st *stage) startWeb() error {
	web, err := st.net.ServePage("web", addrWeb)
	if err == nil {
		st.cleanup = append(st.cleanup, func() { _ = web.Close() })
	}
	return err
}

// command prepares a program on a host, in the host's folder.
func (st *stage) command(host string, argv ...string) *exec.Cmd {
	cmd := st.net.Command(host, argv...)
	cmd.Dir = filepath.Join(st.dir, host)
	return cmd
}
