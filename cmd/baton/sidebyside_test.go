package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// side is one of two programs that go through the same: haproxy or this one.
type side struct {
	*testing.T
	program string
	addr    string // of its frontend
	record  []string
}

// note writes down what both must have in common.
func (s *side) note(format string, args ...any) {
	s.record = append(s.record, fmt.Sprintf(format, args...))
}

func (s *side) config() string { return fmt.Sprintf(answering, s.addr) }

// start starts the program, with a configuration of one frontend.
func (s *side) start(args ...string) *instance {
	s.Helper()
	return playAs(s.T, s.program, s.config(), nil, args...)
}

// serving starts it and waits until it serves.
func (s *side) serving(args ...string) *instance {
	s.Helper()
	i := s.start(args...)
	s.await("the first answer", func() bool { return knock(s.addr) == nil })
	return i
}

// master starts it as a master, which says to systemd when it takes signals.
func (s *side) master(args ...string) *instance {
	s.Helper()
	i := s.start(append(args, "-Ws", "-f", "%cfg")...)
	s.ready(i)
	return i
}

// ready waits until a master has loaded its files and takes signals. haproxy 2.6 says
// RELOADING=1 before READY=1, which it says before it has its handlers.
func (s *side) ready(i *instance) {
	s.Helper()
	_ = i.notes.SetReadDeadline(time.Now().Add(within))
	b := make([]byte, 4096)
	for n := 0; !strings.HasPrefix(string(b[:n]), "READY=1"); {
		var err error
		if n, err = i.notes.Read(b); err != nil {
			s.Fatal("READY=1: ", err)
		}
	}
	mask := func(status, name string) (m uint64) {
		_, after, _ := strings.Cut(status, name)
		m, _ = strconv.ParseUint(strings.TrimSpace(after[:min(len(after), 17)]), 16, 64)
		return m
	}
	const wanted = 1<<(syscall.SIGUSR1-1) | 1<<(syscall.SIGUSR2-1) | 1<<(syscall.SIGTERM-1) | 1<<(syscall.SIGINT-1)
	s.await("signal handlers", func() bool {
		b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", i.cmd.Process.Pid))
		return mask(string(b), "SigCgt:")&^mask(string(b), "SigBlk:")&wanted == wanted
	})
}

// await waits until something holds that nobody tells of.
func (s *side) await(what string, holds func() bool) {
	s.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(within); !holds(); <-tick.C {
		if time.Now().After(end) {
			s.Fatalf("%s: %s: not within %v; it had come to\n%s", s.program, what, within, strings.Join(s.record, "\n"))
		}
	}
}

// refused waits until nobody listens any more.
func (s *side) refused() {
	s.Helper()
	s.await("the end of listening", func() bool {
		c, err := net.Dial("tcp", s.addr)
		if err == nil {
			c.Close()
		}
		return errors.Is(err, syscall.ECONNREFUSED)
	})
}

// endBy ends a process by a signal while a request is under way, which an orderly end
// (SIGUSR1) lets finish.
func (s *side) endBy(i *instance, sig syscall.Signal) {
	s.Helper()
	c := s.begun()
	i.signal(sig)
	if sig == syscall.SIGUSR1 {
		s.refused()
		s.finish(c)
	}
	s.note("%v: status %d", sig, i.status())
}

// begun is a connection with half a request that has been accepted.
func (s *side) begun() net.Conn {
	s.Helper()
	c, err := net.Dial("tcp", s.addr)
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(within))
	if _, err := io.WriteString(c, "GET /alive HTTP/1.1\r\nHost: x\r\n\r\nGET /alive HTTP/1.1\r\nHo"); err != nil {
		s.Fatal(err)
	}
	b := make([]byte, 4096)
	if _, err := c.Read(b); err != nil { // to the first; the second is under way
		s.Fatal(err)
	}
	return c
}

// finish completes a request that has begun and notes what comes back.
func (s *side) finish(c net.Conn) {
	s.Helper()
	_, _ = io.WriteString(c, "st: x\r\n\r\n") // who has gone is noted below
	b, err := io.ReadAll(c)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		s.Fatal("the connection stays open")
	}
	line, _, _ := bytes.Cut(b[max(bytes.LastIndex(b, []byte("HTTP/1.1 ")), 0):], []byte("\r\n"))
	s.note("the request that had begun: %q", line)
}

// workers are the processes of a master.
func (i *instance) workers() []int {
	var list []int
	for _, task := range glob(fmt.Sprintf("/proc/%d/task/*/children", i.cmd.Process.Pid)) {
		b, _ := os.ReadFile(task)
		for word := range strings.FieldsSeq(string(b)) {
			if n, err := strconv.Atoi(word); err == nil {
				list = append(list, n)
			}
		}
	}
	return list
}

// running reports whether a process runs that need not be our child.
func running(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, state, _ := strings.Cut(string(b), ") ")
	return err == nil && !strings.HasPrefix(state, "Z")
}

func (i *instance) pidFile() string {
	switch b, err := os.ReadFile(i.pid); {
	case err != nil:
		return "there is no pid file"
	case strings.TrimSpace(string(b)) == strconv.Itoa(i.cmd.Process.Pid):
		return "the pid file names the process that was started"
	}
	return "the pid file names another process"
}

// What baton does otherwise, as the notes have it: haproxy's, then baton's.
var (
	// The signal's own death is a success for whoever supervises either, as status 0 is.
	endsWithZero = map[string]string{
		"terminated: status 143": "terminated: status 0", "interrupt: status 130": "interrupt: status 0", "status 143": "status 0",
		"-st: the old one's status 143": "-st: the old one's status 0", "the new one's status 143": "the new one's status 0",
	}
	// A file that was asked for is written in the foreground too.
	writesPIDFile = map[string]string{"there is no pid file": "the pid file names the process that was started"}
	// A pid file that is left behind names a stranger before long.
	removesPIDFile = map[string]string{"ended: the pid file names another process": "ended: there is no pid file"}
)

// lives are what a program goes through.
var lives = []struct {
	name    string
	live    func(s *side)
	differs map[string]string
}{
	{"foreground", func(s *side) {
		for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGUSR1} {
			i := s.serving("-db", "-f", "%cfg")
			s.endBy(i, sig)
		}
	}, endsWithZero},
	{"signals that end nothing", func(s *side) {
		i := s.serving("-db", "-f", "%cfg")
		for _, sig := range []syscall.Signal{syscall.SIGHUP, syscall.SIGUSR2, syscall.SIGPIPE} {
			i.signal(sig)
			s.note("%v: %v", sig, knock(s.addr))
		}
		i.signal(syscall.SIGTERM)
		s.note("status %d", i.status())
	}, endsWithZero},
	{"pid file in the foreground", func(s *side) {
		i := s.serving("-db", "-f", "%cfg", "-p", "%pid")
		s.note("%s", i.pidFile())
		i.signal(syscall.SIGTERM)
		i.status()
	}, writesPIDFile},
	{"daemon", func(s *side) {
		for _, sig := range []syscall.Signal{syscall.SIGUSR1, syscall.SIGTERM} {
			i := s.start("-D", "-f", "%cfg", "-p", "%pid")
			s.note("status %d, then %v", i.status(), knock(s.addr))
			s.note("%s", i.pidFile())
			pid := i.writtenPID()
			s.Cleanup(func() { _ = syscall.Kill(pid, syscall.SIGKILL) })
			c := s.begun()
			if err := syscall.Kill(pid, sig); err != nil {
				s.Fatal(err)
			}
			s.refused()
			s.finish(c)
			s.await("the daemon's end", func() bool { return !running(pid) })
			s.note("ended: %s", i.pidFile())
		}
	}, removesPIDFile},
	{"master", func(s *side) {
		i := s.master("-p", "%pid")
		s.note("%s", i.pidFile())
		first := i.workers()
		s.note("%d worker", len(first))
		for _, sig := range []syscall.Signal{syscall.SIGUSR2, syscall.SIGHUP} {
			i.signal(sig)
			s.ready(i)
			s.await("another worker alone", func() bool {
				now := i.workers()
				return len(now) == 1 && !slices.Equal(now, first)
			})
			first = i.workers()
			s.note("%v: %v", sig, knock(s.addr))
			s.note("%s", i.pidFile())
		}
		i.write(s.config() + " nonsense\n")
		i.signal(syscall.SIGUSR2)
		s.ready(i)
		s.note("wrong files: %v", knock(s.addr))
		i.signal(syscall.SIGTERM)
		s.note("status %d, workers %v", i.status(), running(first[0]))
	}, nil},
	{"ends of a master", func(s *side) {
		for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGUSR1} {
			i := s.master()
			s.endBy(i, sig)
		}
	}, nil},
	{"ends of a worker", func(s *side) {
		for _, sig := range []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM, syscall.SIGUSR1} {
			i := s.master()
			s.note("%v", knock(s.addr)) // the worker has its handlers by then
			if err := syscall.Kill(i.workers()[0], sig); err != nil {
				s.Fatal(err)
			}
			s.note("%v: status %d", sig, i.status())
		}
	}, nil},
	{"succession", func(s *side) {
		for _, flag := range []string{"-sf", "-st"} {
			old := s.serving("-db", "-f", "%cfg")
			c := s.begun()
			next := s.start("-db", "-f", "%cfg", flag, strconv.Itoa(old.cmd.Process.Pid))
			if flag == "-sf" {
				s.await("the old one's last words", func() bool { return knock(s.addr) == nil })
			}
			s.finish(c)
			s.note("%s: the old one's status %d", flag, old.status())
			s.await("the new one", func() bool { return knock(s.addr) == nil })
			next.signal(syscall.SIGTERM)
			s.note("the new one's status %d", next.status())
		}
	}, endsWithZero},
	{"starts that fail, and checks", func(s *side) { // with -V: without it 3.x has nothing to say of a good file
		i := s.serving("-db", "-f", "%cfg")
		for _, args := range []string{
			"-db -f %cfg -x /nowhere", "-f /nowhere", "-c -f /nowhere", "-c -f /dev/null", "-f /dev/null",
			"-c -f", "-S", "-p", "-n", "-sf x -c -f %cfg", "-z", "-c", "x",
			"-cc 0", "-cc 1", "-cc 1&&", "-C /nowhere -c -f %cfg", "-db -f %cfg -f /nowhere", "-v", "-vv", "-v -z", "-c -V -f %cfg", "-c -q -V -f %cfg",
			"-c -V -dW -f %cfg", "-c -V -W -f %cfg", "-c -V -D -f %cfg", "-c -V -f %cfg -sf 1", "-c -V -f %cfg -- %cfg",
		} {
			c := s.start(strings.Fields(args)...)
			s.note("%s: status %d, %s to the standard output, usage %v, alert %v", args, c.status(),
				[]string{"nothing", "something"}[min(c.stdout.Len(), 1)], strings.Contains(c.stderr.String(), "Usage :"), strings.Contains(c.stderr.String(), "[ALERT]"))
		}
		i.signal(syscall.SIGINT)
		i.status()
	}, nil},
}

// TestSideBySide has haproxy and baton live the same lives and compares what is seen of
// them from outside.
func TestSideBySide(t *testing.T) {
	t.Parallel()
	haproxy, err := exec.LookPath("/usr/sbin/haproxy") // on the PATH of these tests it is baton
	if err != nil {
		t.Skip("there is no haproxy on this host")
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, life := range lives {
		t.Run(life.name, func(t *testing.T) {
			t.Parallel()
			theirs := side{T: t, program: haproxy, addr: freeAddress(t)}
			ours := side{T: t, program: exe, addr: freeAddress(t)}
			life.live(&theirs)
			life.live(&ours)
			for n, line := range theirs.record {
				if other, ok := life.differs[line]; ok {
					line = other
				}
				if n >= len(ours.record) || ours.record[n] != line {
					t.Errorf("haproxy: %s\n baton:  %s", line, ours.record[min(n, len(ours.record)-1)])
				}
			}
			if len(ours.record) != len(theirs.record) {
				t.Errorf("%d notes of haproxy, %d of baton", len(theirs.record), len(ours.record))
			}
		})
	}
}
