package lab

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// The files of a host that its process writes.
const (
	ownLog     = "baton.log"   // stderr: the daemon's own log
	trafficLog = "traffic.log" // stdout: `log stdout` in haproxy.cfg
)

// process is a child that runs on a host of the lab.
type process struct {
	host string
	cmd  *exec.Cmd
	log  string        // file with what it says,
	from int64         // from here on: before it stands what its predecessors said
	done chan struct{} // closed when it has ended and was reaped
}

// lifetime says what becomes of a child when this process ends.
type lifetime int

const (
	detached lifetime = iota // it goes on
	bound                    // the kernel kills it (Pdeathsig)
)

// command prepares this binary on a host.
//
// A bound child must be started from a goroutine that is locked to its thread:
// Pdeathsig comes when the thread ends that started the child.
func (l *Lab) command(h string, life lifetime, args ...string) *exec.Cmd {
	// ip replaces itself with the program, so the process is the program's.
	cmd := exec.Command(l.ip, append([]string{"netns", "exec", l.namespace(h), l.exe}, args...)...)
	cmd.Dir = l.path(h)
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		// What systemd said to this process is not meant for that one.
		return slices.Contains([]string{"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "JOURNAL_STREAM", "LISTEN_PID", "LISTEN_FDS"}, name)
	})
	// A group of its own: Ctrl-C at the terminal is for this process alone.
	if life == bound {
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	} else {
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	}
	return cmd
}

// launch starts a prepared command. What it writes to stderr goes to its log, and
// a copy of each line to lines, when that is not nil.
func (l *Lab) launch(h string, cmd *exec.Cmd, lines io.Writer) (*process, error) {
	p := &process{host: h, cmd: cmd, log: l.path(h, ownLog), done: make(chan struct{})}
	file, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open the log of %s: %w", h, err)
	}
	if p.from, err = file.Seek(0, io.SeekEnd); err != nil {
		return nil, errors.Join(fmt.Errorf("open the log of %s: %w", h, err), file.Close())
	}
	cmd.Stderr = file
	if lines != nil {
		cmd.Stderr = io.MultiWriter(file, lines)
	}
	if err := cmd.Start(); err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("start %s: %w", h, err)
	}
	go func() {
		_ = cmd.Wait()
		_ = file.Close()
		close(p.done)
	}()
	return p, nil
}

// startNode starts `baton run` with the node's two files.
func (l *Lab) startNode(h host, life lifetime, lines io.Writer) (*process, error) {
	cmd := l.command(h.name, life, "run", "-f", "haproxy.cfg", "-f", "keepalived.conf", "--node", h.name, "--socket", l.socket(h.name))
	out, err := os.OpenFile(l.path(h.name, trafficLog), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open the log of %s: %w", h.name, err)
	}
	defer out.Close() // the child has its own descriptor
	cmd.Stdout = out
	return l.launch(h.name, cmd, lines)
}

// startServer starts a web server, or the name server, and returns when it listens.
func (l *Lab) startServer(h host, life lifetime) (*process, error) {
	args := []string{"lab", "web", h.name, h.addr + ":80"}
	if h.role == names {
		args = []string{"lab", "nameserver", h.addr + ":53", zoneFile}
	}
	cmd := l.command(h.name, life, args...)
	r, w, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", h.name, err)
	}
	defer r.Close()
	cmd.Stdout = w
	p, err := l.launch(h.name, cmd, nil)
	_ = w.Close()
	if err != nil {
		return nil, err
	}
	_ = r.SetReadDeadline(time.Now().Add(goneWithin))
	if _, err := bufio.NewReader(r).ReadString('\n'); err != nil {
		p.kill()
		return nil, p.failed(fmt.Errorf("%s does not start to listen: %w", h.name, err))
	}
	return p, nil
}

// kill ends a child of this process and reaps it.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

// failed adds the last lines of the process's log to an error.
func (p *process) failed(err error) error {
	if tail := lastLines(p.log, p.from, 12); tail != "" {
		return fmt.Errorf("%w\nthe last lines of %s:\n%s", err, p.log, tail)
	}
	return fmt.Errorf("%w; it said nothing", err)
}

// lastLines returns the last n lines of what stands in a file behind from, indented.
func lastLines(path string, from int64, n int) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return "    " + err.Error()
	}
	b = b[min(from, int64(len(b))):]
	lines := slices.Collect(strings.Lines(string(bytes.TrimSpace(b))))
	lines = lines[max(0, len(lines)-n):]
	if len(lines) == 0 {
		return ""
	}
	return "    " + strings.Join(lines, "    ")
}

// find returns the process that makes a host what it is, or 0. It goes by the
// command line, so it also finds one that somebody started by hand.
func (l *Lab) find(h host) (pid int, err error) {
	pids, err := l.pids(l.namespace(h.name))
	if err != nil {
		return 0, err
	}
	for _, pid := range pids {
		b, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline"))
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
			continue // it has just ended
		}
		if err != nil {
			return 0, err
		}
		args := strings.Split(string(b), "\x00")
		verb := map[role]string{node: "run", web: "lab web", names: "lab nameserver"}[h.role]
		if len(args) > 2 && verb != "" && strings.HasPrefix(strings.Join(args[1:], " ")+" ", verb+" ") {
			return pid, nil
		}
	}
	return 0, nil
}
