package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// frontEnd is a host where /tmp and /run of a program are the node's folder, so
// that it finds and leaves its files at keepalived's usual places.
type frontEnd struct{ *node }

func newFrontEnd(t *testing.T) frontEnd {
	n := single(t)
	if err := os.Link(batonPath, filepath.Join(n.dir, "keepalived")); err != nil {
		t.Fatal(err)
	}
	return frontEnd{n}
}

// exec prepares a program that sees the folder as /tmp and /run.
func (f frontEnd) exec(program string, args ...string) *exec.Cmd {
	script := `mount --make-rprivate / && mount --bind "$1" /run && mount --bind "$1" /tmp && shift && cd / && exec "$@"`
	return f.Command("unshare", append([]string{"--mount", "sh", "-c", script, "sh", f.dir, program}, args...)...)
}

// call runs a program to its end.
func (f frontEnd) call(program string, args ...string) (code int, said string) {
	f.t.Helper()
	cmd := f.exec(program, args...)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		f.t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

// pid reads a pid file and sees to it that the process does not outlive the test.
func (f frontEnd) pid(name string) int {
	f.t.Helper()
	b, err := os.ReadFile(filepath.Join(f.dir, name))
	if err != nil {
		f.t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { _ = syscall.Kill(pid, syscall.SIGKILL) })
	return pid
}

// signal sends one and returns the file that it makes appear.
func (f frontEnd) signal(pid int, sig syscall.Signal, name string) string {
	f.t.Helper()
	path := filepath.Join(f.dir, name)
	_ = os.Remove(path)
	if err := syscall.Kill(pid, sig); err != nil {
		f.t.Fatal(err)
	}
	var b []byte
	await(f.t, fmt.Sprintf("%v makes %s", sig, name), func() bool {
		b, _ = os.ReadFile(path)
		// keepalived writes in place: wait for the end of its text.
		return len(b) > 0 && (name != "keepalived.json" || json.Valid(b))
	})
	return string(b)
}

const frontEndConf = `
global_defs {
    router_id node1
    enable_script_security
    script_user root
}
vrrp_script chk {
    script "/bin/true arg"
    interval 2
    weight -20
    rise 2
    fall 3
}
vrrp_instance VI_1 {
    state BACKUP
    interface eth0
    virtual_router_id 51
    priority 100
    preempt_delay 5
    authentication {
        auth_type PASS
        auth_pass secret
    }
    virtual_ipaddress {
        10.77.0.100/24 brd 10.77.0.255
        10.77.0.101 label eth0:1
    }
    virtual_ipaddress_excluded {
        10.77.0.102
    }
    track_script {
        chk
    }
    track_interface {
        lo weight 5
    }
    notify_master "/bin/true to master"
    notify /bin/true
}
vrrp_instance VI_2 {
    interface eth0
    virtual_router_id 52
    priority 90
    version 3
    advert_int 0.5
    nopreempt
    unicast_src_ip 10.77.0.11
    unicast_peer {
        10.77.0.12
    }
    virtual_ipaddress {
        10.77.0.110
    }
}
`

func TestKeepalivedFrontEnd(t *testing.T) {
	f := newFrontEnd(t)
	f.write("k.conf", frontEndConf)
	if code, said := f.call("/tmp/keepalived", "-f", "/tmp/k.conf", "-D"); code != 0 || said != "" {
		t.Fatalf("start: status %d\n%s", code, said)
	}
	pid := f.pid("keepalived.pid")
	if other := f.pid("vrrp.pid"); other != pid {
		t.Errorf("pid files name %d and %d", pid, other)
	}
	code, said := f.call("/tmp/keepalived", "-f", "/tmp/k.conf")
	if code != 0 || !strings.Contains(said, "daemon is already running") {
		t.Errorf("second start: status %d\n%s", code, said)
	}
	await(t, "10.77.0.100 stands", func() bool { return f.addresses.holds("10.77.0.100") })

	got := map[string]string{
		"data":  f.signal(pid, syscall.SIGUSR1, "keepalived.data"),
		"stats": f.signal(pid, syscall.SIGUSR2, "keepalived.stats"),
		"json":  f.signal(pid, 36, "keepalived.json"),
	}
	info, err := os.Stat(filepath.Join(f.dir, "keepalived.data"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("keepalived.data: %v %v, want mode 0600: it holds a password", info.Mode(), err)
	}
	f.write("k.conf", strings.Replace(frontEndConf, "priority 100", "priority 130", 1))
	if err := syscall.Kill(pid, syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	await(t, "a reload takes effect", func() bool {
		data := f.signal(pid, syscall.SIGUSR1, "keepalived.data")
		return strings.Contains(data, "   Priority = 130\n") && strings.Contains(data, "   State = MASTER\n")
	})
	f.write("k.conf", frontEndConf) // to compare with
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	await(t, "its pid file goes", func() bool { return !exists(filepath.Join(f.dir, "keepalived.pid")) })
	await(t, "its process ends", func() bool { return syscall.Kill(pid, 0) != nil })
	if f.addresses.holds("10.77.0.100") {
		t.Error("the address outlives the daemon")
	}
	if left, _ := filepath.Glob(filepath.Join(f.dir, ".keepalived*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	compareDumps(t, f, got)
}

// compareDumps has the installed keepalived dump the same configuration.
func compareDumps(t *testing.T, f frontEnd, got map[string]string) {
	bin, err := exec.LookPath("keepalived")
	if err != nil {
		t.Skip("needs keepalived (Debian: apt-get install keepalived) to compare with")
	}
	if code, said := f.call(bin, "-f", "/tmp/k.conf"); code != 0 {
		t.Fatalf("keepalived: status %d\n%s", code, said)
	}
	var pid int
	await(t, "keepalived has its pid files", func() bool {
		return exists(filepath.Join(f.dir, "keepalived.pid")) && exists(filepath.Join(f.dir, "vrrp.pid"))
	})
	pid = f.pid("keepalived.pid")
	f.pid("vrrp.pid")
	await(t, "keepalived takes 10.77.0.100", func() bool { return f.addresses.holds("10.77.0.100") })
	want := map[string]string{}
	await(t, "keepalived dumps as master", func() bool {
		want["data"] = f.signal(pid, syscall.SIGUSR1, "keepalived.data")
		want["stats"] = f.signal(pid, syscall.SIGUSR2, "keepalived.stats")
		want["json"] = f.signal(pid, 36, "keepalived.json")
		return strings.Contains(want["data"], "< Interfaces >") && strings.Count(want["stats"], "Priority Zero") == 2 &&
			strings.Count(want["data"], "State = MASTER") == 2
	})
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	await(t, "keepalived ends", func() bool { return syscall.Kill(pid, 0) != nil })

	if d := cmp.Diff(mask(want["stats"]), mask(got["stats"])); d != "" {
		t.Errorf("keepalived.stats has another form (-keepalived +baton):\n%s", d)
	}
	if d := cmp.Diff(jsonKeys(t, want["json"]), jsonKeys(t, got["json"])); d != "" {
		t.Errorf("keepalived.json has other fields (-keepalived +baton):\n%s", d)
	}
	all := dataLines(want["data"])
	for _, line := range dataLines(got["data"]) {
		i := slices.Index(all, line)
		if i < 0 {
			t.Errorf("keepalived.data: keepalived has no line %q, or not in this place", line)
			continue
		}
		all = all[i+1:]
	}
}

// mask takes the numbers out.
func mask(s string) string { return regexp.MustCompile(`\b[0-9]+\b`).ReplaceAllString(s, "N") }

// dataLines returns the lines of the part about instances and scripts, with values
// that depend on the moment or on the program masked.
func dataLines(s string) []string {
	_, s, _ = strings.Cut(s, "------< VRRP Topology >------\n")
	s, _, _ = strings.Cut(s, "------< Interfaces")
	var out []string
	for line := range strings.Lines(s) {
		line = strings.TrimSuffix(line, "\n")
		name, value, has := strings.Cut(line, " = ")
		switch strings.TrimSpace(name) {
		case "Last transition", "Read timeout", "Command", "Result", "Status", "Master down timer", "Gratuitous ARP refresh",
			"Send advert after receive higher priority advert", "Script uid:gid", "Script user":
			value = "..."
		}
		if strings.Contains(name, "transition script") {
			value = "..." // keepalived follows links and tells the user's number
		}
		if strings.TrimSpace(name) == "Script user" {
			name = strings.Replace(name, "user", "uid:gid", 1)
		}
		if has {
			line = name + " = " + value
		}
		out = append(out, line)
	}
	return out
}

// jsonKeys lists the names of all fields in their order.
func jsonKeys(t *testing.T, s string) []string {
	t.Helper()
	var out []string
	d := json.NewDecoder(strings.NewReader(s))
	for {
		token, err := d.Token()
		if err != nil {
			return out
		}
		if key, ok := token.(string); ok && bytes.Contains([]byte(s), []byte(`"`+key+`":`)) {
			out = append(out, key)
		}
	}
}

// A start that fails says why on the terminal, also without -n.
func TestKeepalivedFrontEndRefuses(t *testing.T) {
	f := newFrontEnd(t)
	f.write("bad.conf", "vrrp_instance VI_1 {\n    interface eth0\n    virtual_router_id 300\n}\n")
	if code, said := f.call("/tmp/keepalived", "-f", "/tmp/bad.conf"); code != 3 || !strings.Contains(said, "bad.conf:3:") {
		t.Errorf("bad file: status %d\n%s", code, said)
	}
	if code, said := f.call("/tmp/keepalived", "-n", "-f", "/tmp/none.conf"); code != 6 {
		t.Errorf("missing file: status %d\n%s", code, said)
	}
	if left, _ := filepath.Glob(filepath.Join(f.dir, "*.pid")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
