package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// within bounds every wait. It is only ever spent by a failing test.
const within = 20 * time.Second

// instance is this test's binary at work under the name haproxy.
type instance struct {
	t      *testing.T
	cmd    *exec.Cmd
	notes  *net.UnixConn // what it tells systemd
	stdout bytes.Buffer
	stderr bytes.Buffer
	pid    string // its pid file
	config string
	ended  chan struct{}
}

const answering = `
defaults
    mode http
    timeout client 20s
    timeout server 20s
    timeout connect 2s
frontend f
    monitor-uri /alive
    bind %s
`

// play starts haproxy with a listener of the test's making as descriptor 3, named
// by the variable fe, and args; %cfg and %pid stand for its files.
func play(t *testing.T, cfg string, fe *net.TCPListener, args ...string) *instance {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return playAs(t, exe, cfg, fe, args...)
}

// playAs starts any program that takes haproxy's command line.
func playAs(t *testing.T, program, cfg string, fe *net.TCPListener, args ...string) *instance {
	t.Helper()
	dir := t.TempDir()
	name := filepath.Join(dir, "haproxy")
	if err := os.Symlink(program, name); err != nil {
		t.Fatal(err)
	}
	i := &instance{t: t, pid: filepath.Join(dir, "pid"), config: filepath.Join(dir, "h.cfg"), ended: make(chan struct{})}
	i.write(cfg)
	var err error
	i.notes, err = net.ListenUnixgram("unixgram", &net.UnixAddr{Net: "unixgram", Name: filepath.Join(dir, "notify")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { i.notes.Close() })
	words := strings.NewReplacer("%cfg", i.config, "%pid", i.pid)
	for n := range args {
		args[n] = words.Replace(args[n])
	}
	i.cmd = exec.Command(name, args...)
	i.cmd.Stdout, i.cmd.Stderr = &i.stdout, &i.stderr
	i.cmd.Env = append(os.Environ(), "NOTIFY_SOCKET="+filepath.Join(dir, "notify"), "fe=3")
	i.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if fe != nil {
		f, err := fe.File()
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		i.cmd.ExtraFiles = []*os.File{f}
	}
	if err := i.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = i.cmd.Wait()
		close(i.ended)
	}()
	t.Cleanup(func() {
		_ = syscall.Kill(-i.cmd.Process.Pid, syscall.SIGKILL)
		<-i.ended
		if t.Failed() {
			t.Logf("%v said:\n%s", args, i.stderr.String())
		}
	})
	return i
}

func (i *instance) write(cfg string) {
	i.t.Helper()
	if err := os.WriteFile(i.config, []byte(cfg), 0o600); err != nil {
		i.t.Fatal(err)
	}
}

// told awaits the next datagram to systemd, which must begin with want.
func (i *instance) told(want string) {
	i.t.Helper()
	buf := make([]byte, 4096)
	if err := i.notes.SetReadDeadline(time.Now().Add(within)); err != nil {
		i.t.Fatal(err)
	}
	n, err := i.notes.Read(buf)
	if err != nil || !strings.HasPrefix(string(buf[:n]), want) {
		i.t.Fatalf("told %q (%v), want %q", buf[:n], err, want)
	}
}

func (i *instance) signal(sig syscall.Signal) {
	i.t.Helper()
	if err := i.cmd.Process.Signal(sig); err != nil {
		i.t.Fatal(err)
	}
}

// status awaits the end and returns it as shells have it.
func (i *instance) status() int {
	i.t.Helper()
	select {
	case <-i.ended:
	case <-time.After(within):
		i.t.Fatal("it goes on")
	}
	ws := i.cmd.ProcessState.Sys().(syscall.WaitStatus)
	if ws.Signaled() {
		return 128 + int(ws.Signal())
	}
	return ws.ExitStatus()
}

func (i *instance) writtenPID() int {
	i.t.Helper()
	b, err := os.ReadFile(i.pid)
	if err != nil {
		i.t.Fatal(err)
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		i.t.Fatal(err)
	}
	return n
}

// worker is the only child of a master.
func (i *instance) worker() int {
	i.t.Helper()
	p := i.cmd.Process.Pid
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", p, p))
	if err == nil {
		for _, task := range glob(fmt.Sprintf("/proc/%d/task/*/children", p)) {
			more, _ := os.ReadFile(task)
			if len(bytes.TrimSpace(more)) > 0 {
				b = more
			}
		}
	}
	n, convErr := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil || convErr != nil {
		i.t.Fatalf("children %q: %v, %v", b, err, convErr)
	}
	return n
}

func glob(pattern string) []string {
	list, _ := filepath.Glob(pattern)
	return list
}

// listen opens a listener for the test's proxies.
func listen(t *testing.T) *net.TCPListener {
	t.Helper()
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// freeAddress is one where nobody listens at the moment.
func freeAddress(t *testing.T) string {
	t.Helper()
	l := listen(t)
	defer l.Close()
	return l.Addr().String()
}

// knock asks for /alive on a connection of its own.
func knock(addr string) error {
	client := http.Client{Timeout: within, Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Get("http://" + addr + "/alive")
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return errors.New(res.Status)
	}
	return nil
}

// knocking asks all the time, on four sides, until the function that it returns is
// called; that one tells of the first failure.
func knocking(t *testing.T, addr string) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	var served atomic.Int64
	failures := make(chan error, 4)
	for range 4 {
		wg.Go(func() {
			for ctx.Err() == nil {
				if err := knock(addr); err != nil {
					failures <- err
					return
				}
				served.Add(1)
			}
		})
	}
	return func() {
		t.Helper()
		cancel()
		wg.Wait()
		select {
		case err := <-failures:
			t.Errorf("after %d requests: %v", served.Load(), err)
		default:
		}
		if served.Load() == 0 {
			t.Error("nothing was asked")
		}
	}
}

// In the foreground a signal ends it at once, though a request is under way;
// SIGUSR1 waits for its end.
func TestHAProxyForeground(t *testing.T) {
	t.Parallel()
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGUSR1} {
		t.Run(sig.String(), func(t *testing.T) {
			t.Parallel()
			fe := listen(t)
			i := play(t, fmt.Sprintf(answering, `"fd@${fe}"`), fe, "-db", "-f", "%cfg", "-p", "%pid")
			i.told("READY=1")
			if got := i.writtenPID(); got != i.cmd.Process.Pid {
				t.Errorf("pid file: %d, want %d", got, i.cmd.Process.Pid)
			}
			addr := fe.Addr().String()
			if err := knock(addr); err != nil {
				t.Fatal(err)
			}
			half, err := net.Dial("tcp", addr)
			if err != nil {
				t.Fatal(err)
			}
			defer half.Close()
			if _, err := half.Write([]byte("GET /alive HTTP/1.1\r\nHo")); err != nil {
				t.Fatal(err)
			}
			if err := knock(addr); err != nil { // the half request has been read by now, or soon
				t.Fatal(err)
			}
			i.signal(sig)
			if sig == syscall.SIGUSR1 {
				if _, err := half.Write([]byte("st: x\r\n\r\n")); err != nil {
					t.Fatal(err)
				}
				if b, err := io.ReadAll(half); err != nil || !bytes.HasPrefix(b, []byte("HTTP/1.1 200 ")) {
					t.Errorf("the request under way got %.30q, %v", b, err)
				}
			}
			if got := i.status(); got != 0 {
				t.Errorf("status %d", got)
			}
			if _, err := os.Stat(i.pid); err == nil {
				t.Error("the pid file is still there")
			}
		})
	}
}

// A master reloads without losing a connection, keeps the worker it has when the
// new files are wrong, and ends as the signal says.
func TestHAProxyMaster(t *testing.T) {
	t.Parallel()
	addr := freeAddress(t)
	cfg := fmt.Sprintf(answering, addr)
	i := play(t, cfg, nil, "-Ws", "-f", "%cfg", "-p", "%pid")
	i.told("READY=1")
	if got := i.writtenPID(); got != i.cmd.Process.Pid {
		t.Errorf("pid file: %d, want the master %d", got, i.cmd.Process.Pid)
	}
	stop := knocking(t, addr)
	for n := range 4 {
		i.write(fmt.Sprintf("global\n nbthread %d\n", 1+n%3) + cfg)
		i.signal([]syscall.Signal{syscall.SIGUSR2, syscall.SIGHUP}[n%2])
		i.told("RELOADING=1")
		i.told("READY=1\nMAINPID=" + strconv.Itoa(i.cmd.Process.Pid))
	}
	i.write(cfg + " nonsense\n")
	i.signal(syscall.SIGUSR2)
	i.told("RELOADING=1")
	i.told("READY=1\nSTATUS=Reload failed!")
	stop()
	if err := knock(addr); err != nil {
		t.Error(err)
	}
	i.signal(syscall.SIGINT)
	i.told("STOPPING=1")
	if got := i.status(); got != 128+int(syscall.SIGINT) {
		t.Errorf("status %d", got)
	}
	if err := knock(addr); err == nil {
		t.Error("a worker has outlived the master")
	}
}

// `user` and `group` hold for whoever serves, and not for a master.
func TestHAProxyDropsPrivileges(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	fe := listen(t)
	i := play(t, "global\n user nobody\n gid 12345\n"+fmt.Sprintf(answering, `"fd@${fe}"`), fe, "-W", "-f", "%cfg")
	i.told("READY=1")
	for pid, want := range map[int]string{i.cmd.Process.Pid: "0\t0", i.worker(): "65534\t12345"} {
		for _, status := range glob(fmt.Sprintf("/proc/%d/task/*/status", pid)) {
			b, err := os.ReadFile(status)
			if err != nil {
				continue // the thread has ended
			}
			var uid, gid, groups string
			for line := range strings.Lines(string(b)) {
				if v, ok := strings.CutPrefix(line, "Uid:\t"); ok {
					uid, _, _ = strings.Cut(v, "\t")
				} else if v, ok := strings.CutPrefix(line, "Gid:\t"); ok {
					gid, _, _ = strings.Cut(v, "\t")
				} else if v, ok := strings.CutPrefix(line, "Groups:\t"); ok {
					groups = strings.TrimSpace(v)
				}
			}
			if got := uid + "\t" + gid; got != want || groups != "" && uid != "0" {
				t.Errorf("%s: %q and groups %q, want %q", status, got, groups, want)
			}
		}
	}
	if err := knock(fe.Addr().String()); err != nil {
		t.Error(err)
	}
}

func TestHAProxyMasterEnds(t *testing.T) {
	t.Parallel()
	fe := listen(t)
	cfg := fmt.Sprintf(answering, `"fd@${fe}"`)

	t.Run("TERM", func(t *testing.T) {
		i := play(t, cfg, fe, "-W", "-f", "%cfg")
		i.told("READY=1")
		if err := knock(fe.Addr().String()); err != nil { // an inherited socket reaches the worker
			t.Error(err)
		}
		i.signal(syscall.SIGTERM)
		if got := i.status(); got != 0 {
			t.Errorf("status %d", got)
		}
	})
	t.Run("USR1", func(t *testing.T) {
		i := play(t, "global\n master-worker\n"+cfg, fe, "-f", "%cfg")
		i.told("READY=1")
		i.signal(syscall.SIGUSR1)
		if got := i.status(); got != 0 {
			t.Errorf("status %d", got)
		}
	})
	t.Run("worker killed", func(t *testing.T) {
		i := play(t, cfg, fe, "-W", "-f", "%cfg")
		i.told("READY=1")
		if err := syscall.Kill(i.worker(), syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		if got := i.status(); got != 128+int(syscall.SIGKILL) {
			t.Errorf("status %d", got)
		}
	})
	t.Run("cannot start", func(t *testing.T) {
		i := play(t, fmt.Sprintf(answering, fe.Addr()), nil, "-W", "-f", "%cfg", "-p", "%pid")
		if got := i.status(); got != 1 {
			t.Errorf("status %d", got)
		}
		if _, err := os.Stat(i.pid); err == nil {
			t.Error("the pid file is still there")
		}
		if !strings.Contains(i.stderr.String(), "cannot bind socket (address already in use)") {
			t.Error("the reason is missing")
		}
	})
	t.Run("master killed", func(t *testing.T) {
		i := play(t, cfg, fe, "-W", "-f", "%cfg")
		i.told("READY=1")
		idle, err := net.Dial("tcp", fe.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer idle.Close()
		if err := idle.SetDeadline(time.Now().Add(within)); err != nil {
			t.Fatal(err)
		}
		from := bufio.NewReader(idle)
		if _, err := idle.Write([]byte("GET /alive HTTP/1.1\r\nHost: x\r\n\r\n")); err != nil {
			t.Fatal(err)
		}
		res, err := http.ReadResponse(from, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, res.Body); err != nil {
			t.Fatal(err)
		}
		i.signal(syscall.SIGKILL)
		if _, err := from.ReadByte(); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("the worker goes on: %v", err)
		}
	})
}

// -sf: the new process takes the sockets over and sends the old one away.
func TestHAProxyFinishesOldProcess(t *testing.T) {
	t.Parallel()
	addr := freeAddress(t)
	cfg := fmt.Sprintf(answering, addr)
	old := play(t, cfg, nil, "-db", "-f", "%cfg", "-p", "%pid")
	old.told("READY=1")
	stop := knocking(t, addr)
	for range 3 {
		next := play(t, cfg, nil, "-db", "-f", "%cfg", "-p", "%pid", "-sf", strconv.Itoa(old.cmd.Process.Pid))
		next.told("READY=1")
		if got := old.status(); got != 0 {
			t.Errorf("the old process ended with %d", got)
		}
		old = next
	}
	stop()
	last := play(t, cfg, nil, "-db", "-f", "%cfg")
	if got := last.status(); got != 1 {
		t.Errorf("beside another process: status %d", got)
	}
}

// -x: a haproxy that runs gives its listening sockets, and nobody notices the change.
func TestHAProxyTakesOverFromHAProxy(t *testing.T) {
	t.Parallel()
	haproxy, err := exec.LookPath("/usr/sbin/haproxy") // on the PATH of these tests it is baton
	if err != nil {
		t.Skip("there is no haproxy on this host")
	}
	addr, dir := freeAddress(t), t.TempDir()
	cfg := fmt.Sprintf(answering, addr)
	file, socket := filepath.Join(dir, "old.cfg"), filepath.Join(dir, "stats.sock")
	if err := os.WriteFile(file, []byte("global\n stats socket "+socket+" level admin expose-fd listeners\n"+cfg), 0o600); err != nil {
		t.Fatal(err)
	}
	old := exec.Command(haproxy, "-db", "-f", file)
	if err := old.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = old.Process.Kill() })
	for end := time.Now().Add(within); knock(addr) != nil; {
		if time.Now().After(end) {
			t.Fatal("haproxy does not start")
		}
	}
	stop := knocking(t, addr)
	next := play(t, cfg, nil, "-db", "-f", "%cfg", "-x", socket)
	next.told("READY=1") // with sockets of its own the address would be in use
	if err := old.Process.Signal(syscall.SIGUSR1); err != nil {
		t.Fatal(err)
	}
	if err := old.Wait(); err != nil {
		t.Errorf("haproxy ended with %v", err)
	}
	stop()
	without := play(t, cfg, nil, "-db", "-f", "%cfg", "-x", socket)
	if got := without.status(); got != 1 || !strings.Contains(without.stderr.String(), "Failed to get the sockets from the old process") {
		t.Errorf("status %d, %s", got, without.stderr.String())
	}
}

// -D returns when the process in the background serves, or with what is wrong.
func TestHAProxyDaemon(t *testing.T) {
	t.Parallel()
	addr := freeAddress(t)
	i := play(t, fmt.Sprintf(answering, addr), nil, "-D", "-f", "%cfg", "-p", "%pid")
	if got := i.status(); got != 0 {
		t.Fatalf("status %d: %s", got, i.stderr.String())
	}
	pid := i.writtenPID()
	t.Cleanup(func() { _ = syscall.Kill(pid, syscall.SIGKILL) })
	if pid == i.cmd.Process.Pid {
		t.Error("the process in the foreground is the daemon")
	}
	if err := knock(addr); err != nil {
		t.Error(err)
	}
	busy := play(t, fmt.Sprintf(answering, addr), nil, "-D", "-f", "%cfg")
	if got := busy.status(); got != 1 || !strings.Contains(busy.stderr.String(), "address already in use") {
		t.Errorf("status %d, %s", got, busy.stderr.String())
	}
	idle, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer idle.Close()
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := idle.SetReadDeadline(time.Now().Add(within)); err != nil {
		t.Fatal(err)
	}
	if _, err := idle.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the daemon goes on: %v", err)
	}
}
