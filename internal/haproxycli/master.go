package haproxycli

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"syscall"

	"baton/internal/sys"
)

// Master runs workers, one after the other, and hands the listening sockets from
// each to the next. It reads no configuration and opens no socket of its own.
type Master struct {
	Path    string // the program
	Args    []string
	Sockets Sockets // that the first worker begins with; the master owns them
	Report  *Reporter
	Signals <-chan os.Signal
	// OnReady is called when the first worker serves; its error ends the master.
	OnReady func() error
	// Notify tells systemd.
	Notify func(state string)

	mu      sync.Mutex // over Sockets
	events  chan event
	workers []*worker // alive, in the order of their start
	current *worker   // the one that serves
	first   bool      // OnReady has been called
	again   bool      // a reload was asked for while one was under way
	ending  syscall.Signal
	status  int
}

// worker is one worker process.
type worker struct {
	process *os.Process
	link    link
	leaving bool // was told to finish
}

// event is what a worker's goroutine reports: that it serves, or that it ended.
type event struct {
	w       *worker
	sockets Sockets          // it serves, with these
	ended   *os.ProcessState // it has ended
}

// Run is the master's life; it returns the exit status.
func (m *Master) Run() int {
	m.events = make(chan event)
	if err := m.start(); err != nil {
		m.Report.Sayf(Alert, "[haproxy.main()] cannot start a worker: %v", err)
		return 1
	}
	for len(m.workers) > 0 {
		select {
		case sig := <-m.Signals:
			m.signal(sig)
		case e := <-m.events:
			if e.ended != nil {
				m.ended(e.w, e.ended)
			} else {
				m.ready(e.w, e.sockets)
			}
		}
	}
	m.replace(nil)
	m.Report.Sayf(Warning, "All workers exited. Exiting... (%d)", m.status)
	return m.status
}

// replace takes other sockets in the place of those that the master holds.
func (m *Master) replace(sockets Sockets) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.Sockets.Close()
	m.Sockets = sockets
}

// Each calls send for every listening socket of the present worker. It is safe for
// other goroutines.
func (m *Master) Each(send func(key string, fd sys.FD) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.Sockets.Each(send)
}

// signal obeys one signal.
func (m *Master) signal(sig os.Signal) {
	switch sig {
	case syscall.SIGUSR2, syscall.SIGHUP:
		m.reload()
	case syscall.SIGUSR1:
		m.end(syscall.SIGUSR1, 0)
	case syscall.SIGINT:
		m.end(syscall.SIGTERM, 128+int(syscall.SIGINT))
	case syscall.SIGTERM:
		m.end(syscall.SIGTERM, 0)
	}
}

// end tells every worker to end. A later, stronger word is passed on too.
func (m *Master) end(sig syscall.Signal, status int) {
	if m.ending == 0 {
		m.Notify("STOPPING=1")
	}
	m.ending, m.status = sig, status
	m.replace(nil) // a socket that only the master had would take connections that nobody serves
	for _, w := range m.workers {
		_ = w.process.Signal(sig) // it may have ended by itself
	}
}

func (m *Master) reload() {
	switch {
	case m.ending != 0:
		return
	case m.starting() != nil:
		m.again = true
		return
	}
	m.again = false
	m.Report.Sayf(Notice, "Reloading HAProxy")
	m.Notify(fmt.Sprintf("RELOADING=1\nSTATUS=Reloading Configuration.\nMONOTONIC_USEC=%d", sys.MonotonicMicroseconds()))
	if err := m.start(); err != nil {
		m.Report.Sayf(Alert, "Failed to start a new worker: %v", err)
		m.Notify("READY=1\nSTATUS=Reload failed!")
	}
}

// starting is the worker that was started and does not serve yet.
func (m *Master) starting() *worker {
	if n := len(m.workers); n > 0 && m.workers[n-1] != m.current {
		return m.workers[n-1]
	}
	return nil
}

// start makes a new worker. Its descriptors are those of the master, numbers
// unchanged: the configuration may name sockets that the master was started with.
func (m *Master) start() error {
	ours, theirs, err := sys.PacketPair()
	if err != nil {
		return err
	}
	defer theirs.Close()
	conn, err := packetConn(ours)
	if err != nil {
		return err
	}
	child, err := theirs.Inheritable()
	if err != nil {
		_ = conn.Close()
		return err
	}
	number := strconv.Itoa(int(child))
	if !m.first {
		number += firstMark
	}
	cmd := &exec.Cmd{
		Path: m.Path, Args: m.Args, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Env: append(os.Environ(), controlEnv+"="+number, "NOTIFY_SOCKET="),
	}
	err = cmd.Start()
	child.Close()
	if err != nil {
		_ = conn.Close()
		return err
	}
	w := &worker{process: cmd.Process, link: link{conn}}
	m.workers = append(m.workers, w)
	// Copies: the master's own are closed when a worker has given it newer ones.
	sockets := make(Sockets)
	err = m.Each(func(key string, fd sys.FD) error {
		dup, err := fd.Dup()
		sockets[key] = append(sockets[key], dup)
		return err
	})
	if err != nil {
		sockets.Close()
		_ = w.process.Kill()
		sockets = nil
	}
	go func() {
		if sockets.Each(w.link.sendSocket) == nil && w.link.sendWord(wordEnd) == nil {
			if got, word, err := w.link.receive(); err == nil && word == wordReady {
				m.events <- event{w: w, sockets: got}
			}
		}
		sockets.Close()
		_ = cmd.Wait() // the state says what there is to know
		m.events <- event{w: w, ended: cmd.ProcessState}
	}()
	return nil
}

// ready makes w the worker that serves; the one before finishes its connections.
func (m *Master) ready(w *worker, sockets Sockets) {
	if m.ending != 0 { // it has been told to end
		sockets.Close()
		return
	}
	m.replace(sockets)
	m.current = w
	m.Report.Sayf(Notice, "New worker (%d) serves", w.process.Pid)
	for _, old := range m.workers {
		if old != w && !old.leaving {
			old.leaving = true
			_ = old.process.Signal(syscall.SIGUSR1)
		}
	}
	if !m.first {
		m.first = true
		if err := m.OnReady(); err != nil {
			m.Report.Sayf(Alert, "[haproxy.main()] %v", err)
			m.end(syscall.SIGTERM, 1)
			return
		}
	}
	m.Notify(fmt.Sprintf("READY=1\nMAINPID=%d\nSTATUS=Ready.", os.Getpid()))
	if m.again {
		m.reload()
	}
}

// ended takes a worker off the list.
func (m *Master) ended(w *worker, state *os.ProcessState) {
	_ = w.link.conn.Close()
	fresh := m.starting() == w
	for i, other := range m.workers {
		if other == w {
			m.workers = append(m.workers[:i], m.workers[i+1:]...)
			break
		}
	}
	code := exitCode(state)
	switch {
	case m.ending != 0:
	case w.leaving:
		m.Report.Sayf(Notice, "Former worker (%d) exited with code %d", w.process.Pid, code)
	case fresh && m.current != nil:
		m.Report.Sayf(Warning, "Failed to load worker: it exited with code %d; the former one goes on", code)
		m.Notify("READY=1\nSTATUS=Reload failed!")
		if m.again {
			m.reload()
		}
	case fresh:
		m.end(syscall.SIGTERM, max(code, 1))
	case code == 0: // somebody has told the worker to end, not the master
		m.Report.Sayf(Warning, "Current worker (%d) exited with code 0 (%v)", w.process.Pid, state)
		m.end(syscall.SIGTERM, 0)
	default:
		m.Report.Sayf(Alert, "Current worker (%d) exited with code %d (%v)", w.process.Pid, code, state)
		m.Report.Sayf(Alert, "exit-on-failure: killing every processes with SIGTERM")
		m.end(syscall.SIGTERM, code)
	}
}

// exitCode is a status as shells have it.
func exitCode(s *os.ProcessState) int {
	if ws, ok := s.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		return 128 + int(ws.Signal())
	}
	return s.ExitCode()
}

// EndProcesses sends a signal to each; one that is gone is what was wanted.
func EndProcesses(pids []int, sig syscall.Signal) {
	for _, pid := range pids {
		_ = syscall.Kill(pid, sig)
	}
}
