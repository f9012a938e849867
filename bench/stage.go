package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

//go:embed testdata/proxy.cfg
var proxyConf string

//go:embed testdata/nginx.conf
var nginxConf string

//go:embed testdata/origin.conf
var originConf string

const (
	proxyCore = "0"
	loadCore  = "1"
	bulkSize  = 10 << 20
)

// proxy is one of the competitors while it runs.
type proxy struct {
	name, version string
	http, tcp     int // ports; tcp is 0 where L4 is not available
	cmd           *exec.Cmd
	idleRSS       int64 // bytes
}

// stage is all that runs during the benchmark.
type stage struct {
	dir       string
	proxies   []*proxy
	realistic []*proxy // with realistic.cfg
	origin    *exec.Cmd
	drain     *exec.Cmd // reads their log
	port      int       // the origin's
}

func newStage(dir, baton string) (*stage, error) {
	for _, tool := range []string{"haproxy", "nginx", "wrk", "taskset"} {
		if _, err := exec.LookPath(tool); err != nil {
			return nil, fmt.Errorf("%s is missing: run `sudo make bench`, which installs what it needs, or install it yourself", tool)
		}
	}
	st := &stage{dir: dir}
	ports, err := freePorts(7)
	if err != nil {
		return nil, err
	}
	st.port = ports[0]
	if err := st.startOrigin(); err != nil {
		return nil, err
	}
	cfg := filepath.Join(dir, "proxy.cfg")
	if err := os.WriteFile(cfg, []byte(proxyConf), 0o644); err != nil {
		return nil, err
	}
	st.proxies = []*proxy{
		{name: "baton", http: ports[1], tcp: ports[2], version: firstLine(baton, "version")},
		{name: "haproxy", http: ports[3], tcp: ports[4], version: firstLine("haproxy", "-v")},
		{name: "nginx", http: ports[5], tcp: ports[6], version: firstLine("nginx", "-v")},
	}
	commands := [][]string{
		{baton, "run", "-f", cfg, "--socket", filepath.Join(dir, "baton.sock")},
		{"haproxy", "-db", "-f", cfg},
		{"nginx", "-c", filepath.Join(dir, "nginx.conf")},
	}
	if err := st.nginxFile(st.proxies[2]); err != nil {
		return nil, err
	}
	if err := st.startProxies(st.proxies, commands); err != nil {
		st.close()
		return nil, err
	}
	if err := st.startRealistic(baton); err != nil {
		st.close()
		return nil, err
	}
	return st, nil
}

func (st *stage) startProxies(proxies []*proxy, commands [][]string) (err error) {
	for i, p := range proxies {
		env := []string{
			fmt.Sprintf("BENCH_HTTP=%d", p.http), fmt.Sprintf("BENCH_TCP=%d", p.tcp), fmt.Sprintf("BENCH_ORIGIN=%d", st.port), "BENCH_DIR=" + st.dir,
		}
		if p.cmd, err = st.start(proxyCore, env, commands[i]...); err != nil {
			return err
		}
		if err := awaitPort(p.http); err != nil {
			return fmt.Errorf("%s does not answer: %w\n%s", p.name, err, st.log(p.cmd))
		}
		p.idleRSS = p.rss()
	}
	return nil
}

// competitors are those that a scenario measures.
func (st *stage) competitors(sc scenario) []*proxy {
	if sc.realistic {
		return st.realistic
	}
	return st.proxies
}

func (st *stage) startOrigin() error {
	conf := st.fill(originConf, "@ORIGIN@", strconv.Itoa(st.port), "@BODY@", strings.Repeat("0123456789", 10))
	if err := os.WriteFile(filepath.Join(st.dir, "origin.conf"), []byte(conf), 0o644); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(st.dir, "bulk"), bytes.Repeat([]byte("0123456789abcdef"), bulkSize/16), 0o644); err != nil {
		return err
	}
	// nginx started by root gives its worker to another user, who must find the file.
	if err := os.Chmod(st.dir, 0o755); err != nil {
		return err
	}
	var err error
	st.origin, err = st.start(loadCore, nil, "nginx", "-c", filepath.Join(st.dir, "origin.conf"))
	if err != nil {
		return err
	}
	return awaitPort(st.port)
}

// nginxFile writes nginx's configuration; L4 needs its stream module, which Debian
// packages apart.
func (st *stage) nginxFile(p *proxy) error {
	module, stream := "", ""
	const path = "/usr/lib/nginx/modules/ngx_stream_module.so"
	if _, err := os.Stat(path); err == nil {
		module = "load_module " + path + ";"
		stream = fmt.Sprintf("stream { server { listen 127.0.0.1:%d backlog=4096; proxy_pass 127.0.0.1:%d; } }", p.tcp, st.port)
	} else {
		p.tcp = 0
	}
	conf := st.fill(nginxConf, "@HTTP@", strconv.Itoa(p.http), "@ORIGIN@", strconv.Itoa(st.port), "@STREAM_MODULE@", module, "@STREAM@", stream)
	return os.WriteFile(filepath.Join(st.dir, "nginx.conf"), []byte(conf), 0o644)
}

func (st *stage) fill(text string, pairs ...string) string {
	return strings.NewReplacer(append(pairs, "@DIR@", st.dir)...).Replace(text)
}

// start runs a command on one core, in a process group of its own.
func (st *stage) start(core string, env []string, argv ...string) (*exec.Cmd, error) {
	cmd := exec.Command("taskset", append([]string{"-c", core}, argv...)...)
	cmd.Env = append(os.Environ(), env...)
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	cmd.SysProcAttr = ownGroup()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return cmd, nil
}

func (st *stage) log(cmd *exec.Cmd) string {
	if b, ok := cmd.Stderr.(*bytes.Buffer); ok {
		return b.String()
	}
	return ""
}

// close ends everything that was started.
func (st *stage) close() {
	for _, p := range append(st.proxies, st.realistic...) {
		endGroup(p.cmd)
	}
	endGroup(st.drain)
	endGroup(st.origin)
}

func firstLine(argv ...string) string {
	out, _ := exec.Command(argv[0], argv[1:]...).CombinedOutput() // an unknown version is no reason to stop
	line, _, _ := strings.Cut(string(out), "\n")
	return line
}

// freePorts returns ports that nobody listens on now.
func freePorts(n int) ([]int, error) {
	var ports []int
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}

func awaitPort(port int) error {
	return await(func() error {
		c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			return err
		}
		return c.Close()
	})
}

func awaitFile(path string) error {
	return await(func() error {
		_, err := os.Stat(path)
		return err
	})
}

// await tries for five seconds.
func await(try func() error) (err error) {
	for range 500 {
		if err = try(); err == nil {
			return nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	return err
}
