package e2e

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"baton/internal/nettest"
)

// patience bounds every wait for an event. It measures nothing.
const patience = 30 * time.Second

// node is a host that runs baton, or keepalived, with files of its own.
type node struct {
	*nettest.Host
	t         *testing.T
	dir       string
	addresses *addresses
	proc      *proc // the daemon that was started last
}

// proc is a started daemon.
type proc struct {
	cmd  *exec.Cmd
	log  *syncBuffer
	told *syncBuffer   // what it told systemd
	done chan struct{} // closed when it has exited
}

func newNode(t *testing.T, sw *nettest.Switch, name, addr string) *node {
	t.Helper()
	h := sw.Host(name, addr)
	return &node{Host: h, t: t, dir: t.TempDir(), addresses: watchAddresses(t, h)}
}

// write puts a file into the node's folder.
func (n *node) write(name, text string) string {
	n.t.Helper()
	path := filepath.Join(n.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		n.t.Fatal(err)
	}
	return path
}

func (n *node) socket() string { return filepath.Join(n.dir, "run", "baton.sock") }

// command prepares a baton command on the node, in its folder.
func (n *node) command(args ...string) *exec.Cmd {
	cmd := n.Command(batonPath, args...)
	cmd.Dir = n.dir
	return cmd
}

// launch starts a program and collects what it says.
func (n *node) launch(cmd *exec.Cmd) *proc {
	n.t.Helper()
	p := &proc{cmd: cmd, log: &syncBuffer{}, told: &syncBuffer{}, done: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = p.log, p.log
	if err := cmd.Start(); err != nil {
		n.t.Fatal(err)
	}
	go func() {
		_ = cmd.Wait()
		close(p.done)
	}()
	n.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-p.done
		if n.t.Failed() {
			n.t.Logf("%s said:\n%s", n.Name, p.log)
		}
	})
	n.proc = p
	return p
}

// run starts `baton run` and waits for READY=1.
func (n *node) run(args ...string) {
	n.t.Helper()
	n.runCommand(n.command(append([]string{"run", "--socket", n.socket()}, args...)...))
}

// runCommand is run with a prepared command.
func (n *node) runCommand(cmd *exec.Cmd) {
	n.t.Helper()
	notify := filepath.Join(n.dir, "notify")
	_ = os.Remove(notify)
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: notify, Net: "unixgram"})
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() { _ = conn.Close() })
	if err := os.Chmod(notify, 0o777); err != nil {
		n.t.Fatal(err)
	}
	cmd.Env = append(cmd.Environ(), "NOTIFY_SOCKET="+notify)
	p := n.launch(cmd)

	ready := make(chan error, 1)
	go func() {
		var once sync.Once
		b := make([]byte, 4096)
		for { // for as long as it lives: a full socket would block the daemon
			k, err := conn.Read(b)
			_, _ = p.told.Write(append(b[:k:k], '\n'))
			switch {
			case err != nil:
				once.Do(func() { ready <- err })
				return
			case bytes.Contains(b[:k], []byte("READY=1")):
				once.Do(func() { ready <- nil })
			}
		}
	}()
	select {
	case err := <-ready:
		if err != nil {
			n.t.Fatal(err)
		}
	case <-p.done:
		n.t.Fatalf("%s: baton ended before it was ready:\n%s", n.Name, p.log)
	case <-time.After(patience):
		n.t.Fatalf("%s: baton does not become ready:\n%s", n.Name, p.log)
	}
}

// kill sends SIGKILL and waits for the end.
func (n *node) kill() {
	n.t.Helper()
	_ = n.proc.cmd.Process.Kill()
	<-n.proc.done
}

// stop sends SIGTERM and returns the exit status.
func (n *node) stop() int {
	n.t.Helper()
	_ = n.proc.cmd.Process.Signal(syscall.SIGTERM)
	return n.wait()
}

// wait returns the exit status.
func (n *node) wait() int {
	n.t.Helper()
	select {
	case <-n.proc.done:
	case <-time.After(patience):
		n.t.Fatalf("%s does not end:\n%s", n.Name, n.proc.log)
	}
	return n.proc.cmd.ProcessState.ExitCode()
}

// status returns what `baton status` prints.
func (n *node) status() string {
	n.t.Helper()
	out, err := n.command("status", "--socket", n.socket()).CombinedOutput()
	if err != nil {
		n.t.Fatalf("%s: baton status: %v\n%s", n.Name, err, out)
	}
	return string(out)
}

// fails runs a baton command that must fail with status 1 and returns what it said.
func (n *node) fails(args ...string) string {
	n.t.Helper()
	ctx, cancel := context.WithTimeout(n.t.Context(), patience)
	defer cancel()
	cmd := n.command(args...)
	stop := context.AfterFunc(ctx, func() { _ = cmd.Process.Kill() })
	defer stop()
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 {
		n.t.Fatalf("baton %s: %v, want exit status 1\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// await polls a condition that nothing signals.
func await(t *testing.T, what string, cond func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !cond() {
		if time.Now().After(deadline) {
			t.Fatalf("never happened: %s", what)
		}
		<-time.After(20 * time.Millisecond)
	}
}

// syncBuffer is a bytes.Buffer for a writing process and a reading test.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// mustContain fails the test unless text holds all parts.
func mustContain(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("%q is missing in:\n%s", p, text)
		}
	}
}
