package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// freezeLoops stops the threads of baton's event loops, and no other thread, until
// release is called. They are the ones that wait in epoll_wait on a set with a socket of
// the proxy in it. A thread that is in a system call holds up nothing of Go's runtime; one
// that is caught between two waits may, and that run is an outlier.
func (n *node) freezeLoops() (release func() error, err error) {
	none := func() error { return nil }
	pid := 0
	for _, p := range n.procs {
		if p.name == "baton" {
			pid = p.cmd.Process.Pid
		}
	}
	loops, err := loopThreads(pid)
	if err != nil {
		return none, err
	}
	stopped, end, done := make(chan error), make(chan struct{}), make(chan error)
	go func() { // a tracer is one thread
		runtime.LockOSThread()
		var errs []error
		for _, tid := range loops {
			errs = append(errs, attach(tid))
		}
		stopped <- errors.Join(errs...)
		<-end
		errs = nil
		for _, tid := range loops {
			errs = append(errs, syscall.PtraceDetach(tid))
		}
		done <- errors.Join(errs...)
	}()
	return func() error { close(end); return <-done }, <-stopped
}

func attach(tid int) error {
	if err := syscall.PtraceAttach(tid); err != nil {
		return fmt.Errorf("ptrace thread %d: %w", tid, err)
	}
	const wall = 0x40000000 // __WALL of wait(2): a thread is no child of ours
	_, err := syscall.Wait4(tid, nil, wall, nil)
	return err
}

// loopThreads finds the threads of a process that wait for its listeners, once all of
// them do: one in the middle of its work waits again in a moment.
func loopThreads(pid int) (tids []int, err error) {
	dir := fmt.Sprintf("/proc/%d", pid)
	listening, err := listeningInodes(dir)
	if err != nil {
		return nil, err
	}
	fds, err := os.ReadDir(dir + "/fd")
	if err != nil {
		return nil, err
	}
	sets := map[uint64]bool{} // of the loops, by descriptor
	for _, e := range fds {
		if fd, err := strconv.ParseUint(e.Name(), 10, 32); err == nil && watchesAny(dir, fd, listening) {
			sets[fd] = true
		}
	}
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		if tids, err = waitingOn(dir, sets); err != nil || len(sets) > 0 && len(tids) == len(sets) {
			return tids, err
		}
	}
	return nil, fmt.Errorf("%d event loops, never all of them waiting at once", len(sets))
}

// waitingOn lists the threads whose present system call has one of these descriptors
// as its first argument, as epoll_wait has.
func waitingOn(dir string, sets map[uint64]bool) (tids []int, err error) {
	calls, err := filepath.Glob(dir + "/task/*/syscall")
	if err != nil {
		return nil, err
	}
	for _, name := range calls {
		text, err := os.ReadFile(name)
		if err != nil {
			continue // the thread has ended
		}
		f := strings.Fields(string(text)) // NUMBER ARG0 ..., or "running"
		if len(f) < 2 {
			continue
		}
		if fd, err := strconv.ParseUint(f[1], 0, 64); err != nil || !sets[fd] {
			continue
		}
		tid, err := strconv.Atoi(filepath.Base(filepath.Dir(name)))
		if err != nil {
			return nil, err
		}
		tids = append(tids, tid)
	}
	return tids, nil
}

// watchesAny reports whether a descriptor is an epoll set with one of these sockets.
func watchesAny(dir string, fd uint64, inodes map[string]bool) bool {
	info, err := os.ReadFile(fmt.Sprintf("%s/fdinfo/%d", dir, fd))
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(info)) {
		f := strings.Fields(line)
		if len(f) < 2 || f[0] != "tfd:" {
			continue
		}
		to, err := os.Readlink(dir + "/fd/" + f[1])
		if err == nil && inodes[strings.TrimSuffix(strings.TrimPrefix(to, "socket:["), "]")] {
			return true
		}
	}
	return false
}

// listeningInodes are the sockets that listen on the proxy's port in the process's
// network. (Those of the pair link are in the set of Go's own poller.)
func listeningInodes(dir string) (map[string]bool, error) {
	const listen, port = "0A", ":0050" // the state and port 80, in /proc/net/tcp
	found := map[string]bool{}
	for _, table := range []string{"tcp", "tcp6"} {
		text, err := os.ReadFile(dir + "/net/" + table)
		if err != nil {
			return nil, err
		}
		for line := range strings.Lines(string(text)) {
			if f := strings.Fields(line); len(f) > 9 && f[3] == listen && strings.HasSuffix(f[1], port) {
				found[f[9]] = true
			}
		}
	}
	return found, nil
}
