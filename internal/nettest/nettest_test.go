package nettest

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"testing"
)

func TestSwitchJoinsHosts(t *testing.T) {
	sw := NewSwitch(t)
	a, b := sw.Host("a", "10.0.0.1/24"), sw.Host("b", "10.0.0.2/24")

	seen := b.Capture("eth0", 0x0800)
	a.Do(func() {
		c, err := net.Dial("udp", "10.0.0.2:9")
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := c.Write([]byte("over the switch")); err != nil {
			t.Fatal(err)
		}
	})
	seen.Next(func(f []byte) bool { return bytes.Contains(f, []byte("over the switch")) })

	if out := a.Output("ip", "-brief", "addr", "show", "eth0"); !bytes.Contains([]byte(out), []byte("10.0.0.1/24")) {
		t.Errorf("a's eth0 has no address: %s", out)
	}
	a.Sysctl("net.ipv4.conf.eth0.promote_secondaries", "1")
	if out := a.Output("cat", "/proc/sys/net/ipv4/conf/eth0/promote_secondaries"); out != "1\n" {
		t.Errorf("sysctl reads %q, want 1", out)
	}
}

func TestEverythingIsRemoved(t *testing.T) {
	var names []string
	var cmd *exec.Cmd
	t.Run("inner", func(t *testing.T) {
		sw := NewSwitch(t)
		h := sw.Host("h")
		names = append(names, sw.Name, h.Name)
		cmd = h.Command("sleep", "1000")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
	})
	for _, n := range names {
		if _, err := os.Stat("/run/netns/" + n); !os.IsNotExist(err) {
			t.Errorf("namespace %s is still there (%v)", n, err)
		}
	}
	if cmd == nil {
		t.SkipNow() // inner was skipped
	}
	if _, err := os.Stat(fmt.Sprintf("/proc/%d", cmd.Process.Pid)); !os.IsNotExist(err) {
		t.Errorf("the command still runs (%v)", err)
	}
}

func TestDoPassesEndsOn(t *testing.T) {
	ns := NewNS(t, "end")
	wentOn := false
	done := make(chan struct{})
	go func() {
		defer close(done)
		ns.Do(runtime.Goexit) // as t.FailNow and t.SkipNow do
		wentOn = true
	}()
	if <-done; wentOn {
		t.Error("the caller went on after f had ended its goroutine")
	}
	defer func() {
		if recover() != "boom" {
			t.Error("a panic inside Do was lost")
		}
	}()
	ns.Do(func() { panic("boom") })
}
