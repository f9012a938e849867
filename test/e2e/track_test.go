package e2e

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"baton/internal/nettest"
)

// trackConf has a priority that each of the trackers moves, and one instance that
// a tracker puts into FAULT.
const trackConf = `
track_file load {
    file DIR/load
    init_file 2
}
vrrp_track_process helper {
    process sleep 86399
    param_match partial
    delay 0.1
}
vrrp_instance VI_1 {
    interface eth0
    virtual_router_id 51
    priority 100
    virtual_ipaddress {
        10.77.0.100/24
    }
    track_file {
        load weight 3
    }
    track_process {
        helper weight 20
    }
    track_interface {
        spare0 weight -40
    }
}
vrrp_instance VI_2 {
    interface eth0
    virtual_router_id 52
    priority 100
    virtual_ipaddress {
        10.77.0.101/24
    }
    track_interface {
        spare0
    }
}
interface_up_down_delays {
    eth0 1
}
`

func TestTrackers(t *testing.T) {
	t.Parallel()
	sw := nettest.NewSwitch(t)
	n := newNode(t, sw, "lb1", "10.77.0.11/24")
	n.IP("link", "add", "spare0", "type", "veth", "peer", "name", "spare1")
	n.IP("link", "set", "spare1", "up")
	n.IP("link", "set", "spare0", "up")
	n.write("keepalived.conf", strings.ReplaceAll(trackConf, "DIR", n.dir))
	n.run("-f", "keepalived.conf")

	shows := func(parts ...string) {
		t.Helper()
		last := ""
		defer func() {
			if t.Failed() {
				t.Log(last)
			}
		}()
		await(t, strings.Join(parts, ", "), func() bool {
			last = n.status()
			for _, p := range parts {
				if !strings.Contains(last, p) {
					return false
				}
			}
			return true
		})
	}
	shows("106 = 100 base + 6 track_file load", "VRID 52): MASTER")
	n.write("load", "-5\n")
	shows("85 = 100 base - 15 track_file load")

	sleep := exec.Command("/bin/sleep", "86399", "1")
	sleep.Args[0] = "sleep"
	helper := n.launch(sleep)
	shows("105 = 100 base - 15 track_file load + 20 track_process helper")
	_ = helper.cmd.Process.Kill()
	<-helper.done
	shows("85 = 100 base - 15 track_file load")

	n.IP("link", "set", "spare0", "down")
	shows("45 = 100 base - 15 track_file load - 40 track_interface spare0", "VRID 52): FAULT")
	n.IP("link", "del", "spare0")
	n.IP("link", "add", "spare0", "type", "veth", "peer", "name", "spare1")
	n.IP("link", "set", "spare1", "up")
	n.IP("link", "set", "spare0", "up")
	shows("85 = 100 base - 15 track_file load", "VRID 52): MASTER")
	if !exists(filepath.Join(n.dir, "load")) {
		t.Error("the file is gone")
	}
}
