// Command vrrp measures how two daemons keep up their adverts, side by side: keepalived
// (with haproxy, where there is traffic) and baton, with the same files.
//
//   - load: 10 ms adverts while the node's proxy is under full load on all cores
//   - many: what an advert costs with 500 instances at 1 s and with 20 at 10 ms
//   - exodus: the master of 200 instances dies: how far apart their announcements are
//   - soak: minutes of 10 ms adverts on a host that is busy with other work
//
// The nodes have network namespaces of their own on one bridge. A further host on it
// captures; its kernel stamps each frame when it is sent.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"baton/bench/internal/bridge"
)

type options struct {
	only  []string
	load  time.Duration
	count time.Duration // over which the cost of adverts is counted
	soak  time.Duration
	baton string
	out   string
}

// scenario is one measurement; it returns its part of the report.
type scenario struct {
	name string
	run  func(*stage, options) (string, error)
}

var scenarios = []scenario{{"load", load}, {"many", many}, {"exodus", exodus}, {"soak", soak}}

func main() {
	runtime.LockOSThread() // the kernel ends a child with the thread that started it
	var o options
	flag.Func("only", "some of load,many,exodus,soak (default all)", func(s string) error {
		for w := range strings.SplitSeq(s, ",") {
			if !slices.ContainsFunc(scenarios, func(sc scenario) bool { return sc.name == w }) {
				return fmt.Errorf("there is no %q", w)
			}
			o.only = append(o.only, w)
		}
		return nil
	})
	flag.DurationVar(&o.load, "load", time.Minute, "length of the load, for each system")
	flag.DurationVar(&o.count, "count", 20*time.Second, "over what time the cost of adverts is counted")
	flag.DurationVar(&o.soak, "soak", 10*time.Minute, "length of the soak, both systems at once")
	flag.StringVar(&o.baton, "baton", "bin/baton", "the baton to measure")
	flag.StringVar(&o.out, "o", "", "also write the results, as Markdown, to this file")
	flag.Parse()
	if err := run(o); err != nil {
		fmt.Fprintln(os.Stderr, "vrrp:", err)
		os.Exit(1)
	}
}

func run(o options) error {
	binary, err := filepath.Abs(o.baton)
	if err != nil {
		return err
	}
	for _, tool := range []string{"ip", "haproxy", "keepalived", "wrk", "dumpcap", binary} {
		if _, err := exec.LookPath(tool); err != nil {
			return fmt.Errorf("%s is missing: run `sudo make bench-vrrp`, which installs what it needs", tool)
		}
	}
	st, err := newStage(binary)
	if err != nil {
		return err
	}
	defer st.close()
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-interrupted
		st.close()
		os.Exit(1)
	}()
	text := fmt.Sprintf("# Adverts, measured on %s UTC\n\n%d cores. %s, %s.\n", time.Now().UTC().Format("2006-01-02 15:04"),
		runtime.NumCPU(), version(binary, "version"), version("keepalived", "--version"))
	fmt.Print(text)
	for _, sc := range scenarios {
		if len(o.only) > 0 && !slices.Contains(o.only, sc.name) {
			continue
		}
		part, err := sc.run(st, o)
		if err != nil {
			return fmt.Errorf("%s: %w", sc.name, err)
		}
		fmt.Print(part)
		text += part
	}
	if o.out == "" {
		return nil
	}
	return os.WriteFile(o.out, []byte(text), 0o644)
}

// version is the first line that a program says of itself.
func version(argv ...string) string {
	out, _ := exec.Command(argv[0], argv[1:]...).CombinedOutput() // an unknown version is no reason to stop
	line, _, _ := strings.Cut(string(out), "\n")
	return line
}

// stage is the network and what runs on it.
type stage struct {
	net     *bridge.Bridge
	dir     string
	baton   string
	running []*exec.Cmd
}

func newStage(baton string) (*stage, error) {
	var hosts []bridge.Host
	for name, last := range lastByte {
		h := bridge.Host{Name: name, Addrs: []string{fmt.Sprintf("10.77.0.%d/24", last)}}
		if name == nodes[0] || name == nodes[1] { // a router ID is one byte, and there are to be 500 instances
			h.Addrs = append(h.Addrs, fmt.Sprintf("10.77.1.%d/24", last))
		}
		hosts = append(hosts, h)
	}
	dir, err := os.MkdirTemp("", "baton-bench-vrrp-")
	if err != nil {
		return nil, err
	}
	st := &stage{dir: dir, baton: baton}
	if st.net, err = bridge.New("bv", hosts...); err != nil {
		_ = os.RemoveAll(dir)
		return nil, err
	}
	return st, errors.Join(os.Chmod(dir, 0o755)) // dumpcap may run as somebody else
}

// lastByte tells the hosts' addresses: in a capture it names the node.
var lastByte = map[string]byte{"a": 11, "b": 12, "c": 13, "d": 14, "web": 60, "client": 50, "watch": 70}

func (st *stage) close() {
	for _, cmd := range st.running {
		bridge.End(cmd)
	}
	st.running = nil
	st.net.Close()
	_ = os.RemoveAll(st.dir)
}

// start starts a program on a host; what it says goes into a file of its name.
func (st *stage) start(host, name string, argv ...string) (*exec.Cmd, error) {
	log, err := os.Create(filepath.Join(st.dir, host+"-"+name+".log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := st.net.Command(host, argv...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s on %s: %w", name, host, err)
	}
	st.running = append(st.running, cmd)
	return cmd, nil
}
