package lab

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"baton/internal/nettest"
)

// build builds the binary and returns how to call `baton lab` for a lab of this
// test's own, so that it does not meet one that somebody plays with.
func build(t *testing.T) (baton, name string) {
	t.Helper()
	nettest.Require(t)
	t.Parallel() // they mostly wait for timers
	baton = filepath.Join(t.TempDir(), "baton")
	if out, err := exec.Command("go", "build", "-buildvcs=false", "-o", baton, "baton/cmd/baton").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	name = fmt.Sprintf("labtest-%d-%s", os.Getpid(), strings.ToLower(t.Name()))
	t.Cleanup(func() { // when the test has failed
		_ = exec.Command(baton, "lab", "--name", name, "down").Run()
	})
	return baton, name
}

// nothingLeft checks that a lab has left no namespace, process or file.
func nothingLeft(t *testing.T, baton, name string) {
	t.Helper()
	for _, pattern := range []string{"/run/netns/" + name + "-*", "/run/" + name + "-lab"} {
		left, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		if len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
	}
	exes, err := filepath.Glob("/proc/[0-9]*/exe")
	if err != nil {
		t.Fatal(err)
	}
	for _, exe := range exes {
		if target, err := os.Readlink(exe); err == nil && target == baton { // built for this test alone
			t.Errorf("still running: %s", exe)
		}
	}
}

func exitCode(err error) int {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.ExitCode()
	}
	return -1
}

func TestDemo(t *testing.T) {
	baton, name := build(t)
	var out, errs bytes.Buffer
	cmd := exec.Command(baton, "lab", "--name", name, "demo")
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s\n%s", err, &out, &errs)
	}
	t.Logf("\n%s", &out)
	for _, want := range []string{
		"lb1      baton is killed with SIGKILL",
		"lb1      its kernel lets 192.0.2.100 go: the lease ended",
		"lb2      holds 192.0.2.100",
		"client   gets no answer",
		"client   is answered again, by web",
		"lb2      finds web2 DOWN",
		"lb2      finds web2 UP",
		"Who held 192.0.2.100",
		"The address moved",
		"Everything is taken away again.",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the demo does not say %q", want)
		}
	}
	if strings.Contains(out.String(), "\x1b") {
		t.Error("escape sequences go to a file")
	}
	if errs.Len() > 0 {
		t.Errorf("on stderr: %s", &errs)
	}
	nothingLeft(t, baton, name)
}

// An interrupted demo takes everything away itself; a killed one cannot, but its
// processes end with it and the next command finds the rest.
func TestDemoInterrupted(t *testing.T) {
	baton, name := build(t)
	for _, c := range []struct {
		sig  syscall.Signal
		code int
	}{
		{syscall.SIGINT, 130},
		{syscall.SIGTERM, 143},
		{syscall.SIGPIPE, 141},
		{syscall.SIGKILL, -1},
	} {
		t.Run(c.sig.String(), func(t *testing.T) {
			cmd := exec.Command(baton, "lab", "--name", name, "demo")
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			cmd.Stderr = os.Stderr
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			r := bufio.NewScanner(out)
			for r.Scan() && !strings.Contains(r.Text(), "lb1      holds") {
			}
			if err := cmd.Process.Signal(c.sig); err != nil {
				t.Fatal(err)
			}
			for r.Scan() { // until it has ended, so that only the signal ends it
			}
			if code := exitCode(cmd.Wait()); code != c.code {
				t.Errorf("exit status %d, want %d", code, c.code)
			}
			if c.sig == syscall.SIGKILL {
				got, err := exec.Command(baton, "lab", "--name", name, "down").CombinedOutput()
				if err != nil || string(got) != "the lab is gone\n" {
					t.Errorf("lab down: %v: %q", err, got)
				}
			}
			nothingLeft(t, baton, name)
		})
	}
}

func TestDemoProcessDies(t *testing.T) {
	baton, name := build(t)
	cmd := exec.Command(baton, "lab", "--name", name, "demo")
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewScanner(out)
	for r.Scan() && !strings.Contains(r.Text(), "lb1      holds") {
	}
	if got, err := exec.Command(baton, "lab", "--name", name, "kill", "lb2").CombinedOutput(); err != nil {
		t.Errorf("lab kill: %v: %s", err, got)
	}
	for r.Scan() {
	}
	if code := exitCode(cmd.Wait()); code != 1 {
		t.Errorf("exit status %d, want 1", code)
	}
	for _, want := range []string{"lb2 has ended unexpectedly (signal: killed)", "the last lines of /run/" + name + "-lab/lb2/baton.log:", "BACKUP: started"} {
		if !strings.Contains(errs.String(), want) {
			t.Errorf("%q is missing in:\n%s", want, &errs)
		}
	}
	nothingLeft(t, baton, name)
}

// TestUp plays with the lab as a user does.
func TestUp(t *testing.T) {
	baton, name := build(t)
	run := func(code int, args ...string) string {
		t.Helper()
		out, err := exec.Command(baton, append([]string{"lab", "--name", name}, args...)...).CombinedOutput()
		if got := exitCode(err); got != code {
			t.Fatalf("baton lab %v: exit status %d, want %d\n%s", args, got, code, out)
		}
		return string(out)
	}
	says := func(text string, parts ...string) {
		t.Helper()
		for _, p := range parts {
			if !strings.Contains(text, p) {
				t.Errorf("%q is missing in:\n%s", p, text)
			}
		}
	}
	says(run(1, "status"), "there is no lab; make one: baton lab --name "+name+" up")
	says(run(0, "down"), "there is no lab")
	says(run(0, "up"), "The lab is up: lb", "kill lb1 --signal TERM")
	says(run(1, "up"), "a lab is up already", "take it down first: baton lab --name "+name+" down")
	says(run(1, "demo"), "a lab is up already")
	says(run(0, "status"), vip+" is on lb", "MASTER since", "BACKUP since", "web3  192.0.2.23  running, pid ")
	says(run(0, "exec", "lb1", "--", "ip", "-brief", "addr"), "192.0.2.11/24")
	says(run(7, "exec", "client", "--", "sh", "-c", "exit 7"), "")

	says(run(0, "kill", "lb1"), "lb1 has ended (pid ")
	says(run(1, "kill", "lb1"), "lb1 is not running; start it: ")
	says(run(0, "status"), "baton does not run; start it: ", "the end of its log", "VI_1: MASTER: ")
	says(run(0, "start", "lb1"), "lb1 is running (pid ")
	says(run(1, "start", "lb1"), "lb1 is running already")
	says(run(0, "kill", "--signal", "term", "lb1"), "lb1 has ended (pid ")
	says(run(0, "kill", "web2"), "web2 has ended (pid ")
	says(run(0, "status"), "web2  192.0.2.22  not running; start it: ")
	says(run(0, "start", "web2"), "web2 is running (pid ")
	says(run(0, "dns"), "192.0.2.21 web1.lab\n")
	says(run(0, "dns", "web1.lab", "web3"), "web1.lab is web3 now")
	says(run(1, "dns", "web1.lab", "web9"), `"web9" is no address`)
	for end := time.Now().Add(patience); !regexp.MustCompile(`web1 +192\.0\.2\.23:80`).MatchString(run(0, "status")); <-time.After(100 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the server does not move with its name")
		}
	}
	says(run(1, "kill", "client"), "nothing of the lab's runs on client")
	says(run(1, "kill", "web9"), `no host "web9"; it has dns, web1, web2, web3, lb1, lb2, client`)
	says(run(2, "kill", "lb2", "--signal", "FOO"), "unknown signal FOO")

	// A file that the user has broken: the start fails and says why.
	broken := filepath.Join("/run", name+"-lab", "lb1", "haproxy.cfg")
	if err := os.WriteFile(broken, []byte("frontend\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	says(run(1, "start", "lb1"), "baton on lb1 ended at once (exit status 1)", "haproxy.cfg:1:1: error:")

	says(run(0, "down"), "the lab is gone")
	nothingLeft(t, baton, name)
}
