package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// scenario is one kind of load.
type scenario struct {
	name  string
	tcp   bool
	conns int
	path  string
	close bool // a new connection per request
	bulk  bool // what counts is bytes, not requests

	realistic bool // with realistic.cfg, by those that can read it
}

var scenarios = []scenario{
	{name: "L7 keep-alive, 64 connections", conns: 64, path: "/"},
	{name: "L7 keep-alive, 512 connections", conns: 512, path: "/"},
	{name: "L4, 64 connections", tcp: true, conns: 64, path: "/"},
	{name: "L4, 512 connections", tcp: true, conns: 512, path: "/"},
	{name: "L7 bulk, 10 MB bodies", conns: 8, path: "/bulk", bulk: true},
	{name: "L4 bulk, 10 MB bodies", tcp: true, conns: 8, path: "/bulk", bulk: true},
	{name: "L7 new connection per request", conns: 64, path: "/", close: true},
	{name: "L7 realistic, 64 connections", conns: 64, path: "/", realistic: true},
}

// sample is what one slice showed.
type sample struct {
	cpu  float64 // microseconds of CPU per request; milliseconds per GB in bulk
	rate float64 // requests per second; MB per second in bulk
	p99  float64 // milliseconds
	rss  float64 // MB at the end of the slice
}

// series collects the slices of one proxy in one scenario.
type series struct{ cpu, rate, p99, rss []float64 }

func (s *series) add(x sample) {
	s.cpu, s.rate, s.p99, s.rss = append(s.cpu, x.cpu), append(s.rate, x.rate), append(s.p99, x.p99), append(s.rss, x.rss)
}

func median(v []float64) float64 {
	v = slices.Clone(v)
	slices.Sort(v)
	return v[len(v)/2]
}

// measure runs one slice of load against one proxy, after a second to warm up.
func (st *stage) measure(p *proxy, sc scenario, slice time.Duration) (sample, error) {
	if _, err := st.load(p, sc, time.Second); err != nil {
		return sample{}, err
	}
	before := p.cpu()
	out, err := st.load(p, sc, slice)
	if err != nil {
		return sample{}, err
	}
	spent := p.cpu() - before
	w, err := parseWrk(out)
	if err != nil {
		return sample{}, err
	}
	s := sample{p99: w.p99, rss: float64(p.rss()) / 1e6}
	if sc.bulk {
		s.cpu = spent.Seconds() * 1000 / (w.bytes / 1e9)
		s.rate = w.bytes / 1e6 / w.seconds
	} else {
		s.cpu = spent.Seconds() * 1e6 / w.requests
		s.rate = w.requests / w.seconds
	}
	return s, nil
}

func (st *stage) load(p *proxy, sc scenario, d time.Duration) (string, error) {
	port := p.http
	if sc.tcp {
		port = p.tcp
	}
	args := []string{
		"-c", loadCore, "wrk", "-t1", fmt.Sprintf("-c%d", sc.conns), fmt.Sprintf("-d%ds", int(d.Seconds())), "--latency", "--timeout", "10s",
	}
	if sc.close {
		args = append(args, "-H", "Connection: close")
	}
	if sc.realistic {
		for _, h := range realisticHeaders {
			args = append(args, "-H", h)
		}
	}
	args = append(args, fmt.Sprintf("http://127.0.0.1:%d%s", port, sc.path))
	out, err := exec.Command("taskset", args...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("wrk: %w\n%s", err, out)
	}
	return string(out), nil
}

// wrkResult is what wrk printed.
type wrkResult struct{ requests, seconds, bytes, p99 float64 }

var (
	wrkTotal  = regexp.MustCompile(`(\d+) requests in ([\d.]+)(s|m), ([\d.]+)(B|KB|MB|GB) read`)
	wrkP99    = regexp.MustCompile(`99%\s+([\d.]+)(us|ms|s)`)
	wrkErrors = regexp.MustCompile(`(Socket errors:.*|Non-2xx.*)`)
)

// parseWrk reads wrk's report. A run with errors measured something else than was
// asked and is refused.
func parseWrk(out string) (wrkResult, error) {
	if m := wrkErrors.FindString(out); m != "" {
		return wrkResult{}, fmt.Errorf("wrk saw errors: %s", m)
	}
	t, p := wrkTotal.FindStringSubmatch(out), wrkP99.FindStringSubmatch(out)
	if t == nil || p == nil {
		return wrkResult{}, fmt.Errorf("cannot read wrk's report:\n%s", out)
	}
	unit := map[string]float64{"B": 1, "KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30, "s": 1, "m": 60}
	ms := map[string]float64{"us": 0.001, "ms": 1, "s": 1000}
	r := wrkResult{requests: number(t[1]), seconds: number(t[2]) * unit[t[3]], bytes: number(t[4]) * unit[t[5]], p99: number(p[1]) * ms[p[2]]}
	if r.bytes == 0 {
		return wrkResult{}, fmt.Errorf("no request was answered")
	}
	return r, nil
}

func number(s string) float64 {
	f, _ := strconv.ParseFloat(s, 64) // the pattern lets digits through only
	return f
}

// members lists the processes of a proxy: nginx has a worker below its master.
func (p *proxy) members() []string {
	pids := []string{strconv.Itoa(p.cmd.Process.Pid)}
	children, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", p.cmd.Process.Pid))
	for _, f := range children {
		b, _ := os.ReadFile(f)
		pids = append(pids, strings.Fields(string(b))...)
	}
	return pids
}

// cpu is the user and system time that the proxy has used (proc(5), stat).
func (p *proxy) cpu() time.Duration {
	var ticks int64
	for _, pid := range p.members() {
		b, _ := os.ReadFile("/proc/" + pid + "/stat")
		_, rest, _ := strings.Cut(string(b), ") ")
		if f := strings.Fields(rest); len(f) > 12 {
			ticks += int64(number(f[11]) + number(f[12]))
		}
	}
	return time.Duration(ticks) * time.Second / 100
}

// rss is the resident memory, in bytes.
func (p *proxy) rss() int64 {
	var pages int64
	for _, pid := range p.members() {
		b, _ := os.ReadFile("/proc/" + pid + "/statm")
		if f := strings.Fields(string(b)); len(f) > 1 {
			pages += int64(number(f[1]))
		}
	}
	return pages * int64(os.Getpagesize())
}

func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

func endGroup(cmd *exec.Cmd) {
	if cmd != nil && cmd.Process != nil {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // it may have ended
		_ = cmd.Wait()
	}
}
