package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"

	"baton/internal/sys"
)

// detachedEnv tells a process that detach started it, and which descriptor is its
// way to the parent: not one that the user may have passed on himself.
const detachedEnv = "BATON_DETACHED"

// readyMark ends what a detached process says to its parent when it works.
const readyMark = "\x06"

// detach starts this program once more with the same arguments, without a terminal
// and in a session of its own, and returns its exit status: 0 as soon as it says
// that it works. A Go process cannot fork and go on, so it is a new one that has
// read everything anew.
func detach() int {
	r, w, err := os.Pipe()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	child, err := sys.FD(w.Fd()).Inheritable()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	cmd := exec.Command(ownPath())
	cmd.Args = os.Args
	cmd.Env = append(os.Environ(), detachedEnv+"="+strconv.Itoa(int(child)))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	child.Close()
	_ = w.Close()
	said, err := io.ReadAll(r)
	said, ready := bytes.CutSuffix(said, []byte(readyMark))
	_, _ = os.Stderr.Write(said)
	if err == nil && ready {
		return 0
	}
	err = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code > 0 {
		return code
	}
	fmt.Fprintf(os.Stderr, "the daemon ended before it was ready: %v\n", err)
	return 1
}

// waiting is the end of a detached process that its parent listens to. A nil one
// has no parent that waits.
type waiting struct{ pipe *os.File }

// detached returns the parent of a process that detach started, or nil. It may be
// called once; programs that this one starts know nothing of it.
func detached() *waiting {
	n, err := strconv.Atoi(os.Getenv(detachedEnv))
	if err != nil {
		return nil
	}
	_ = os.Unsetenv(detachedEnv)
	syscall.CloseOnExec(n)
	return &waiting{os.NewFile(uintptr(n), "parent")}
}

// ownPath is the file to start for another process like this one: the name by which
// this one was started, so that the new one has that name too and is the program
// that a package has put there since.
func ownPath() string {
	if path, err := exec.LookPath(os.Args[0]); err == nil {
		return path
	}
	return "/proc/self/exe"
}

// ready lets the parent end with status 0.
func (w *waiting) ready() { w.end(readyMark) }

// say gives the parent something to print.
func (w *waiting) say(text string) {
	if w != nil && w.pipe != nil {
		_, _ = io.Copy(w.pipe, strings.NewReader(text)) // a parent that is gone needs no answer
	}
}

func (w *waiting) end(text string) {
	w.say(text)
	if w != nil && w.pipe != nil {
		_ = w.pipe.Close()
		w.pipe = nil
	}
}
